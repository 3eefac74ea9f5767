import {
  type Chances,
  commonPlan,
  countedRounds,
  fixedRounds,
  looksOf,
  minRounds,
  type RoundsRange,
  repeatedInterval,
} from './sign-test.ts';
import { geometricMean, type Interval } from './statistics.ts';

/** A figure for each round in which it could be made, and how many rounds there may be: the basis of a verdict. */
export class RoundSeries {
  /** By the number of the round, in ascending order. */
  readonly byRound: ReadonlyMap<number, number>;
  readonly planned: RoundsRange;

  constructor(figures: Iterable<readonly [round: number, figure: number]>, planned: RoundsRange) {
    this.byRound = new Map([...figures].toSorted(([a], [b]) => a - b));
    this.planned = planned;
  }

  get size(): number {
    return this.byRound.size;
  }

  get values(): number[] {
    return [...this.byRound.values()];
  }

  interval(chances?: Chances): Interval {
    return repeatedInterval(this.values, this.planned, chances);
  }

  /** How many rounds the interval is made of, and the median from the first look on: those up to the last look. */
  get roundsCounted(): number {
    return countedRounds(this.planned, this.size);
  }

  /**
   * The fewest rounds with which this could be decided: on the side that no others share, so it takes no number of them.
   */
  get roundsNeeded(): number {
    return (
      looksOf(this.planned, this.size, 1).find(({ rounds, bound }) => bound <= rounds)?.rounds ?? minRounds
    );
  }

  /** In every round that both have: this figure over that of `base`. A round in which both are 0, or infinite, has none. */
  over(base: RoundSeries): RoundSeries {
    return this.#against(base, (figure, ofBase) => figure / ofBase);
  }

  /** In every round that both have: this figure less that of `base`. A round in which both are infinite has none. */
  minus(base: RoundSeries): RoundSeries {
    return this.#against(base, (figure, ofBase) => figure - ofBase);
  }

  #against(base: RoundSeries, compare: (figure: number, ofBase: number) => number): RoundSeries {
    const figures = [...this.byRound].flatMap(([round, figure]) => {
      const compared = compare(figure, base.byRound.get(round) ?? Number.NaN);
      return Number.isNaN(compared) ? [] : [[round, compared] as const];
    });
    return new RoundSeries(figures, commonPlan([this.planned, base.planned]));
  }

  /**
   * In every round that all of these have: their geometric mean. A round in which one is 0 and another is infinite has
   * none: an arm that completed nothing is on either side.
   */
  static combine(series: readonly RoundSeries[]): RoundSeries {
    const [first, ...others] = series;
    if (first === undefined) return new RoundSeries([], fixedRounds(0));
    const common = [...first.byRound.keys()].filter(round =>
      others.every(({ byRound }) => byRound.has(round)),
    );
    const figures = common.flatMap(round => {
      const mean = geometricMean(series.flatMap(({ byRound }) => byRound.get(round) ?? []));
      return Number.isNaN(mean) ? [] : [[round, mean] as const];
    });
    return new RoundSeries(figures, commonPlan(series.map(({ planned }) => planned)));
  }
}
