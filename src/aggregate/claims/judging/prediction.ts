import type { Comparison, ScenarioResult, Verdict } from '../../result.ts';
import type { Measure } from '../../stats/measures.ts';
import { figureIn, isMeasured } from '../../stats/paired-ratio.ts';
import { RoundSeries } from '../../stats/round-series.ts';
import { differenceByRound, endsOf, plannedRounds, wholeRounds } from '../../stats/rounds.ts';
import type { Chances } from '../../stats/sign-test.ts';
import type { Interval } from '../../stats/statistics.ts';
import { formatList, formatPlural, formatRatio } from '../../text/format.ts';
import { type ArmPair, armsOf, compareArms, ratioOf } from './arms.ts';
import { findFlaw } from './soundness.ts';

/** The predicted range of a figure, both ends included; null: not bounded on that side. */
export interface Range {
  readonly low: number | null;
  readonly high: number | null;
  /** The largest promised value, if more keeps the promise: ×1.25 for +15–25 %. Absent: the end of the range. */
  readonly most?: number;
}

export const atLeast = (low: number): Range => ({ low, high: null });
export const atMost = (high: number): Range => ({ low: null, high });

/** Both ends of the promise. */
interface Band {
  readonly low: number;
  readonly high: number;
}

/** A gain of a promised band: "+15–25 %". More keeps the promise. */
export const gainOf = ({ low, high }: Band): Range => ({ low, high: null, most: high });
/** A cut of a promised band: "−10–15 %". More keeps the promise. */
export const cutOf = ({ low, high }: Band): Range => ({ low: null, high, most: low });

/** A figure that a claim predicts, and its measurement. */
export interface Prediction {
  /** The label of its figure: "optimized to baseline, 100 workers: throughput". */
  readonly what: string;
  /** From the rounds that all of its arms have measured. */
  readonly series: RoundSeries;
  readonly range: Range;
  readonly format: (figure: number) => string;
  /** The unit of the figure; a ratio if absent. */
  readonly unit?: string;
  readonly arms: readonly ScenarioResult[];
  /** The arms that are compared with each other, in groups. Absent: all arms. */
  readonly groups?: readonly (readonly ScenarioResult[])[];
  /** What it is a figure of. */
  readonly measure: Measure;
  /** The underlying ratios; empty if it is not a ratio. */
  readonly comparisons: readonly Comparison[];
  /** The ratios that it combines, if there are several: a mean hides those that contradict each other (see `verdictOf`). */
  readonly parts?: readonly Part[];
  /** On which side the figure is only a bound: the interval is unlimited there. Absent: it is exact. */
  readonly bound?: Bound;
  /** The comparisons that share the chance of error. Absent: none. */
  readonly chances?: Chances;
  /** It restates another prediction of the claim, so it is not an additional chance of error. */
  readonly restates?: boolean;
}

interface Part extends Pick<Prediction, 'series'> {
  /** As text: "at 50 workers". */
  readonly where: string;
}

/** The true figure is not below, or not above what was measured. */
export type Bound = 'lower' | 'upper';

/** The interval by which a prediction is judged. */
export function intervalOf({
  series,
  bound,
  chances,
}: Pick<Prediction, 'series' | 'bound' | 'chances'>): Interval {
  const { median, low, high } = series.interval(chances);
  return {
    median,
    low: bound === 'upper' ? Number.NEGATIVE_INFINITY : low,
    high: bound === 'lower' ? Number.POSITIVE_INFINITY : high,
  };
}

/** The interval of a part, which is independent and shares no chance of error. */
export function intervalOfPart({ bound }: Prediction, { series }: Part): Interval {
  return intervalOf({ series, ...(bound === undefined ? {} : { bound }) });
}

/**
 * Predicts the ratio other / base of each measure: the geometric mean over the pairs within each round. With several
 * pairs, each is a part of it. Without pairs, there is no prediction.
 *
 * @param where the two arms, as text: "lock-free to baseline"
 */
