import { freePort } from '../../src/main/server/server-process.ts';
import type { RunningExperiment, TestExperiment } from './experiment.ts';
import { metricValue, parseExposition } from './exposition.ts';

/** A run that says by its live metrics how far it is. */
interface ObservedRun extends RunningExperiment {
  /** Whether the window of a measurement is open: not that of a warm-up. */
  measures(): Promise<boolean>;
  /** Operations of measurements that have failed so far. */
  failedSoFar(): Promise<number>;
}

export async function startObserved(experiment: TestExperiment): Promise<ObservedRun> {
  const port = await freePort();
  const running = experiment.start(['--prometheus', String(port)]);
  const url = `http://127.0.0.1:${port}/metrics`;
  await running.said(`Metrics: ${url}`);
  const scrape = async () => parseExposition(await (await fetch(url)).text());
  return {
    ...running,
    async measures() {
      return metricValue(await scrape(), 'poolbench_running_info', { phase: 'measuring' }) === 1;
    },
    async failedSoFar() {
      const { samples = [] } = (await scrape()).get('poolbench_operations_failed_total') ?? {};
      return samples.reduce((sum, { value }) => sum + value, 0);
    },
  };
}
