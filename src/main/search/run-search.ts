import { join } from 'node:path';
import type { RoundResult } from '../../aggregate/result.ts';
import type { Search, SearchStep } from '../../aggregate/search/schema.ts';
import { describeStep, passes } from '../../aggregate/search/step-result.ts';
import { describeStepLine, formatSearchRate } from '../../aggregate/search/words.ts';
import { describeEnvironment } from '../environment.ts';
import { PoolbenchError } from '../errors.ts';
import type { Progress } from '../live/progress.ts';
import { writeSearch } from '../results/results-folder.ts';
import type { Side } from '../run/side.ts';
import { SideRun } from '../run/side-run.ts';
import { Threads } from '../run/threads.ts';
import { surroundingsOf } from '../target/find-target.ts';
import type { Target } from '../target/resolve.ts';
import { assembleSearch } from './assemble-search.ts';
import { findKnee } from './find-knee.ts';
import type { SearchPlan } from './plan-search.ts';

export interface SearchRun {
  readonly plan: SearchPlan;
  readonly target: Target;
  /** Where search.json and search.md go; the figures of the steps go into its folder `steps`. */
  readonly folder: string;
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  /** Loads a database that holds keys of others, too. */
  readonly force: boolean;
}

/** How a search ended: what it found, and the error that ended it early. */
export interface SearchOutcome {
  readonly search: Search;
  /** Whether all of its files were written. */
  readonly written: boolean;
  readonly error: Error | undefined;
}

/**
 * Searches, and writes what is found after every step. A lost target or a failed thread ends it early, with what was
 * found kept; its keys are removed and its threads ended either way. The target is left to the caller to stop.
 *
 * @throws PoolbenchError of the preflight, before any load
 */
export async function runSearch({
  plan,
  target,
  folder,
  progress,
  signal,
  force,
}: SearchRun): Promise<SearchOutcome> {
  const { scenario, conditions, range, at } = plan;
  const { name } = plan.experiment;
  const startedAt = new Date();
  const threads = new Threads(scenario.threads);
  // A threshold is for a run; most steps of a search are to be far from it.
  const experiment = { ...plan.experiment, thresholds: {} };
  const side: Side = { name, experiment, target, folder: join(folder, 'steps') };
  const run = new SideRun(side, { threads, startedAt, session: undefined, progress, signal, force });
  const surroundings = surroundingsOf(target, describeEnvironment().cores);
  const steps: SearchStep[] = [];
  /** Of the step that is under way. */
  let rounds: RoundResult[] = [];
  let rate = range.start;
  let repeats = 0;
  const conclude = (verdict: SearchStep['verdict']) => {
    const step = { step: steps.length + 1, rate, verdict };
    steps.push(describeStep(step, rounds, conditions, surroundings));
    rounds = [];
  };
  const assemble = (complete: boolean) =>
    assembleSearch({ plan, target, startedAt, steps, complete, warnings: run.warnings });
  const save = async (complete: boolean, final: boolean) => {
    const { written } = await run.save({ complete, final });
    const search = assemble(complete);
    await writeSearch(folder, search);
    if (written.error !== undefined) throw written.error;
  };

  let ended = false;
  let error: Error | undefined;
  try {
    await run.preflight();
    try {
      await run.claim();
      await run.prepare();
      progress.begin({});
      ended = await findKnee(range, {
        async repeat(wanted, { step, repeat }) {
          if (signal.aborted) return null;
          rate = wanted;
          const round = await run.measure(at(rate), {
            round: ++repeats,
            rounds: 0,
            index: 1,
            total: 1,
            place: `step ${step}  ${formatSearchRate(rate)}  repeat ${repeat}`,
          });
          // One that was cut short is no repeat.
          if (signal.aborted || round === null) return null;
          rounds.push(round);
          return passes(round, conditions);
        },
        async concluded({ verdict }) {
          conclude(verdict);
          const last = steps.at(-1);
          if (last !== undefined) progress.say(describeStepLine(last));
          await save(false, false);
        },
      });
    } catch (cause) {
      error = cause instanceof Error ? cause : new Error(String(cause));
    } finally {
      progress.end();
      await run.removeKeys();
    }
  } finally {
    await threads.close();
  }
  if (rounds.length > 0) conclude('unfinished');
  let written = true;
  await save(ended, true).catch((cause: unknown) => {
    if (!(cause instanceof PoolbenchError)) throw cause;
    written = false;
    error ??= cause;
  });
  return { search: assemble(ended), written, error };
}
