import type { Comparison, ScenarioResult, Verdict } from '../../result.ts';
import type { Measure } from '../../stats/measures.ts';
import { combineByRound } from '../../stats/paired-ratio.ts';
import { medianInterval } from '../../stats/statistics.ts';
import { wholeRounds } from '../../stats/whole-rounds.ts';
import { formatList, formatPlural, formatRatio } from '../../text/format.ts';
import { type ArmPair, armsOf, compareArms, ratioOf } from './arms.ts';

/** Where a figure is predicted to lie; null: not bounded on that side. */
export interface Range {
  readonly low: number | null;
  readonly high: number | null;
}

/** One of several ratios that a prediction combines. */
export interface Part {
  /** For a reader: "at 50 workers". */
  readonly where: string;
  readonly byRound: readonly number[];
}

/** One figure that a claim predicts, and what was measured of it. */
export interface Prediction {
  /** For a reader, before its figure: "optimized to baseline, 100 workers: throughput". */
  readonly what: string;
  /** One figure for each round that all of its arms have measured. */
  readonly byRound: readonly number[];
  readonly range: Range;
  readonly format: (figure: number) => string;
  /** Of the figure; a ratio unless told. */
  readonly unit?: string;
  readonly arms: readonly ScenarioResult[];
  /** The ratios it is made of; none where it is no ratio. */
  readonly comparisons: readonly Comparison[];
  /** What it combines, if that is more than one ratio: a mean hides those that contradict each other (see `verdictOf`). */
  readonly parts?: readonly Part[];
  /** It says in other words what another prediction of the claim says, so it is no further chance to err. */
  readonly restates?: boolean;
}

/**
 * Predicts the ratio other / base of a measure: the geometric mean over the pairs within each round. Each pair is a
 * part of it, where there are several.
 *
 * @param where which of the two to which, for a reader: "lock-free to baseline"
 */
export function predictRatio(
  measure: Measure,
  pairs: readonly ArmPair[],
  where: string,
  range: Range,
): Prediction {
  const ratios = pairs.map(pair => ({ pair, ratio: ratioOf(pair, measure.figure) }));
  const levels = levelsOf(pairs);
  return {
    what: nameFigure(measure, pairs.length > 1 ? `${where}${sayAverage(pairs, levels)}` : where),
    byRound: combineByRound(ratios.map(({ ratio }) => ratio)),
    range,
    format: formatRatio,
    arms: armsOf(pairs),
    comparisons: pairs.flatMap(pair => compareArms(pair, measure, range)),
    parts: (pairs.length > 1 ? ratios : []).map(({ pair: { other }, ratio }) => ({
      where: levels === null ? `of ${other.id}` : `at ${formatPlural(other.workers, 'worker')}`,
      byRound: [...ratio.byRound.values()],
    })),
  };
}

function nameFigure(measure: Measure, where: string): string {
  return `${where === '' ? '' : `${where}: `}${measure.name}`;
}

/** The levels of workers by which these pairs can be told apart; null if they cannot. */
function levelsOf(pairs: readonly ArmPair[]): number[] | null {
  const levels = new Set(pairs.map(({ other }) => other.workers));
  const isTold =
    levels.size === pairs.length && pairs.every(({ base, other }) => base.workers === other.workers);
  return isTold ? [...levels].toSorted((a, b) => a - b) : null;
}

function sayAverage(pairs: readonly ArmPair[], levels: readonly number[] | null): string {
  const over = levels === null ? `${pairs.length} pairs` : `${formatList(levels.map(String))} workers`;
  return `, ${over} on average`;
}

/**
 * Predicts a measure of one scenario as it is. A round that was cut short is left out, as it is from ratios, and so is
 * one that has no such figure.
 */
export function predictFigure(
  measure: Measure,
  scenario: ScenarioResult,
  where: string,
  range: Range,
  format: (figure: number) => string,
): Prediction {
  return {
    what: nameFigure(measure, where),
    byRound: wholeRounds(scenario.rounds)
      .map(measure.figure)
      .filter(figure => figure > 0),
    range,
    format,
    ...(measure.unit === undefined ? {} : { unit: measure.unit }),
    arms: [scenario],
    comparisons: [],
  };
}

/**
 * Holds the interval of a prediction's figure against its range: inside is supported, outside is refuted, and across
 * one of its ends is inconclusive. A gain that is larger than promised keeps the promise, so claims of a gain leave
 * the far end open. A combination that one of its parts contradicts is inconclusive too.
 */
export function verdictOf(prediction: Prediction): Verdict {
  return findDissent(prediction).length > 0
    ? 'inconclusive'
    : holdAgainst(prediction.range, prediction.byRound);
}

/** The parts that by themselves say the opposite of their combination. */
export function findDissent({ byRound, range, parts = [] }: Prediction): Part[] {
  const together = holdAgainst(range, byRound);
  if (together === 'inconclusive') return [];
  const opposite = together === 'supported' ? 'refuted' : 'supported';
  return parts.filter(part => holdAgainst(range, part.byRound) === opposite);
}

function holdAgainst(range: Range, byRound: readonly number[]): Verdict {
  const { low, high } = medianInterval(byRound);
  const least = range.low ?? Number.NEGATIVE_INFINITY;
  const most = range.high ?? Number.POSITIVE_INFINITY;
  if (low >= least && high <= most) return 'supported';
  return high < least || low > most ? 'refuted' : 'inconclusive';
}
