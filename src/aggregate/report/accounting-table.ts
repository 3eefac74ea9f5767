import { type Account, accountOf, sumByCode } from '../accounting.ts';
import type { ScenarioResult } from '../result.ts';
import { formatCount, formatShare, nothing } from '../text/format.ts';
import { numberColumn, type Table, textColumn } from '../text/table.ts';

/** What became of the operations of one scenario. */
export interface Row {
  readonly id: string;
  readonly failedByCode: Readonly<Record<string, number>>;
  readonly account: Account;
}

export function accountingTable(
  scenarios: readonly ScenarioResult[],
): Table<Row> & { readonly note: string } {
  const rows = scenarios.map(
    ({ id, rounds }): Row => ({
      id,
      failedByCode: sumByCode(rounds.map(round => round.failed)),
      account: accountOf(rounds),
    }),
  );
  const open = scenarios.some(({ rounds }) => rounds.some(round => round.openLoop !== null));
  const told = scenarios.some(({ rounds }) => rounds.some(round => round.hits !== null));
  const clustered = rows.some(({ account }) => account.redirects !== null);
  return {
    note: `Over all rounds: issued = completed + failed + unfinished${open ? '; offered = issued + unsent' : ''}. The server's count is that of its \`commandstats\`.`,
    rows,
    columns: [
      textColumn('scenario', row => row.id),
      ...(open
        ? [
            numberColumn<Row>('offered', row => formatCount(row.account.offered)),
            numberColumn<Row>('unsent', row => formatCount(row.account.unsent)),
          ]
        : []),
      numberColumn('issued', row => formatCount(row.account.issued)),
      numberColumn('completed', row => formatCount(row.account.completed)),
      textColumn('failed', row => formatFailed(row.failedByCode, row.account)),
      numberColumn('unfinished', row => formatCount(row.account.unfinished)),
      ...(told
        ? [
            numberColumn<Row>('hits', ({ account }) =>
              account.hits === null ? nothing : formatCount(account.hits),
            ),
          ]
        : []),
      numberColumn('misses', row => formatCount(row.account.misses)),
      numberColumn('over range', row => formatCount(row.account.overRange)),
      numberColumn("server's count", row => formatServerCalls(row.account)),
      ...(clustered ? [textColumn('redirected', (row: Row) => formatRedirects(row.account))] : []),
    ],
  };
}

function formatFailed(byCode: Readonly<Record<string, number>>, { failed, issued }: Account): string {
  if (failed === 0) return '0';
  const counts = Object.entries(byCode).map(([code, count]) => `${code} ${formatCount(count)}`);
  return `${counts.join(', ')} (${formatShare(failed / issued)})`;
}

function formatRedirects({ redirects }: Account): string {
  if (redirects === null) return nothing;
  return `MOVED ${formatCount(redirects.moved)}, ASK ${formatCount(redirects.ask)}`;
}

/** The count, and by how much it differs from what poolbench saw completed. */
function formatServerCalls({ serverCalls, completed }: Account): string {
  if (serverCalls === null) return nothing;
  const more = serverCalls - completed;
  const sign = more === 0 ? '±' : more > 0 ? '+' : '−';
  return `${formatCount(serverCalls)} (${sign}${formatCount(Math.abs(more))})`;
}
