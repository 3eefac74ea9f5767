import type { ScenarioResult } from '../../result.ts';
import { median } from '../../stats/statistics.ts';
import { wholeRounds } from '../../stats/whole-rounds.ts';
import { formatList, formatPlural, formatShare } from '../../text/format.ts';

/** A p99 is the best of the worst 1 %: the cold operations must be twice as many for it to be one of theirs for sure. */
const leastSeen = 0.02;

/** Why these arms did not start cold inside the measured window, as a clause; null if they did, in every whole round. */
export function findWarmStart(arms: readonly ScenarioResult[]): string | null {
  for (const arm of arms) {
    const rounds = wholeRounds(arm.rounds);
    const early = rounds.find(({ poolMetrics }) => poolMetrics.createdBefore > 0);
    if (early) return `${arm.id} had connections before the window of round ${early.round}`;
    const none = rounds.find(({ poolMetrics }) => poolMetrics.created === 0);
    if (none) return `${arm.id} created no connection in the window of round ${none.round}`;
  }
  return null;
}

/** Why a p99 cannot see the start of those of these arms that start cold, as a clause; null if it can, in all of them. */
export function findThinStart(arms: readonly ScenarioResult[]): string | null {
  const thin = arms.filter(startsCold).find(arm => coldShare(arm) < leastSeen);
  if (thin === undefined) return null;
  return `the operations that the cold start holds up are only ${(coldShare(thin) * 100).toFixed(2)} % of those of ${thin.id}, and below ${leastSeen * 100} % a p99 need not see them`;
}

/** How much of a window the start is: the first operation of every worker without a connection, as a share of all. */
export function sayColdShare(arms: readonly ScenarioResult[]): string[] {
  const shares = arms
    .filter(startsCold)
    .map(
      arm =>
        `${formatShare(coldShare(arm))} with minIdle ${arm.minIdle} at ${formatPlural(arm.workers, 'worker')} (${arm.client})`,
    );
  return shares.length === 0
    ? []
    : [
        `The first operations of the workers for which no connection was open are ${formatList(shares)} of the window's.`,
      ];
}

/** "first 0.05 s", of a load that began with the window. */
export function sayWindow(arms: readonly ScenarioResult[]): string {
  const seconds = arms.flatMap(({ rounds }) => rounds.map(round => round.seconds));
  return seconds.length === 0 ? 'from the start' : `first ${Number(median(seconds).toPrecision(2))} s`;
}

/** Workers that find no connection open when the load begins. */
const coldWorkers = ({ workers, minIdle }: ScenarioResult) => Math.max(0, workers - minIdle);

const startsCold = (arm: ScenarioResult) => arm.rounds.length > 0 && coldWorkers(arm) > 0;

function coldShare(arm: ScenarioResult): number {
  return coldWorkers(arm) / Math.max(1, median(wholeRounds(arm.rounds).map(({ completed }) => completed)));
}
