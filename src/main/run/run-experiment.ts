import type { Result, RoundResult } from '../../aggregate/result.ts';
import { nowNs } from '../../pool/clock.ts';
import { SharedState } from '../../workers/shared-state.ts';
import type { Experiment } from '../config/experiment.ts';
import { PoolbenchError } from '../errors.ts';
import { overheadSeconds, planRun } from '../plan/rounds.ts';
import type { Scenario } from '../plan/scenarios.ts';
import { claimKeySpace, prefill, removeKeySpace } from '../target/key-space.ts';
import { preflight } from '../target/preflight.ts';
import type { Target } from '../target/resolve.ts';
import { assembleResult, type RunState } from './assemble.ts';
import { type Bench, measure } from './measure.ts';
import type { Progress, Step } from './progress.ts';
import { writeResults } from './results-folder.ts';
import { TargetWatch } from './target-watch.ts';
import { Threads } from './threads.ts';

export interface RunOptions {
  readonly experiment: Experiment;
  readonly target: Target;
  /** Where result.json and report.md go; they are written after every round. */
  readonly folder: string;
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
}

/** How a run ended: whatever was measured, and the error that ended it early. */
export interface RunOutcome {
  readonly result: Result;
  readonly error: PoolbenchError | undefined;
}

/** Most connections that are open at once: the plan's largest scenario, and the coordinator's own. */
export function connectionsNeeded(scenarios: readonly Scenario[]): number {
  return 1 + Math.max(...scenarios.map(scenario => scenario.connections));
}

/**
 * Measures every scenario in every round and writes the results. A lost target or a failed thread ends the run early,
 * with what was measured kept; the run's keys are removed and its threads ended either way.
 *
 * @throws PoolbenchError of the preflight, before any load, and RESULTS_NOT_WRITABLE
 */
export async function runExperiment(options: RunOptions): Promise<RunOutcome> {
  const { experiment, target, folder, progress, signal } = options;
  const startedAt = new Date();
  const plan = planRun(experiment);
  // Threads take longest to start, so they start while the target is prepared.
  const threads = new Threads(Math.max(...plan.scenarios.map(scenario => scenario.threads)));
  const rounds = new Map<string, RoundResult[]>();
  const warnings: string[] = [];
  const warn = (lines: readonly string[]) => {
    for (const line of lines) progress.say(`warning: ${line}`);
    warnings.push(...lines);
  };
  const state = (complete: boolean): RunState => {
    return { experiment, target, scenarios: plan.scenarios, rounds, startedAt, warnings, complete };
  };

  let error: PoolbenchError | undefined;
  try {
    const { keys, valueBytes } = experiment.workload;
    warn(await preflight(target, { connections: connectionsNeeded(plan.scenarios), keys, valueBytes }));
    const space = await claimKeySpace(target.control, { seed: experiment.seed, keys });
    warn(space.warnings);
    try {
      warn(await prefill(target.control, space, { seed: experiment.seed, valueBytes, signal }));
      const bench: Bench = {
        experiment,
        target,
        threads,
        keyPrefix: space.prefix,
        warn: line => warn([line]),
      };
      const watch = new TargetWatch(target, {
        timeoutMs: experiment.timeoutMs,
        say: line => progress.say(line),
      });
      await shakeDown(bench, plan.scenarios, signal);
      for (const [index, order] of plan.rounds.entries()) {
        await measureRound(bench, order, { round: index + 1, watch, rounds, progress, signal });
        if (signal.aborted) break;
        if (index + 1 < plan.rounds.length) await writeResults(folder, assembleResult(state(false)));
      }
    } catch (cause) {
      error = asPoolbenchError(cause);
    } finally {
      // A target that is lost keeps its keys; the claim tells the next run whose they are.
      await removeKeySpace(target.control, space).catch(() => {
        warn([`the keys under ${space.prefix} could not be removed`]);
      });
    }
  } finally {
    await threads.close();
  }
  const result = assembleResult(state(error === undefined && !signal.aborted));
  await writeResults(folder, result);
  return { result, error };
}

/** Long enough for V8 to compile the hot path in every thread, and short enough not to be noticed. */
const shakeDownSeconds = 0.2;

/**
 * Drives every client on all of its threads once and throws the figures away: without it the first round would
 * measure code that is not compiled yet, and most so in the threads that only scenarios of many pools use.
 */
async function shakeDown(bench: Bench, scenarios: readonly Scenario[], signal: AbortSignal): Promise<void> {
  const widest = new Map<string, Scenario>();
  for (const scenario of scenarios) {
    if (scenario.threads > (widest.get(scenario.client)?.threads ?? 0)) widest.set(scenario.client, scenario);
  }
  const experiment = { ...bench.experiment, warmupSeconds: 0, seconds: shakeDownSeconds };
  for (const scenario of widest.values()) {
    if (signal.aborted) return;
    await measure({ ...bench, experiment }, scenario, 0, SharedState.forThreads(scenario.threads));
  }
}

/** What one round needs beyond the bench. */
interface RoundRun {
  readonly round: number;
  readonly watch: TargetWatch;
  readonly rounds: Map<string, RoundResult[]>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

async function measureRound(bench: Bench, order: readonly Scenario[], run: RoundRun): Promise<void> {
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
      if (attempt === 2) throw cause;
      await run.watch.present(() => run.signal.aborted);
    } finally {
      run.signal.removeEventListener('abort', stop);
      run.progress.finished(step, result);
    }
  }
}

function asPoolbenchError(cause: unknown): PoolbenchError {
  if (cause instanceof PoolbenchError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PoolbenchError(
    'THREAD_FAILED',
    `expected every thread to open its pools and drive its load, but one failed: ${reason}`,
    { cause },
  );
}
