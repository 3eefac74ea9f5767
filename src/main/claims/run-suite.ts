import { join } from 'node:path';
import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import type { JudgedSuite } from '../../aggregate/ledger/ledger.ts';
import type { Progress } from '../live/progress.ts';
import type { PlannedSide } from '../plan/sides.ts';
import { makeFolder, notWritable, writeComparison } from '../results/results-folder.ts';
import { describeEarlier } from '../run/earlier-run.ts';
import { runSides } from '../run/run-sides.ts';
import type { Side } from '../run/side.ts';
import type { Target } from '../target/resolve.ts';
import { resultOf } from './ledger-folder.ts';
import type { PlannedSuite } from './plan-suites.ts';
import { readUnfinished } from './unfinished-suite.ts';

/** What all suites of a ledger share. */
export interface SuiteRun {
  /** The ledger's. */
  readonly folder: string;
  readonly target: Target;
  /** Finds the server that a suite compares the target with. */
  readonly findOther: (side: PlannedSide) => Promise<Target>;
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  /** Loads a database that holds keys of others, too. */
  readonly force: boolean;
}

/** A suite that has run, and the error that ended it early. */
export interface SuiteOutcome {
  readonly suite: JudgedSuite;
  readonly error: Error | undefined;
}

/** Measures a suite into a folder of its own, or goes on with what an earlier command has left there; what ends it early it returns. */
export async function runSuite(suite: PlannedSuite, run: SuiteRun): Promise<SuiteOutcome> {
  const others: Target[] = [];
  try {
    const targets: Target[] = [];
    for (const [index, side] of suite.sides.entries()) {
      if (index === suite.own) targets.push(run.target);
      else {
        const other = await run.findOther(side);
        others.push(other);
        targets.push(other);
      }
    }
    return await measure(suite, await makeSides(suite, targets, run.folder), run);
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    return { suite: { ...suite.shown, state: 'failed', note: sayError(error), judged: null }, error };
  } finally {
    for (const other of others) await other.stop();
  }
}

async function measure(suite: PlannedSuite, sides: Side[], run: SuiteRun): Promise<SuiteOutcome> {
  const [own] = sides;
  const earlier = own === undefined || sides.length > 1 ? undefined : await readUnfinished(own);
  if (earlier !== undefined) run.progress.say(describeEarlier(earlier));
  const { progress, signal, force } = run;
  const { results, error } = await runSides({ sides, progress, signal, force, suite: suite.name, earlier });
  let claims = results[0]?.claims ?? [];
  if (suite.opponents !== null) {
    const comparison = compareResults(results);
    await writeComparison(join(run.folder, suite.name), comparison);
    claims = comparison.claims;
  }
  const shown = { ...suite.shown, result: resultOf(suite) };
  if (error !== undefined) {
    return { suite: { ...shown, state: 'failed', note: sayError(error), judged: null }, error };
  }
  const complete = results.every(result => result.complete);
  return {
    suite: complete
      ? { ...shown, state: 'complete', judged: claims }
      : { ...shown, state: 'unfinished', note: 'It was interrupted.', judged: null },
    error,
  };
}

async function makeSides(suite: PlannedSuite, targets: readonly Target[], folder: string): Promise<Side[]> {
  const sides: Side[] = [];
  for (const [index, target] of targets.entries()) {
    const planned = suite.sides[index];
    if (planned === undefined) continue;
    const own = join(folder, suite.name, ...(suite.opponents === null ? [] : [planned.name]));
    try {
      await makeFolder(own);
    } catch (error) {
      throw notWritable(folder, error);
    }
    sides.push({ ...planned, target, folder: own });
  }
  return sides;
}

/** The first line of what went wrong, as a sentence. */
function sayError({ message }: Error): string {
  return `It failed: ${message.split('\n', 1)[0]?.replace(/[.:]$/, '')}.`;
}
