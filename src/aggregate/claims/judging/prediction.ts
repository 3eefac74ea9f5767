import type { Comparison, ScenarioResult, Verdict } from '../../result.ts';
import { armKey, type ScenarioKey } from '../../scenario/scenario.ts';
import { type Measure, throughput } from '../../stats/measures.ts';
import { combineByRound } from '../../stats/paired-ratio.ts';
import { wholeRounds } from '../../stats/rounds.ts';
import { clearlyMore, median, medianInterval } from '../../stats/statistics.ts';
import { formatList, formatPlural, formatRatio } from '../../text/format.ts';
import { type ArmPair, armsOf, compareArms, ratioOf } from './arms.ts';
import { findFlaw } from './soundness.ts';

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

/** What one client's scenarios say. */
export interface ClientFinding {
  readonly client: string;
  readonly predictions: readonly Prediction[];
  /** Why the figures are no ground for a verdict, as a clause; null if they are. */
  readonly flaw: string | null;
  readonly verdict: Verdict;
}

/** Judges each client by itself; one without arms for the claim is left out. */
export function findByClient(
  scenarios: readonly ScenarioResult[],
  predict: (scenarios: readonly ScenarioResult[]) => readonly Prediction[],
  proof: (scenarios: readonly ScenarioResult[]) => string | null,
): ClientFinding[] {
  return [...new Set(scenarios.map(({ client }) => client))].flatMap(client => {
    const ofClient = scenarios.filter(scenario => scenario.client === client);
    const predictions = predict(ofClient);
    if (predictions.length === 0) return [];
    const flaw = findFlaw(predictions) ?? proof(ofClient);
    return [{ client, predictions, flaw, verdict: flaw === null ? decide(predictions) : 'inconclusive' }];
  });
}

function decide(predictions: readonly Prediction[]): Verdict {
  const verdicts = predictions.map(verdictOf);
  if (verdicts.includes('refuted')) return 'refuted';
  return verdicts.includes('inconclusive') ? 'inconclusive' : 'supported';
}

/**
 * The predictions that made the verdict, the one that tells it first: of a refuted claim those that fail, of an open one
 * those that stay open, of a supported one its headline. None where a flaw did.
 */
export function findDeciding({ predictions, flaw, verdict }: ClientFinding): readonly Prediction[] {
  if (flaw !== null) return [];
  const asVerdict = predictions.filter(prediction => verdictOf(prediction) === verdict);
  return verdict === 'supported' ? asVerdict.slice(0, 1) : asVerdict;
}

/** The predictions that are each a chance of their own to err by luck. */
export function countChances({ predictions }: ClientFinding): number {
  return predictions.filter(({ restates }) => restates !== true).length;
}

/** One verdict of several settings: that on which all agree, else `inconclusive`. */
export function agree(verdicts: readonly Verdict[]): Verdict {
  const [first, ...others] = verdicts;
  return first !== undefined && others.every(other => other === first) ? first : 'inconclusive';
}

/** That several settings have no verdict in common, as a sentence; null if they have one. */
export function sayDisagreement(
  settings: readonly { readonly verdict: Verdict }[],
  called: 'clients' | 'settings',
): string | null {
  const verdicts = new Set(settings.map(({ verdict }) => verdict));
  if (verdicts.size < 2) return null;
  return verdicts.has('supported') && verdicts.has('refuted')
    ? `The ${called} do not agree.`
    : 'Not every setting gives a verdict.';
}

/** A dimension along which throughput is said to peak between two levels, both included. */
export interface Peak {
  /** What the arms of a peak differ in: the dimension, and what follows from it. */
  readonly differ: readonly ScenarioKey[];
  readonly levelOf: (scenario: ScenarioResult) => number;
  readonly from: number;
  readonly to: number;
  /** "50 workers", "batches of 50". */
  readonly say: (level: number) => string;
}

/**
 * Predicts that throughput rises until somewhere between `from` and `to` and no further, for scenarios that differ in
 * this dimension alone, each set of them for itself: the best level there against every level outside. What counts is 5 %, as in C1. The best level
 * must gain that over every lower one, or the range is too high; no higher level may gain it over the best, or the range
 * is too low. A plateau that begins in the range and goes on is as good a reason to stop there as a fall.
 *
 * The best level is chosen by the same figures, by its median, which favours the claim: see `sayPicked`.
 */
export function predictPeak(arms: readonly ScenarioResult[], peak: Peak): Prediction[] {
  const keys = new Set(arms.map(arm => armKey(arm, peak.differ)));
  return [...keys].flatMap(key =>
    predictOnePeak(
      arms.filter(arm => armKey(arm, peak.differ) === key),
      peak,
    ),
  );
}

function predictOnePeak(arms: readonly ScenarioResult[], peak: Peak): Prediction[] {
  const best = bestLevel(arms.filter(arm => isWithin(arm, peak)));
  if (best === undefined) return [];
  return arms
    .filter(arm => !isWithin(arm, peak))
    .toSorted((a, b) => peak.levelOf(a) - peak.levelOf(b))
    .map(outside => {
      const where = `${peak.say(peak.levelOf(best))} to ${peak.say(peak.levelOf(outside))}`;
      const low = peak.levelOf(outside) < peak.from ? clearlyMore : 1 / clearlyMore;
      return predictRatio(throughput, [{ base: outside, other: best }], where, { low, high: null });
    });
}

/** A sentence on how the best level was found; none where there was no choice. */
export function sayPicked(arms: readonly ScenarioResult[], peak: Peak): string[] {
  const levels = new Set(arms.filter(arm => isWithin(arm, peak)).map(peak.levelOf));
  if (levels.size < 2) return [];
  const each = formatList([...levels].toSorted((a, b) => a - b).map(peak.say));
  return [`The best of ${each} was picked by the same figures that it is judged by, which flatters it.`];
}

/** The scenario with the highest median throughput of whole rounds. */
export function bestLevel(arms: readonly ScenarioResult[]): ScenarioResult | undefined {
  const rate = ({ rounds }: ScenarioResult) =>
    rounds.length === 0 ? 0 : median(wholeRounds(rounds).map(throughput.figure));
  return arms.toSorted((a, b) => rate(b) - rate(a))[0];
}

function isWithin(scenario: ScenarioResult, { levelOf, from, to }: Peak): boolean {
  return levelOf(scenario) >= from && levelOf(scenario) <= to;
}
