import type { RunningExperiment, TestExperiment } from './experiment.ts';
import { parseExposition } from './exposition.ts';
import { ownPort } from './ports.ts';

/** A run that is observed by its live metrics. */
interface ObservedRun extends RunningExperiment {
  /** Operations of measurements that have failed so far. */
  failedSoFar(): Promise<number>;
}

export async function startObserved(experiment: TestExperiment): Promise<ObservedRun> {
  const port = await ownPort();
  const running = experiment.start(['--prometheus', String(port)]);
  const url = `http://127.0.0.1:${port}/metrics`;
  await running.said(`Metrics: ${url}`);
  const scrape = async () => parseExposition(await (await fetch(url)).text());
  return {
    ...running,
    async failedSoFar() {
      const { samples = [] } = (await scrape()).get('poolbench_operations_failed_total') ?? {};
      return samples.reduce((sum, { value }) => sum + value, 0);
    },
  };
}
