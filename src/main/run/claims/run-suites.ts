import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { JudgedSuite, LedgerSuite } from '../../../aggregate/claims/ledger.ts';
import { compareResults } from '../../../aggregate/comparison/compare-results.ts';
import { resultName } from '../../../aggregate/report/files/result-files.ts';
import { minRounds } from '../../../aggregate/stats/sign-test.ts';
import { formatDuration, formatPlural } from '../../../aggregate/text/format.ts';
import { asError, type ErrorCode, firstLine, PoolbenchError } from '../../errors.ts';
import { keptClients } from '../../experiment/clients.ts';
import { describeRounds } from '../../experiment/describe-plan.ts';
import { type Plan, secondsAtLeast } from '../../experiment/plan.ts';
import { hashFiles } from '../../experiment/workload-files.ts';
import type { Target } from '../../server/find-target.ts';
import { keptConfig } from '../assemble.ts';
import {
  describeEarlier,
  type EarlierRun,
  expectSameFiles,
  readLeftResult,
  resumeNow,
} from '../earlier-run.ts';
import { describeLeftKeys } from '../left-keys.ts';
import { makeFolder, notWritable, writeComparison } from '../results/results-folder.ts';
import { runPlan } from '../rounds.ts';
import type { Session } from '../session.ts';
import type { Side } from '../side.ts';
import { measuredOf, resultOf } from './ledger-folder.ts';
import type { PlannedSuite } from './plan-suites.ts';

/** A ledger stores what was measured on every side. */
type SuiteSide = Side & { readonly folder: string };

/** A suite that has run, and the error that ended it early. */
interface SuiteOutcome {
  readonly suite: JudgedSuite;
  readonly error: Error | undefined;
}

/**
 * Runs the unfinished suites one after another. If one fails, the others still run, unless they would fail for the same
 * reason. An interrupt ends them all.
 *
 * @param suites the state of each suite, in the order of the plan
 * @param target the ledger's
 * @param keep called with the new states after each suite
 * @returns the error that ended all suites, or the first error that ended one
 */
export async function runSuites(
  plan: readonly PlannedSuite[],
  suites: readonly JudgedSuite[],
  { session, target }: { readonly session: Session; readonly target: Target },
  keep: (suites: readonly JudgedSuite[]) => Promise<void>,
): Promise<Error | undefined> {
  const { progress } = session;
  const isOver = (state?: JudgedSuite['state']) => state === 'complete' || state === 'impossible';
  const toRun = plan.filter((_, index) => !isOver(suites[index]?.state));
  progress.say(describeSuites(plan, toRun));
  const now = [...suites];
  let first: Error | undefined;
  for (const [place, suite] of toRun.entries()) {
    if (session.interrupted) break;
    progress.say(describeNext(toRun, place));
    const outcome = await runSuite(suite, session, target);
    now[plan.indexOf(suite)] = outcome.suite;
    await keep(now);
    const { error } = outcome;
    if (error === undefined) continue;
    if (endsAll(error)) return error;
    first ??= error;
    progress.say(`warning: suite ${suite.name} failed: ${error.message}`);
  }
  return first;
}

function endsAll(error: Error): boolean {
  if (!(error instanceof PoolbenchError)) return true;
  const codes: readonly ErrorCode[] = [
    ...(['TARGET_LOST', 'TARGET_IN_USE', 'RESULTS_NOT_WRITABLE'] as const),
    // All suites use the same agents.
    ...(['AGENT_LOST', 'AGENT_REFUSED', 'CONTROL_LOST'] as const),
  ];
  return codes.includes(error.code);
}

/**
 * Runs a suite in its own folder, or continues what an earlier command left there. An error that ends it early is
 * returned.
 */
async function runSuite(suite: PlannedSuite, session: Session, own: Target): Promise<SuiteOutcome> {
  const others: Target[] = [];
  try {
    const sides: SuiteSide[] = [];
    for (const [index, side] of suite.plan.sides.entries()) {
      let target = own;
      if (index !== suite.own) {
        target = await session.openTarget(side.experiment, { side: side.name, onFreePort: true });
        others.push(target);
      }
      // Each of several sides has a folder in the suite's folder.
      const folder = join(session.resultsFolder, suite.name, suite.opponents === null ? '' : side.name);
      sides.push({ ...side, clients: suite.clients, target, folder });
    }
    for (const { folder } of sides) {
      await makeFolder(folder).catch((error: unknown) => {
        throw notWritable(session.resultsFolder, error);
      });
    }
    return await runSides(suite, sides, session);
  } catch (cause) {
    const error = asError(cause);
    return { suite: failed({ ...suite.shown, rounds: 0 }, error), error };
  } finally {
    for (const other of others) await session.closeTarget(other);
  }
}

