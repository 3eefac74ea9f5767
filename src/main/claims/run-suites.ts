import type { JudgedSuite } from '../../aggregate/ledger/ledger.ts';
import { minRounds } from '../../aggregate/statistics.ts';
import { formatDuration } from '../../aggregate/text/duration.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { PoolbenchError } from '../errors.ts';
import type { PlannedSuite } from './plan-suites.ts';
import { runSuite, type SuiteRun } from './run-suite.ts';

/**
 * Runs the suites that have not run to their end, one after another. One that fails does not take the others with it,
 * unless its failure will be theirs. An interrupt ends them all.
 *
 * @param suites where each stands, in the order of the plan
 * @param keep is given that anew after each suite
 * @returns the error that ended them all, else the first that ended one
 */
export async function runSuites(
  plan: readonly PlannedSuite[],
  suites: readonly JudgedSuite[],
  run: SuiteRun,
  keep: (suites: readonly JudgedSuite[]) => Promise<void>,
): Promise<Error | undefined> {
  const isOver = (state?: JudgedSuite['state']) => state === 'complete' || state === 'impossible';
  const toRun = plan.filter((_, index) => !isOver(suites[index]?.state));
  run.progress.say(describeSuites(plan, toRun));
  const now = [...suites];
  let first: Error | undefined;
  for (const [place, suite] of toRun.entries()) {
    if (run.signal.aborted) break;
    run.progress.say(describeNext(toRun, place));
    const outcome = await runSuite(suite, run);
    now[plan.indexOf(suite)] = outcome.suite;
    await keep(now);
    const { error } = outcome;
    if (error === undefined) continue;
    if (endsAll(error)) return error;
    first ??= error;
    run.progress.say(`warning: suite ${suite.name} failed: ${error.message}`);
  }
  return first;
}

function endsAll(error: Error): boolean {
  if (!(error instanceof PoolbenchError)) return true;
  return ['TARGET_LOST', 'TARGET_IN_USE', 'RESULTS_NOT_WRITABLE'].includes(error.code);
}

function describeSuites(plan: readonly PlannedSuite[], toRun: readonly PlannedSuite[]): string {
  if (toRun.length === 0) return 'Every suite has run.';
  const claims = toRun.reduce((sum, suite) => sum + suite.claims.length, 0);
  const which = toRun.length === plan.length ? '' : ` of ${plan.length}`;
  const few = toRun.some(({ shown }) => shown.rounds < minRounds)
    ? `\nNo verdict is to be had from so few rounds: it takes ${minRounds}.`
    : '';
  return `Claims: ${toRun.length}${which} suites for ${formatPlural(claims, 'claim')}, about ${sayDuration(toRun)} in all.${few}`;
}

function describeNext(toRun: readonly PlannedSuite[], place: number): string {
  const { name, claims, shown } = toRun[place] as PlannedSuite;
  const left = toRun.slice(place);
  const ids = claims.map(({ id }) => id).join(', ');
  const size = `${formatPlural(shown.scenarios, 'scenario')} × ${formatPlural(shown.rounds, 'round')}`;
  return (
    `\nSuite ${place + 1} of ${toRun.length}: ${name} (${ids}), ${size}, about ${sayDuration(left.slice(0, 1))}` +
    `${left.length > 1 ? `; about ${sayDuration(left)} left in all` : ''}`
  );
}

function sayDuration(suites: readonly PlannedSuite[]): string {
  return formatDuration(suites.reduce((sum, suite) => sum + suite.estimatedSeconds, 0));
}
