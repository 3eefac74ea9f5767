import { nowNs } from '../pool/clock.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { ThreadStrain } from './contract.ts';
import { StrainMeter } from './thread-strain.ts';

type Resettable = Pick<WorkerPool, 'resetMetrics'>;

/**
 * The thread's strain and the pools' metrics in the measured window: the warm-up is discarded, and the drain left out
 * of the strain unless the window was cut short.
 */
export class MeasuredWindow {
  readonly #pools: readonly Resettable[];
  readonly #meter = new StrainMeter();
  #timers: NodeJS.Timeout[] = [];
  #strain: ThreadStrain | undefined;

  constructor(pools: readonly Resettable[]) {
    this.#pools = pools;
  }

  /** Plans both ends, given as instants of the monotonic clock. */
  schedule(startNs: number, endNs: number): void {
    const warmupMs = millisecondsUntil(startNs);
    // Without a warm-up the first connects are inside the window: a timer would come after them.
    if (warmupMs === 0) this.#begin();
    else this.#timers.push(setTimeout(() => this.#begin(), warmupMs));
    this.#timers.push(
      setTimeout(() => {
        this.#strain = this.#meter.stop();
      }, millisecondsUntil(endNs)),
    );
  }

  stop(): ThreadStrain {
    for (const timer of this.#timers) clearTimeout(timer);
    return this.#strain ?? this.#meter.stop();
  }

  #begin(): void {
    this.#meter.begin();
    for (const pool of this.#pools) pool.resetMetrics();
  }
}

/** For a timer: 0 for an instant that has come. */
export function millisecondsUntil(instantNs: number): number {
  return Math.max(0, (instantNs - nowNs()) / 1e6);
}
