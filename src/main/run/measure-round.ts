import type { RoundResult } from '../../aggregate/result.ts';
import { nowNs } from '../../pool/clock.ts';
import { SharedState } from '../../workers/shared-state.ts';
import { overheadSeconds } from '../plan/rounds.ts';
import type { Scenario } from '../plan/scenarios.ts';
import { type Bench, measure } from './measure.ts';
import type { Progress, Step } from './progress.ts';
import type { TargetWatch } from './target-watch.ts';
import { ConnectRefused } from './threads.ts';

/** What one round needs beyond the bench. */
export interface RoundRun {
  readonly round: number;
  readonly watch: TargetWatch;
  /** Of each scenario, by its id: what is measured is added as it comes. */
  readonly rounds: Map<string, RoundResult[]>;
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
}

/**
 * Measures the scenarios of one round in their order.
 *
 * @throws PoolbenchError TARGET_LOST; ConnectRefused, or whatever else a thread failed with
 */
export async function measureRound(bench: Bench, order: readonly Scenario[], run: RoundRun): Promise<void> {
  const { experiment } = bench;
  const cellSeconds = overheadSeconds + experiment.warmupSeconds + experiment.seconds;
  for (const [index, scenario] of order.entries()) {
    if (run.signal.aborted) return;
    const measurementsLeft = order.length - index + order.length * (experiment.rounds - run.round);
    const step: Step = {
      round: run.round,
      rounds: experiment.rounds,
      index: index + 1,
      total: order.length,
      scenario: scenario.id,
      threads: scenario.threads,
      secondsLeft: measurementsLeft * cellSeconds,
    };
    const result = await measureOnce(bench, scenario, step, run);
    if (result !== null) run.rounds.set(scenario.id, [...(run.rounds.get(scenario.id) ?? []), result]);
    if (run.watch.lost) throw run.watch.error();
    await run.watch.present(() => run.signal.aborted);
  }
}

/** One measurement; a thread that could not connect is given a second chance once the target is there again. */
async function measureOnce(
  bench: Bench,
  scenario: Scenario,
  step: Step,
  run: RoundRun,
): Promise<RoundResult | null> {
  for (let attempt = 1; ; attempt++) {
    const shared = SharedState.forThreads(scenario.threads);
    const stop = () => shared.stop(nowNs());
    run.signal.addEventListener('abort', stop);
    if (run.signal.aborted) stop();
    let result: RoundResult | null = null;
    run.progress.follow(step, shared, () => {
      run.watch.suspect();
      if (run.watch.lost) stop();
    });
    try {
      result = await measure(bench, scenario, run.round, shared);
      return result;
    } catch (cause) {
      if (run.signal.aborted) return null;
      if (attempt === 2 || !(cause instanceof ConnectRefused)) throw cause;
      await run.watch.present(() => run.signal.aborted);
    } finally {
      run.signal.removeEventListener('abort', stop);
      run.progress.finished(step, result);
    }
  }
}
