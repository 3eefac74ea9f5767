import type { Result, RoundResult } from '../result.ts';
import { formatCount } from '../text/format.ts';
import { failedOf } from './metrics.ts';

/** What the books of one scenario say over all of its rounds. */
export interface Account {
  /** In open loops, what was due; 0 in closed ones. */
  readonly offered: number;
  readonly unsent: number;
  readonly issued: number;
  readonly completed: number;
  readonly failed: number;
  readonly unfinished: number;
  readonly misses: number;
  /** Null if they are not known for every round. */
  readonly hits: number | null;
  readonly overRange: number;
  /** Null if the server's count is not known for every round. */
  readonly serverCalls: number | null;
  /** Redirections that were followed; null: a server alone. */
  readonly redirects: RoundResult['redirects'];
}

/** Sums a scenario's books over its rounds. */
export function accountOf(rounds: readonly RoundResult[]): Account {
  const sum = (count: (round: RoundResult) => number) =>
    rounds.reduce((total, round) => total + count(round), 0);
  const counted = rounds.length > 0 && rounds.every(round => round.serverCalls !== null);
  return {
    offered: sum(round => round.openLoop?.offered ?? 0),
    unsent: sum(round => round.openLoop?.unsent ?? 0),
    issued: sum(round => round.issued),
    completed: sum(round => round.completed),
    failed: sum(failedOf),
    unfinished: sum(round => round.unfinished),
    misses: sum(round => round.misses),
    hits:
      rounds.length > 0 && rounds.every(round => round.hits !== null) ? sum(round => round.hits ?? 0) : null,
    overRange: sum(round => round.overRange),
    serverCalls: counted ? sum(round => round.serverCalls ?? 0) : null,
    redirects: rounds.some(round => round.redirects !== null)
      ? { moved: sum(round => round.redirects?.moved ?? 0), ask: sum(round => round.redirects?.ask ?? 0) }
      : null,
  };
}

/** For how long a run went on, without the gaps after which it was resumed; null where its times are no dates. */
export function tookSeconds({
  startedAt,
  finishedAt,
  resumed = [],
}: Pick<Result, 'startedAt' | 'finishedAt' | 'resumed'>): number | null {
  const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
  if (!Number.isFinite(seconds)) return null;
  return Math.max(0, seconds - resumed.reduce((sum, { gapSeconds }) => sum + gapSeconds, 0));
}

/** Adds up counts by error code, codes in alphabetical order. */
export function sumByCode(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [code, count] of counts.flatMap(byCode => Object.entries(byCode)))
    sums.set(code, (sums.get(code) ?? 0) + count);
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * A sentence for each place where the books of a run do not balance. Issued operations are completed, failed or
 * unfinished; if not, poolbench itself is at fault. The server's count lies between completed and issued, because it may
 * have run an operation whose reply was lost. It exceeds issued by what failed in the warm-up, if the server ran that.
 * If it is off by more than 1 %, somebody else used these commands too.
 */
export function findImbalances({ scenarios }: Pick<Result, 'scenarios'>): string[] {
  return scenarios.flatMap(({ id, rounds }) => [
    ...rounds.flatMap(round => {
      const imbalance = describeImbalance(round);
      return imbalance === null
        ? []
        : `A defect of poolbench, please report it: in round ${round.round} of ${id}, ${imbalance}.`;
    }),
    ...describeServerCount(id, rounds),
  ]);
}

function describeImbalance(round: RoundResult): string | null {
  const { issued, completed, unfinished, openLoop } = round;
  if (openLoop !== null && (openLoop.unsent < 0 || openLoop.offered !== issued + openLoop.unsent)) {
    const [due, sent, unsent] = [openLoop.offered, issued, openLoop.unsent].map(formatCount);
    return `${due} operations were due, but ${sent} were issued and ${unsent} were not`;
  }
  const accounted = completed + failedOf(round) + unfinished;
  return accounted === issued
    ? null
    : `${formatCount(issued)} operations were issued, but ${formatCount(accounted)} are accounted for (completed + failed + unfinished)`;
}

function describeServerCount(id: string, rounds: readonly RoundResult[]): string[] {
  const { completed, issued, serverCalls } = accountOf(rounds);
  if (serverCalls === null || (serverCalls >= completed * 0.99 && serverCalls <= issued * 1.01)) return [];
  return [
    `The server counted ${formatCount(serverCalls)} commands in ${id}, poolbench ${formatCount(completed)} ` +
      `completed of ${formatCount(issued)} issued: did somebody else use the server?`,
  ];
}
