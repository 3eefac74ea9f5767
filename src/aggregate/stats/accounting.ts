import type { Result, RoundResult, ScenarioResult } from '../result.ts';
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
  for (const [code, count] of counts.flatMap(byCode => Object.entries(byCode))) {
    sums.set(code, (sums.get(code) ?? 0) + count);
  }
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Where the books of a run do not balance, a sentence each. Issued operations are completed, failed or unfinished; if
 * they are not, poolbench itself is at fault. What the server counted lies between completed and issued, for it may
 * have run an operation whose reply was lost. It can exceed issued by what failed in the warm-up: the server may have
 * run those too, and nobody knows which. If it is off by more than 1 %, somebody else used these commands too.
 */
export function findImbalances(result: Pick<Result, 'scenarios'>): string[] {
  return result.scenarios.flatMap(scenario => [...unbalancedRounds(scenario), ...serverDisagrees(scenario)]);
}

function unbalancedRounds(scenario: ScenarioResult): string[] {
  return scenario.rounds.flatMap(round => {
    const accounted = round.completed + failedOf(round) + round.unfinished;
    const { openLoop } = round;
    if (openLoop !== null && (openLoop.unsent < 0 || openLoop.offered !== round.issued + openLoop.unsent)) {
      return (
        `A defect of poolbench, please report it: in round ${round.round} of ${scenario.id}, ` +
        `${formatCount(openLoop.offered)} operations were due, but ${formatCount(round.issued)} were issued and ` +
        `${formatCount(openLoop.unsent)} were not.`
      );
    }
    if (accounted === round.issued) return [];
    return (
      `A defect of poolbench, please report it: in round ${round.round} of ${scenario.id}, ` +
      `${formatCount(round.issued)} operations were issued, but ${formatCount(accounted)} are accounted for ` +
      '(completed + failed + unfinished).'
    );
  });
}

function serverDisagrees(scenario: ScenarioResult): string[] {
  const { completed, issued, serverCalls } = accountOf(scenario.rounds);
  if (serverCalls === null || (serverCalls >= completed * 0.99 && serverCalls <= issued * 1.01)) return [];
  return [
    `The server counted ${formatCount(serverCalls)} commands in ${scenario.id}, poolbench ${formatCount(completed)} ` +
      `completed of ${formatCount(issued)} issued: did somebody else use the server?`,
  ];
}
