import type { RoundResult } from '../../aggregate/result.ts';
import { nowNs } from '../../pool/clock.ts';
import { SharedState } from '../../workers/shared-state.ts';
import type { Progress } from '../live/progress.ts';
import type { Step } from '../live/snapshot.ts';
import type { Scenario } from '../plan/scenarios.ts';
import { type Bench, measure } from './measure.ts';
import type { TargetWatch } from './target-watch.ts';
import { ConnectRefused } from './threads.ts';

/** What one measurement needs beyond the bench. */
export interface TurnRun {
  readonly step: Step;
  readonly watch: TargetWatch;
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
}

/**
 * Measures one scenario once; a thread that could not connect is given a second chance once the target is there again.
 * Null if it was stopped before its window told anything.
 *
 * @throws PoolbenchError TARGET_LOST; ConnectRefused, or whatever else a thread failed with
 */
export async function measureTurn(
  bench: Bench,
  scenario: Scenario,
  { step, watch, progress, signal }: TurnRun,
): Promise<RoundResult | null> {
  for (let attempt = 1; ; attempt++) {
    const shared = SharedState.forThreads(scenario.threads);
    const stop = () => shared.stop(nowNs());
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    let result: RoundResult | null = null;
    let refused: ConnectRefused | undefined;
    progress.follow(step, shared, () => {
      watch.suspect();
      if (watch.lost) stop();
    });
    try {
      result = await measure(bench, scenario, step.round, shared);
    } catch (cause) {
      if (!(cause instanceof ConnectRefused)) throw cause;
      refused = cause;
    } finally {
      signal.removeEventListener('abort', stop);
      progress.finished(step, result);
    }
    // Who stops a run may have stopped its server, too.
    if (refused === undefined || signal.aborted) return result;
    if (attempt === 2) throw refused;
    await watch.present(() => signal.aborted);
  }
}
