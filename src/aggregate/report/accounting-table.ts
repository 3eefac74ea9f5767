import type { RoundResult, ScenarioResult } from '../result.ts';
import { type Account, accountOf, accountOfAll, sumByCode } from '../stats/accounting.ts';
import { loadsOf } from '../stats/populations.ts';
import { formatCount, formatFraction, formatKnown, nothing } from '../text/format.ts';
import { type Block, codeSpan, figures, note, table, words } from './blocks.ts';

/** What became of the operations of one load, or of all loads that ran at the same time. */
interface AccountRow {
  readonly id: string;
  readonly failedByCode: Readonly<Record<string, number>>;
  readonly account: Account;
}

/** A row for each load of a scenario, and one for all of them together, as the server may know only their sum. */
function accountRows(scenario: ScenarioResult): AccountRow[] {
  const loads = loadsOf(scenario);
  const row = (id: string, rounds: readonly RoundResult[], account: Account): AccountRow => ({
    id,
    account,
    failedByCode: sumByCode(rounds.map(round => round.failed)),
  });
  const each = loads.map(({ id, rounds }) => row(id, rounds, accountOf(rounds)));
  if (loads.length === 1) return each;
  const all = loads.flatMap(({ rounds }) => rounds);
  return [...each, row(`${scenario.id}, all loads`, all, accountOfAll(scenario.rounds))];
}

/** Where every operation went. */
export function accountingBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const loads = scenarios.flatMap(loadsOf);
  const rows = scenarios.flatMap(accountRows);
  const isOpen = loads.some(({ rounds }) => rounds.some(round => round.openLoop !== null));
  const hasHits = loads.some(({ rounds }) => rounds.some(round => round.hits !== null));
  const readsReplicas = rows.some(({ account }) => account.readCalls !== null);
  const isClustered = rows.some(({ account }) => account.redirects !== null);
  const count = (name: string, figure: (account: Account) => number | null) =>
    figures<AccountRow>(name, ({ account }) => formatKnown(figure(account), formatCount));
  return [
    note([
      `Over all rounds: issued = completed + failed + unfinished${isOpen ? '; offered = issued + unsent' : ''}. The server's count is that of its `,
      codeSpan('commandstats'),
      `.${readsReplicas ? ' Reads by replicas include those of the warm-up, and their percentage is of all reads.' : ''}`,
    ]),
    table(rows, [
      words('scenario', row => row.id),
      ...(isOpen
        ? [
            // A closed loop has none.
            count('offered', account => account.offered || null),
            count('unsent', account => account.unsent),
          ]
        : []),
      count('issued', account => account.issued),
      count('completed', account => account.completed),
      words('failed', formatFailed),
      count('unfinished', account => account.unfinished),
      ...(hasHits ? [count('hits', account => account.hits)] : []),
      count('misses', account => account.misses),
      count('over range', account => account.overRange),
      figures("server's count", row => formatServerCalls(row.account)),
      ...(readsReplicas
        ? [figures<AccountRow>('reads by replicas', row => formatReadCalls(row.account))]
        : []),
      ...(isClustered ? [words<AccountRow>('redirected', row => formatRedirects(row.account))] : []),
    ]),
  ];
}

function formatFailed({ failedByCode, account: { failed, issued } }: AccountRow): string {
  if (failed === 0) return '0';
  const counts = Object.entries(failedByCode).map(([code, count]) => `${code} ${formatCount(count)}`);
  return `${counts.join(', ')} (${formatFraction(failed / issued)})`;
}

/** The number of reads that replicas answered, and its fraction of all reads, by the servers' own count. */
function formatReadCalls({ readCalls }: Account): string {
  if (readCalls === null) return nothing;
  const { all, ofReplicas } = readCalls;
  return `${formatCount(ofReplicas)}${all === 0 ? '' : ` (${formatFraction(ofReplicas / all)})`}`;
}

function formatRedirects({ redirects }: Account): string {
  if (redirects === null) return nothing;
  return `MOVED ${formatCount(redirects.moved)}, ASK ${formatCount(redirects.ask)}`;
}

/** The count, and its difference from the operations that poolbench saw completed. */
function formatServerCalls({ serverCalls, completed }: Account): string {
  if (serverCalls === null) return nothing;
  const more = serverCalls - completed;
  const sign = more === 0 ? '±' : more > 0 ? '+' : '−';
  return `${formatCount(serverCalls)} (${sign}${formatCount(Math.abs(more))})`;
}
