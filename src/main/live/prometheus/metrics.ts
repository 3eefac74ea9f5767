import type { Result, RoundResult } from '../../../aggregate/result.ts';
import { describeTool } from '../../run/environment.ts';
import type { Snapshot, Step } from '../snapshot.ts';
import { renderExposition } from './exposition.ts';
import { LatencyBuckets } from './latency-buckets.ts';
import { MetricsServer, parseListenAddress } from './metrics-server.ts';

/** A run for Prometheus to scrape while it lasts. */
export class Metrics {
  readonly #latencies = new LatencyBuckets();
  readonly #targets = new Map<string, Result['target']>();
  readonly #server: MetricsServer;

  private constructor(server: MetricsServer) {
    this.#server = server;
  }

  /**
   * @param address as it was typed
   * @param snapshot how the run stands, asked for at every scrape
   * @throws PoolbenchError USAGE, METRICS_NOT_SERVED
   */
  static async open(address: string, snapshot: () => Snapshot): Promise<Metrics> {
    const tool = describeTool();
    const text = () =>
      renderExposition(snapshot(), metrics.#latencies, {
        tool,
        node: process.version,
        targets: metrics.#targets,
      });
    const metrics = new Metrics(await MetricsServer.open(parseListenAddress(address), text));
    return metrics;
  }

  get url(): string {
    return this.#server.url;
  }

  meet(side: string, target: Result['target']): void {
    this.#targets.set(side, target);
  }

  finished(step: Step, result: RoundResult): void {
    this.#latencies.add(step, result);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}
