import type { ResultComparison } from '../aggregate/comparison/schema.ts';
import type { Result, RoundResult } from '../aggregate/result.ts';
import { toPlainLines } from '../aggregate/text/format.ts';
import type { Session, SessionScript } from '../workers/script/session.ts';
import { type ErrorCode, PoolbenchError } from './errors.ts';
import type { ExperimentConfig } from './experiment/experiment.ts';
import { type Plan, planRun, secondsAtLeast, secondsAtMost } from './experiment/plan.ts';
import { checkConfig } from './experiment/read-config.ts';
import { readPlan } from './experiment/read-plan.ts';
import type { Outlet } from './live/snapshot.ts';
import { type CheckedSide, checkPlan } from './run/check-plan.ts';
import { compareRuns } from './run/compare-runs.ts';
import { exitCodeOf } from './run/exit-code.ts';
import { type RunOutcome, runSides } from './run/run-sides.ts';

/**
 * poolbench as a library. Its functions do what the commands of the same name do, but return values and print nothing.
 * They ignore process signals, command-line options and `POOLBENCH_URL`. Error messages name the options of the command
 * line.
 */

export type {
  CheckedSide,
  ErrorCode,
  ExperimentConfig,
  Result,
  ResultComparison,
  RoundResult,
  Session,
  SessionScript,
};
export { PoolbenchError };

/** Options of `check` and `run`. */
export interface CheckOptions {
  /** Stops the work in progress. */
  readonly signal?: AbortSignal | undefined;
  /** Fails if the declared server is unavailable, instead of using another one. @default false */
  readonly noStandIn?: boolean | undefined;
  /** Loads a database even if it holds keys of other programs. @default false */
  readonly force?: boolean | undefined;
}

/** Options of `run`. */
export interface RunOptions extends CheckOptions {
  /**
   * Called with what a command would print as progress. It runs between measurements, so it should be short. An error
   * that it throws ends the run.
   */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /**
   * The parent of the run's own folder, which gets result.json, report.html and the other files. result.json is written
   * after every round.
   * @default none: no files are written
   */
  readonly resultsDir?: string | undefined;
}

/** A step of a run. */
export type RunProgress =
  /** Progress or a warning, as text of one or more lines. */
  | { readonly kind: 'message'; readonly text: string }
  /** One scenario was measured in one round. */
  | {
      readonly kind: 'measured';
      /** The scenario's id, after the name of its side if the run has several. */
      readonly scenario: string;
      /** From 1. */
      readonly round: number;
      /** At most. */
      readonly rounds: number;
      /** Throughput in operations per second, latencies in milliseconds. */
      readonly result: RoundResult;
    };

/** What a run has measured. */
export interface RunResult {
  /**
   * One for each target, each with the content of a result.json: latencies in milliseconds, throughput in operations per
   * second. There are several if `target.threads` has several numbers.
   */
  readonly results: readonly [Result, ...Result[]];
  /** Compares the other results with the first, as in comparison.json; null if there is only one. */
  readonly comparison: ResultComparison | null;
  /** The folder of the run; null without `resultsDir`. */
  readonly folder: string | null;
}

/** What `check` has found. */
export interface CheckResult {
  /** The targets that were found, or started and stopped again. */
  readonly targets: readonly CheckedSide[];
  /** Ids of the scenarios of the first target, followed by the controls. */
  readonly scenarios: readonly string[];
  readonly rounds: { readonly atLeast: number; readonly atMost: number };
  /** Estimated time of the rounds on all targets. */
  readonly seconds: { readonly atLeast: number; readonly atMost: number };
}

/** A run that failed after its load had begun; `code` and `message` give the reason. */
export class RunFailedError extends PoolbenchError {
  /** What was measured, with `complete` false if the run ended early. */
  readonly measured: RunResult;

  constructor(cause: PoolbenchError, measured: RunResult) {
    super(cause.code, cause.message, { cause });
    this.name = 'RunFailedError';
    this.measured = measured;
  }
}

