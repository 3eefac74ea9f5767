import type { MeasuredResult, Result, RoundResult } from '../result.ts';
import { type Figure, figureIn, isMeasured, type PairedRatio, pairedRatio } from './paired-ratio.ts';
import { hasPlannedData } from './reads.ts';
import { type Ends, RoundSeries } from './round-series.ts';
import { fixedRounds, type RoundsRange } from './sign-test.ts';
import { endsOfMedian } from './tails.ts';

/** Which rounds count, and which can be paired. */

/**
 * Difference of two windows, as a fraction, up to which they count as equal. On a busy machine threads begin and stop some
 * ten milliseconds apart; a rate is made with the time that they really had.
 */
const windowTolerance = 0.2;
/** Fraction of the usual window, or of the planned one, from which a round counts as whole. */
const minWhole = 1 - windowTolerance;

/**
 * The rounds that were measured to their end, as an interrupt can cut the last window of a run short, and on the data
 * that was planned. The usual window is the median, of an even number of rounds the longer one: beside a window that a
 * busy machine made longer, all others are still whole. If the data was another one in all of them, `findDataFlaw` says so.
 */
export function wholeRounds(rounds: readonly RoundResult[]): RoundResult[] {
  const usualSeconds =
    rounds.map(({ seconds }) => seconds).toSorted((a, b) => a - b)[rounds.length >> 1] ?? 0;
  const whole = rounds.filter(({ seconds }) => seconds >= usualSeconds * minWhole);
  const sound = whole.filter(hasPlannedData);
  return sound.length === 0 ? whole : sound;
}

/** Whether anything completed in a scenario: otherwise it has no latencies. */
export function hasCompleted({ rounds }: { readonly rounds: readonly RoundResult[] }): boolean {
  return rounds.some(({ completed }) => completed > 0);
}

/** Whether anything was due in the windows of a scenario. In an open loop the rate can be too low for that; a closed loop always has work. */
export function hasDue({ rounds }: { readonly rounds: readonly RoundResult[] }): boolean {
  return rounds.some(({ openLoop }) => openLoop === null || openLoop.offered > 0);
}

/** How many rounds an arm was to have. Before version 0.6 their number was fixed. */
export function plannedRounds({ plannedRounds, rounds }: Planned): RoundsRange {
  return plannedRounds ?? fixedRounds(rounds.length);
}

type Planned = Pick<MeasuredResult, 'plannedRounds' | 'rounds'>;

/** The rounds of a stopped run that need not be measured again. */
export interface FinishedRounds {
  /** How many, from the first on. */
  readonly count: number;
  /** By the id of the scenario. */
  readonly rounds: ReadonlyMap<string, readonly RoundResult[]>;
}

/**
 * The first rounds in which all scenarios that were due were measured to the end of the window. A round that lacks one is
 * measured anew as a whole, because its scenarios are compared with one another.
 *
 * @param plan.idsIn the scenarios that are due in a round; it is asked for a round when all before it are finished
 * @param plan.seconds length of the window that was planned
 */
export function finishedRounds(
  { scenarios }: Pick<Result, 'scenarios'>,
  { idsIn, seconds }: { readonly idsIn: (round: number) => readonly string[]; readonly seconds: number },
): FinishedRounds {
  const byId = new Map(scenarios.map(({ id, rounds }) => [id, rounds]));
  const isFinished = (round: number, id: string) =>
    byId.get(id)?.some(one => one.round === round && one.seconds >= seconds * minWhole) === true;
  for (let round = 1; ; round++) {
    const ids = idsIn(round);
    if (ids.length > 0 && ids.every(id => isFinished(round, id))) continue;
    const kept = scenarios.map(({ id, rounds }) => [id, rounds.filter(one => one.round < round)] as const);
    return { count: round - 1, rounds: new Map(kept) };
  }
}

/**
 * other / base of a figure in every round that both have measured for the same time. A round in which one of them completed
 * nothing counts against it.
 */
export function pairByRound(base: Planned, other: Planned, figure: Figure): PairedRatio {
  return pairedRatio(...figuresOfBoth(base, other, figure), figure);
}

/** other − base of a figure, in its unit, in the same rounds. Without a figure if an arm never completed anything. */
export function differenceByRound(base: Planned, other: Planned, figure: Figure): RoundSeries {
  const [ofBase, ofOther] = figuresOfBoth(base, other, figure);
  const areMeasured = [ofBase, ofOther].every(({ values }) =>
    values.some(value => isMeasured(value, figure)),
  );
  return areMeasured ? ofOther.minus(ofBase) : new RoundSeries([], ofBase.planned);
}

/** The ends of figures that are only bounds, by round. A window that was cut short bounds nothing. */
export function endsOf(rounds: readonly RoundResult[], of: Figure): Map<number, Ends> {
  return new Map(
    wholeRounds(rounds).flatMap(round => {
      const low = figureIn(round, of);
      if (low === null || of.isLowerBound?.([round]) !== true) return [];
      return [[round.round, { low, high: Number.POSITIVE_INFINITY }] as const];
    }),
  );
}

/** The median of a figure over the rounds, and the highest that the true one can be. */
export function endsOfFigure(rounds: readonly RoundResult[], of: Figure): Ends | null {
  return endsOfMedian(
    rounds,
    round => figureIn(round, of),
    round => of.isLowerBound?.([round]) === true,
  );
}

/** A figure of both arms in every round that both have measured for the same time. */
function figuresOfBoth(
  base: Planned,
  other: Planned,
  figure: Figure,
): [ofBase: RoundSeries, ofOther: RoundSeries] {
  const baseRounds = new Map(base.rounds.map(round => [round.round, round]));
  const [ofBase, ofOther] = [new Map<number, number>(), new Map<number, number>()];
  for (const round of other.rounds) {
    const paired = baseRounds.get(round.round);
    if (paired === undefined || !hasPlannedData(paired) || !hasPlannedData(round)) continue;
    if (Math.abs(round.seconds - paired.seconds) > round.seconds * windowTolerance) continue;
    const [baseValue, value] = [figureIn(paired, figure), figureIn(round, figure)];
    if (baseValue === null || value === null) continue;
    ofBase.set(round.round, baseValue);
    ofOther.set(round.round, value);
  }
  return [
    new RoundSeries(ofBase, plannedRounds(base), endsOf(base.rounds, figure)),
    new RoundSeries(ofOther, plannedRounds(other), endsOf(other.rounds, figure)),
  ];
}