export function predictRatios(
  pairs: readonly ArmPair[],
  where: string,
  expected: readonly (readonly [measure: Measure, range: Range])[],
): Prediction[] {
  if (pairs.length === 0) return [];
  const levels = levelsOf(pairs);
  const over = levels === null ? `${pairs.length} pairs` : `${formatList(levels.map(String))} workers`;
  return expected.map(([measure, range]): Prediction => {
    const parts = pairs.map(
      ({ base, other }): Part => ({
        where: levels === null ? `of ${other.id}` : `at ${formatPlural(other.workers, 'worker')}`,
        series: ratioOf({ base, other }, measure).series,
      }),
    );
    return {
      what: `${where}${pairs.length > 1 ? `, ${over} on average` : ''}: ${measure.name}`,
      series: RoundSeries.combine(parts.map(({ series }) => series)),
      range,
      format: formatRatio,
      arms: armsOf(pairs),
      groups: groupPairs(pairs),
      measure,
      comparisons: compareArms(pairs, [measure], { low: range.low, high: range.high }),
      parts: pairs.length > 1 ? parts : [],
    };
  });
}

/** The levels of workers by which these pairs can be told apart; null if they cannot. */
function levelsOf(pairs: readonly ArmPair[]): number[] | null {
  const levels = new Set(pairs.map(({ other }) => other.workers));
  const areDistinct =
    levels.size === pairs.length && pairs.every(({ base, other }) => base.workers === other.workers);
  return areDistinct ? [...levels].toSorted((a, b) => a - b) : null;
}

/**
 * Predicts a measure of one scenario. Rounds that were cut short are left out, as in ratios, and so are rounds without
 * the figure. A round in which nothing completed counts against the scenario.
 */
export function predictFigure(
  measure: Measure,
  scenario: ScenarioResult,
  where: string,
  range: Range,
  format: (figure: number) => string,
): Prediction {
  const figures = wholeRounds(scenario.rounds).flatMap(round => {
    const figure = figureIn(round, measure);
    return figure === null ? [] : [[round.round, figure] as const];
  });
  const series = new RoundSeries(
    figures.some(([, figure]) => isMeasured(figure, measure)) ? figures : [],
    plannedRounds(scenario),
    endsOf(scenario.rounds, measure),
  );
  return {
    what: `${where}: ${measure.name}`,
    series,
    range,
    format,
    ...(measure.unit === undefined ? {} : { unit: measure.unit }),
    arms: [scenario],
    measure,
    comparisons: [],
  };
}

/**
 * Predicts `other` − `base` of a measure within each round, in its unit: the cost of what `other` does in addition to
 * `base`.
 *
 * @param what the difference, as text: "cost of a check at 1 worker"
 */
export function predictDifference(
  { base, other }: ArmPair,
  what: string,
  measure: Measure,
  range: Range,
  format: (figure: number) => string,
): Prediction {
  return {
    what,
    series: differenceByRound(base, other, measure),
    range,
    format,
    ...(measure.unit === undefined ? {} : { unit: measure.unit }),
    arms: [base, other],
    measure,
    comparisons: [],
  };
}

/**
 * Compares the interval of a prediction's figure with its range: inside is supported, outside is refuted, and across
 * one of its ends is inconclusive. A gain larger than promised keeps the promise, so claims of a gain leave the far end
 * open. A combination that one of its parts contradicts is also inconclusive.
 */
export function verdictOf(prediction: Prediction): Verdict {
  return findDissent(prediction).length > 0
    ? 'inconclusive'
    : compareWithRange(prediction.range, intervalOf(prediction));
}

/** The parts that clearly contradict their combination. */
export function findDissent(prediction: Prediction): Part[] {
  const { range, parts = [] } = prediction;
  const together = intervalOf(prediction);
  return parts.filter(part => contradicts(intervalOfPart(prediction, part), together, range));
}

/** Whether one interval lies in a range and the other clearly outside of it. */
export function contradicts(part: Interval, together: Interval, range: Range): boolean {
  const verdicts = [part, together].map(interval => compareWithRange(range, interval));
  return verdicts.includes('supported') && verdicts.includes('refuted');
}

function compareWithRange(range: Range, { low, high }: Interval): Verdict {
  const min = range.low ?? Number.NEGATIVE_INFINITY;
  const max = range.high ?? Number.POSITIVE_INFINITY;
  if (low >= min && high <= max) return 'supported';
  return high < min || low > max ? 'refuted' : 'inconclusive';
}

/** What a claim reads of the scenarios of one setting. */
export interface Reading {
  readonly predictions: readonly Prediction[];
  /**
   * Each part of the claim that these scenarios cannot decide, as sentences: the claim can then be refuted but not
   * supported.
   */
  readonly open: readonly string[];
  /** Why the arms did not do what their names say, as a clause; null if they did. */
  readonly proof: () => string | null;
}