/**
 * Finds or starts the target, measures, judges, and removes its keys, like `poolbench run CONFIG`. A crossed threshold
 * is a result (`thresholds` of each result), not an error. Run one at a time: two runs would share the cores and
 * disturb each other.
 *
 * An abort ends the run as Ctrl-C does: its keys are removed, servers that it started are stopped, and it resolves with
 * what was measured and `complete: false`. Before the target is found, it rejects with the signal's reason.
 *
 * @param config the path of a config file, or its content with paths relative to the working directory
 * @throws RunFailedError TARGET_LOST, THREAD_FAILED, NOTHING_MEASURED, TOO_MANY_FAILURES, RESULTS_NOT_WRITABLE
 * @throws PoolbenchError before any load: CONFIG_MISSING, CONFIG_INVALID, CLIENT_NOT_USABLE, RESULTS_NOT_WRITABLE,
 * TARGET_UNREACHABLE, TARGET_REFUSED_LOGIN, TARGET_NOT_AVAILABLE, TARGET_TOO_SMALL, TARGET_IN_USE, TARGET_LOST
 */
export async function run(config: string | ExperimentConfig, options: RunOptions = {}): Promise<RunResult> {
  const { signal = new AbortController().signal, onProgress, resultsDir } = options;
  signal.throwIfAborted();
  const plan = await planOf(config);
  const caller = { signal, outlet: onProgress && outletTo(onProgress) };
  const name = plan.sides[0]?.experiment.name ?? '';
  const how = { name, caller, folder: resultsDir === undefined ? null : undefined };
  return await runSides(plan, { ...flagsOf(options), out: resultsDir }, how, (outcome, { folder }) => {
    const measured = resultOf(outcome, folder);
    try {
      exitCodeOf({ ...measured, error: outcome.error }, plan.sides, { interrupted: signal.aborted });
    } catch (cause) {
      throw cause instanceof PoolbenchError ? new RunFailedError(cause, measured) : cause;
    }
    return measured;
  });
}

/**
 * Does everything that a run does before its load, like `poolbench check CONFIG`: validates the config, finds or starts
 * the target, and checks whether it can handle the plan.
 *
 * @param config as for `run`
 * @throws PoolbenchError as `run`, before any load; the reason of the signal
 */
export async function check(
  config: string | ExperimentConfig,
  options: CheckOptions = {},
): Promise<CheckResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  const plan = await planOf(config);
  const targets = await checkPlan(plan, { flags: flagsOf(options), signal, say: () => {} });
  return {
    targets,
    scenarios: (plan.sides[0]?.scenarios ?? []).map(({ id }) => id),
    rounds: plan.rounds,
    seconds: { atLeast: secondsAtLeast(plan), atMost: secondsAtMost(plan) },
  };
}

/**
 * Compares finished runs with the first one, like `poolbench compare RESULT RESULT…`. Runs that were not measured in
 * turn are treated as independent: the machine may have changed in between.
 *
 * @param runs results of `run`, or paths of a result.json or its folder
 * @param options.force also compares unequal workloads. @default false
 * @throws PoolbenchError RESULT_INVALID, RESULTS_NOT_COMPARABLE
 */
export async function compare(
  runs: readonly (Result | string)[],
  options: { readonly force?: boolean | undefined } = {},
): Promise<ResultComparison> {
  return await compareRuns(runs, options);
}

async function planOf(config: string | ExperimentConfig): Promise<Plan> {
  return typeof config === 'string' ? readPlan([config], {}) : planRun([checkConfig(config, 'the config')]);
}

function flagsOf({ noStandIn, force }: CheckOptions) {
  return { 'no-stand-in': noStandIn, force };
}

function resultOf({ sides, comparison }: RunOutcome, folder: string | null): RunResult {
  const [first, ...others] = sides.map(({ result }) => result);
  if (first === undefined) throw new Error('a run has one side at least');
  return { results: [first, ...others], comparison, folder };
}

function outletTo(onProgress: (progress: RunProgress) => void): Outlet {
  return {
    // The text may contain text from a server.
    say: text => onProgress({ kind: 'message', text: toPlainLines(text).trim() }),
    show: () => {},
    finished: ({ scenario, round, rounds }, result) =>
      onProgress({ kind: 'measured', scenario, round, rounds, result }),
    end: () => {},
  };
}
