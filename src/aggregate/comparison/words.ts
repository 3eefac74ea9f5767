import { falseVerdictChance, minRounds } from '../stats/statistics.ts';
import { formatList, formatPlural } from '../text/format.ts';
import { targetBanners } from '../text/target-words.ts';
import type { ComparedScenario, ResultComparison, SideRatios } from './schema.ts';

/** The sentences that every rendering of a comparison has. Text from outside is as it came. */

/** "redis against valkey". */
export function describeTitle({ sides }: ResultComparison): string {
  const [first, ...others] = sides.map(({ name }) => name);
  return `${formatList(others)} against ${first ?? 'nothing'}`;
}

/** What to shout before and after the figures: what answered in another's place, and an early end. */
export function describeAlarms({ sides, complete }: ResultComparison): string[] {
  const banners = sides.flatMap(({ name, target }) =>
    targetBanners({ target }).map(banner => `${banner} (${name})`),
  );
  return complete ? banners : [...banners, 'INCOMPLETE: not every side was measured to its end.'];
}

/**
 * For each side but the first: in how many scenarios its throughput is higher, lower, or cannot be told apart; and how
 * many of those outcomes luck alone could make, for there is a chance in every scenario.
 */
export function describeOutcomes({ sides, scenarios }: ResultComparison): string[] {
  const [{ name: first = '' } = {}, ...others] = sides;
  return others.map(({ name, paired }) => {
    const ratios = scenarios.flatMap(scenario => ratiosOf(scenario, name) ?? []);
    const count = (outcome: ReturnType<typeof outcomeOf>) =>
      formatPlural(ratios.filter(one => outcomeOf(one) === outcome).length, 'scenario');
    if (ratios.length === 0) return `${name}: no scenario in common with ${first}.`;
    return (
      `${name} has more throughput than ${first} in ${count('more')}, ` +
      `less in ${count('less')}, and cannot be told apart in ${count('unclear')}.${sayLuck(ratios, paired === true)}`
    );
  });
}

/** How the ratios were made, and what their intervals are worth. */
export function describeRatios({ sides, scenarios }: ResultComparison): string[] {
  const [first] = sides;
  return sides.slice(1).flatMap(({ name, paired }) => {
    const ratios = scenarios.flatMap(scenario => ratiosOf(scenario, name) ?? []);
    if (ratios.length === 0) return [];
    const coverage = Math.min(...ratios.map(one => one.coverage));
    const how = paired
      ? 'are paired within a round'
      : 'are of two runs made apart, so each interval spans those of both';
    const fewest = Math.min(...ratios.map(({ rounds }) => rounds));
    const few = fewest < minRounds ? `; with fewer than ${minRounds} rounds nothing is told apart` : '';
    const worth =
      coverage === 0
        ? 'brackets of one round say nothing'
        : `an interval covers the true ratio in at least ${Number((coverage * 100).toFixed(1))} % of such runs`;
    return `Ratios of ${name} to ${first?.name ?? ''} ${how}; ${worth}${few}.`;
  });
}

function ratiosOf({ sides }: ComparedScenario, name: string): SideRatios | undefined {
  return sides.find(({ side }) => side === name)?.ratios ?? undefined;
}

/**
 * How many intervals would lie clear of 1 by chance if nothing differed, on average and at most. Paired within rounds,
 * one does in as many runs as the sign test says, on either side of 1; of two runs made apart, in as many as it may
 * miss the true ratio in.
 */
function sayLuck(ratios: readonly SideRatios[], paired: boolean): string {
  const telling = ratios.filter(isTelling);
  if (telling.length === 0) return '';
  const chances = telling.map(({ rounds, coverage }) =>
    paired ? 2 * falseVerdictChance(rounds, 1) : 1 - coverage,
  );
  const expected = chances.reduce((sum, chance) => sum + chance, 0);
  const drift = paired ? '' : ', and drift between the runs more';
  return ` If nothing differed, luck alone would put up to ${Number(expected.toPrecision(2))} of ${formatPlural(telling.length, 'interval')} clear of ×1${drift}.`;
}

/** Whether an interval can say anything. */
function isTelling({ throughput, rounds }: SideRatios): boolean {
  return throughput !== null && rounds >= minRounds;
}

function outcomeOf({ throughput, rounds }: SideRatios): 'more' | 'less' | 'unclear' {
  if (throughput === null || rounds < minRounds) return 'unclear';
  if (throughput.low > 1) return 'more';
  return throughput.high < 1 ? 'less' : 'unclear';
}