async function runSides(
  suite: PlannedSuite,
  sides: readonly SuiteSide[],
  session: Session,
): Promise<SuiteOutcome> {
  const { plan, name } = suite;
  const [only] = sides;
  const earlier = only === undefined || sides.length > 1 ? undefined : await readUnfinished(only, plan);
  if (earlier !== undefined) session.progress.say(describeEarlier(earlier));
  const outcome = await runPlan(plan, { sides, session, suite: name, earlier });
  const results = outcome.sides.map(({ result }) => result);
  const own = results[suite.own];
  for (const [index, { folder }] of sides.entries()) {
    const result = results[index];
    const left = result && folder !== null && describeLeftKeys(result, folder);
    if (left) session.progress.say(left);
  }
  let claims = results[0]?.claims ?? [];
  if (suite.opponents !== null) {
    const comparison = compareResults(results);
    await writeComparison(join(session.resultsFolder, name), comparison);
    claims = comparison.claims;
  }
  const { error } = outcome;
  const shown = { ...suite.shown, result: resultOf(suite) };
  const measured = { ...shown, ...measuredOf(own) };
  if (error !== undefined) return { suite: failed(measured, error), error };
  if (results.every(({ complete }) => complete))
    return { suite: { ...measured, state: 'complete', judged: claims }, error };
  return { suite: { ...measured, state: 'unfinished', note: 'It was interrupted.', judged: null }, error };
}

/**
 * What an earlier command left of an unfinished suite with one side; undefined if there is nothing, or if its config or
 * client versions differ.
 *
 * @throws PoolbenchError RESULT_INVALID
 */
async function readUnfinished(side: SuiteSide, plan: Plan): Promise<EarlierRun | undefined> {
  const { folder, experiment, target, clients } = side;
  const file = join(folder, resultName);
  if (!existsSync(file)) return undefined;
  const found = await readLeftResult(file);
  const { result } = found;
  const left = JSON.stringify([result.config, result.clients]);
  const planned = JSON.stringify([keptConfig(experiment, target), keptClients(clients)]);
  if (result.complete || left !== planned) return undefined;
  expectSameFiles(result.files, await hashFiles(result.config));
  return resumeNow(found, plan, folder);
}

/** A suite that ended with an error; its note has the first line of the message. */
function failed(shown: LedgerSuite, error: Error): JudgedSuite {
  const note = `It failed: ${firstLine(error).replace(/[.:]$/, '')}.`;
  return { ...shown, state: 'failed', note, judged: null };
}

function describeSuites(plan: readonly PlannedSuite[], toRun: readonly PlannedSuite[]): string {
  if (toRun.length === 0) return 'Every suite has run.';
  const claims = toRun.reduce((sum, suite) => sum + suite.claims.length, 0);
  const which = toRun.length === plan.length ? '' : ` of ${plan.length}`;
  const few = toRun.some(({ shown }) => shown.rounds < minRounds)
    ? `\nThese are too few rounds for a verdict, which needs ${minRounds}.`
    : '';
  return `Claims: ${toRun.length}${which} suites for ${formatPlural(claims, 'claim')}, about ${formatDurationOf(toRun)} in all.${few}`;
}

function describeNext(toRun: readonly PlannedSuite[], place: number): string {
  const { name, claims, shown, plan } = toRun[place] as PlannedSuite;
  const left = toRun.slice(place);
  const ids = claims.map(({ id }) => id).join(', ');
  const size = `${formatPlural(shown.scenarios, 'scenario')} × ${describeRounds(plan.rounds)}`;
  return (
    `\nSuite ${place + 1} of ${toRun.length}: ${name} (${ids}), ${size}, about ${formatDurationOf(left.slice(0, 1))}` +
    `${left.length > 1 ? `; about ${formatDurationOf(left)} left in all` : ''}`
  );
}

function formatDurationOf(suites: readonly PlannedSuite[]): string {
  const total = (seconds: (suite: PlannedSuite) => number) =>
    formatDuration(suites.reduce((sum, suite) => sum + seconds(suite), 0));
  const [least, most] = [total(({ plan }) => secondsAtLeast(plan)), total(suite => suite.estimatedSeconds)];
  return least === most ? most : `${least} to ${most}`;
}
