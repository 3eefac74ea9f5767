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

/** The lowest and the highest value that the true figure can have where the measured one is only a bound. */
export type Ends = Pick<Interval, 'low' | 'high'>;

/**
 * A figure for each round in which it could be made, and how many rounds there may be: the basis of a verdict. A figure
 * that is only a bound, such as a percentile without what was lost, keeps its ends in all that is made of it. So an
 * interval reaches as far as the true figures may lie, and what is beyond it is excluded. A stall in one window costs a
 * rank, not the verdict.
 */
export class RoundSeries {
  /** By the number of the round, in ascending order. */
  readonly byRound: ReadonlyMap<number, number>;
  readonly planned: RoundsRange;
  /** By round, of the figures that are only bounds. */
  readonly #ends: ReadonlyMap<number, Ends>;

  constructor(
    figures: Iterable<readonly [round: number, figure: number]>,
    planned: RoundsRange,
    ends: ReadonlyMap<number, Ends> = new Map(),
  ) {
    this.byRound = new Map([...figures].toSorted(([a], [b]) => a - b));
    this.planned = planned;
    this.#ends = ends;
  }

  get size(): number {
    return this.byRound.size;
  }

  get values(): number[] {
    return [...this.byRound.values()];
  }

  interval(chances?: Chances): Interval {
    const measured = repeatedInterval(this.values, this.planned, chances);
    if (this.#ends.size === 0) return measured;
    const intervalOf = (end: keyof Ends) =>
      repeatedInterval(
        [...this.byRound.keys()].map(round => this.#endsOf(round)[end]),
        this.planned,
        chances,
      );
    return { ...measured, low: intervalOf('low').low, high: intervalOf('high').high };
  }

  #endsOf(round: number): Ends {
    const figure = this.byRound.get(round) ?? Number.NaN;
    return this.#ends.get(round) ?? { low: figure, high: figure };
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
    return this.#against(base, (figure, ofBase) => figure / ofBase, {
      low: 0,
      high: Number.POSITIVE_INFINITY,
    });
  }

  /** In every round that both have: this figure less that of `base`. A round in which both are infinite has none. */
  minus(base: RoundSeries): RoundSeries {
    return this.#against(base, (figure, ofBase) => figure - ofBase, {
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
    });
  }

  /** @param any the ends of a comparison of which nothing is known */
  #against(base: RoundSeries, compare: (figure: number, ofBase: number) => number, any: Ends): RoundSeries {
    const figures = [...this.byRound].flatMap(([round, figure]) => {
      const compared = compare(figure, base.byRound.get(round) ?? Number.NaN);
      return Number.isNaN(compared) ? [] : [[round, compared] as const];
    });
    const endsIn = (round: number) => {
      const [own, ofBase] = [this.#endsOf(round), base.#endsOf(round)];
      return { low: compare(own.low, ofBase.high), high: compare(own.high, ofBase.low) };
    };
    return new RoundSeries(
      figures,
      commonPlan([this.planned, base.planned]),
      RoundSeries.#boundsOf(figures, [this, base], endsIn, any),
    );
  }

  /** The ends of figures made of these series, in the rounds in which one of those is only a bound. */
  static #boundsOf(
    figures: readonly (readonly [round: number, figure: number])[],
    series: readonly RoundSeries[],
    endsIn: (round: number) => Ends,
    any: Ends,
  ): Map<number, Ends> {
    const bounded = figures.filter(([round]) => series.some(one => one.#ends.has(round)));
    return new Map(
      bounded.map(([round]) => {
        const { low, high } = endsIn(round);
        return [
          round,
          { low: Number.isNaN(low) ? any.low : low, high: Number.isNaN(high) ? any.high : high },
        ];
      }),
    );
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
    const meanOf = (round: number, end: keyof Ends) =>
      geometricMean(series.map(one => one.#endsOf(round)[end]));
    return new RoundSeries(
      figures,
      commonPlan(series.map(({ planned }) => planned)),
      RoundSeries.#boundsOf(
        figures,
        series,
        round => ({ low: meanOf(round, 'low'), high: meanOf(round, 'high') }),
        { low: 0, high: Number.POSITIVE_INFINITY },
      ),
    );
  }
}