/** What the scenarios of one setting show. */
export interface SettingFinding extends Pick<Reading, 'predictions' | 'open'> {
  /** As text: the client. */
  readonly setting: string;
  /** Why the figures do not allow a verdict, as a clause; null if they do. */
  readonly flaw: string | null;
  readonly verdict: Verdict;
}

/** Judges one setting; null if it has no arms of the claim. */
export function findSetting(setting: string, { predictions, open, proof }: Reading): SettingFinding[] {
  if (predictions.length === 0 && open.length === 0) return [];
  const flaw = findFlaw(predictions, proof);
  const verdict = flaw === null ? decide(predictions, open) : 'inconclusive';
  return [{ setting, predictions, open, flaw, verdict }];
}

function decide(predictions: readonly Prediction[], open: readonly string[]): Verdict {
  const verdicts = predictions.map(verdictOf);
  if (verdicts.includes('refuted')) return 'refuted';
  return verdicts.includes('inconclusive') || open.length > 0 ? 'inconclusive' : 'supported';
}

/**
 * The deciding predictions: if refuted, those that fail; if open, those that stay open; if supported, or open only
 * because of other parts, the first. None if a flaw decided.
 */
export function findDeciding({ predictions, flaw, verdict }: SettingFinding): readonly Prediction[] {
  if (flaw !== null) return [];
  const asVerdict = predictions.filter(prediction => verdictOf(prediction) === verdict);
  return verdict === 'supported' || asVerdict.length === 0 ? predictions.slice(0, 1) : asVerdict;
}

/** The predictions that are each a separate chance of error. */
export function countChances({ predictions }: SettingFinding): number {
  return predictions.filter(({ restates }) => restates !== true).length;
}

/** The verdict on which all settings agree, otherwise `inconclusive`. */
export function agree(verdicts: readonly Verdict[]): Verdict {
  const [first, ...others] = verdicts;
  return first !== undefined && others.every(other => other === first) ? first : 'inconclusive';
}

/** A comparison that a verdict depends on. */
export interface Asked {
  /** As text: "optimized to baseline: throughput". */
  readonly what: string;
  /** Arms that are compared with each other, in groups; a group of one for a figure that is not a ratio. */
  readonly groups: readonly (readonly ScenarioResult[])[];
  /** `flawed`: the figures do not allow a verdict, and more rounds would not help. */
  readonly state: 'decided' | 'open' | 'flawed';
  /** The number of rounds so far. */
  readonly rounds: number;
}

/** The arms of pairs, as groups of `Asked`. */
export const groupPairs = (pairs: readonly ArmPair[]): ScenarioResult[][] =>
  pairs.map(({ base, other }) => [base, other]);

/**
 * The state of a comparison. Too few rounds is a flaw that more rounds remove; other flaws remain.
 *
 * @param flaw why the figures of these series do not allow a verdict, as a clause; null if they do
 * @param isDecided whether the figures decide it
 */
export function stateOf(
  flaw: string | null,
  series: readonly RoundSeries[],
  isDecided: boolean,
): Asked['state'] {
  const isLasting = flaw !== null && series.every(({ size, roundsNeeded }) => size >= roundsNeeded);
  return isLasting ? 'flawed' : isDecided ? 'decided' : 'open';
}

/**
 * What the verdict on these settings depends on: every prediction. A prediction that fails refutes its setting, so the
 * others of the setting are decided as well. Settings must agree: a flaw in one of them rules out a decision.
 */
export function askPredictions(findings: readonly SettingFinding[]): Asked[] {
  const isFlawed = findings.some(({ flaw, predictions }) => {
    const series = predictions.map(prediction => prediction.series);
    return stateOf(flaw, series, false) === 'flawed';
  });
  return findings.flatMap(({ predictions, verdict }) =>
    predictions.map((prediction): Asked => {
      const isDecided = verdict === 'refuted' || verdictOf(prediction) !== 'inconclusive';
      return {
        what: prediction.what,
        groups: prediction.groups ?? [prediction.arms],
        state: isFlawed ? 'flawed' : isDecided ? 'decided' : 'open',
        rounds: prediction.series.roundsCounted,
      };
    }),
  );
}
