import { formatPlural } from '../../aggregate/format.ts';
import type { Result, RoundResult } from '../../aggregate/result.ts';
import type { Address } from '../../pool/address.ts';
import type { Experiment } from '../config/experiment.ts';
import { PoolbenchError } from '../errors.ts';
import { planRun } from '../plan/rounds.ts';
import { connectionsNeeded } from '../plan/scenarios.ts';
import { claimKeySpace, prefill, removeKeySpace } from '../target/key-space.ts';
import { preflight } from '../target/preflight.ts';
import type { Target } from '../target/resolve.ts';
import { withoutSecrets } from '../target/url.ts';
import { assembleResult, type RunState } from './assemble.ts';
import type { Bench } from './measure.ts';
import { measureRound } from './measure-round.ts';
import type { Progress } from './progress.ts';
import { writeResults } from './results-folder.ts';
import { shakeDown } from './shake-down.ts';
import { TargetWatch } from './target-watch.ts';
import { ConnectRefused, Threads } from './threads.ts';

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
  readonly error: Error | undefined;
}

/**
 * Measures every scenario in every round and writes the results. A lost target or a failed thread ends the run early,
 * with what was measured kept; the run's keys are removed and its threads ended either way.
 *
 * @throws PoolbenchError of the preflight, before any load
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

  // A folder that fills up must not end a run: what is measured can still be printed.
  const save = async (complete: boolean): Promise<{ result: Result; unwritten: Error | undefined }> => {
    const result = assembleResult(state(complete));
    try {
      await writeResults(folder, result);
      return { result, unwritten: undefined };
    } catch (cause) {
      if (!(cause instanceof PoolbenchError)) throw cause;
      if (!complete) warn([cause.message]);
      return { result, unwritten: cause };
    }
  };

  let error: Error | undefined;
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
        if (index + 1 < plan.rounds.length) await save(false);
      }
    } catch (cause) {
      error = asEnding(cause, target.address);
    } finally {
      // A target that is lost keeps its keys; the claim tells the next run whose they are.
      const removal = await removeKeySpace(target.control, space).catch(() => ({
        left: space.keys,
        reason: 'it is gone',
      }));
      if (removal.left > 0) {
        warn([
          `${formatPlural(removal.left, 'key')} under ${space.prefix} could not be removed: ${removal.reason}`,
        ]);
      }
    }
  } finally {
    await threads.close();
  }
  const { result, unwritten } = await save(error === undefined && !signal.aborted);
  return { result, error: error ?? unwritten };
}

/** What ended the run, for its user; what no user can mend stays as it is, a defect. */
function asEnding(cause: unknown, address: Address): Error {
  if (!(cause instanceof ConnectRefused)) return cause instanceof Error ? cause : new Error(String(cause));
  return new PoolbenchError(
    'THREAD_FAILED',
    `expected every thread to open its connections, but one was refused: ${withoutSecrets(cause.message, address)}`,
    { cause },
  );
}
