import { falseVerdictChance } from '../statistics.ts';
import { formatMeasured } from '../text/claim-words.ts';
import { formatList, formatPlural, nothing, toOneLine } from '../text/format.ts';
import { targetBanners } from '../text/target-words.ts';
import type { Ledger, LedgerEntry, LedgerSuite } from './ledger.ts';

/** The sentences that every rendering of a ledger has. Text from outside is one line, unescaped. */

/** What to shout before and after the entries. */
export function describeAlarms(ledger: Ledger): string[] {
  const unfinished = describeUnfinished(ledger);
  return [...targetBanners(ledger), ...(unfinished === null ? [] : [unfinished])];
}

function describeUnfinished({ complete, suites }: Ledger): string | null {
  if (complete) return null;
  const possible = suites.filter(({ state }) => state !== 'impossible');
  const done = possible.filter(({ state }) => state === 'complete').length;
  return `INCOMPLETE: ${done} of ${formatPlural(possible.length, 'suite')} ran to the end.`;
}

/** "×1.41 [1.35, 1.47]", "0.412 [0.401, 0.430] ms", or a dash. */
export function describeFigure(entry: LedgerEntry): string {
  return formatMeasured(entry) ?? nothing;
}

/** How many of the verdicts could be luck, all predictions of all claims together; null where none was reached. */
export function describeLuck({ entries, suites }: Ledger): string | null {
  const roundsOf = new Map(suites.map(({ name, rounds }) => [name, rounds]));
  const chances = entries
    .filter(isDecided)
    .map(({ suite, predictions }) => falseVerdictChance(roundsOf.get(suite) ?? 0, predictions));
  if (chances.length === 0) return null;
  const expected = chances.reduce((sum, chance) => sum + chance, 0);
  const these = chances.length === 1 ? 'this verdict' : `these ${formatPlural(chances.length, 'verdict')}`;
  return `If every truth lay exactly on its threshold, chance alone would make up to ${Number(expected.toPrecision(2))} of ${these} false.`;
}

/** What decided; of an entry that has no such line its reason. */
export function describeGist({ gist, reason }: LedgerEntry): string {
  return gist || reason;
}

function isDecided({ verdict }: LedgerEntry): boolean {
  return verdict === 'supported' || verdict === 'refuted';
}

/** Of suites that no command runs alone, what does; null where there is none. */
export function describeUnrunnable(suites: readonly LedgerSuite[]): string | null {
  const names = suites.filter(({ command }) => command === null).map(({ name }) => toOneLine(name));
  return names.length === 0
    ? null
    : `${formatList(names)}: by npm run claims -- … only, as it takes two servers.`;
}

/** "client, nothing saturated", or a dash. */
export function describeLimits({ limitedBy }: LedgerEntry): string {
  const named = limitedBy.map(resource => (resource === 'none' ? 'nothing saturated' : resource));
  return named.length === 0 ? nothing : toOneLine(named.join(', '));
}
