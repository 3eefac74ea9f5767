import type { Result, RoundResult, ScenarioResult } from '../result.ts';
import { type PairedRatio, pairedRatio } from './paired-ratio.ts';

/** Difference of two windows, as a fraction, up to which they count as equal: threads are stopped some milliseconds apart. */
export const windowTolerance = 0.05;
/** Fraction of the longest window, or of the planned one, from which a round counts as whole. */
const minWhole = 1 - windowTolerance;

/** The rounds that were measured to their end: an interrupt can cut the last window of a run short. */
export function wholeRounds(rounds: readonly RoundResult[]): RoundResult[] {
  const longest = Math.max(0, ...rounds.map(round => round.seconds));
  return rounds.filter(round => round.seconds >= longest * minWhole);
}

/** The rounds of a run that was stopped which can stay as they are. */
export interface FinishedRounds {
  /** How many, from the first on. */
  readonly count: number;
  /** Of each scenario, by its id. */
  readonly rounds: ReadonlyMap<string, readonly RoundResult[]>;
}

/**
 * Rounds in which every one of these scenarios was measured to the end of its window, up to the first that was not: its
 * scenarios are to be compared with one another, so it is measured anew as a whole.
 *
 * @param seconds length of the window that was planned
 */
export function finishedRounds(
  { scenarios }: Pick<Result, 'scenarios'>,
  { ids, seconds }: { readonly ids: readonly string[]; readonly seconds: number },
): FinishedRounds {
  const byId = new Map(scenarios.map(({ id, rounds }) => [id, rounds]));
  const isFinished = (round: number) =>
    ids.every(id => byId.get(id)?.some(one => one.round === round && one.seconds >= seconds * minWhole));
  let count = 0;
  while (ids.length > 0 && isFinished(count + 1)) count++;
  const kept = ids.map(id => [id, (byId.get(id) ?? []).filter(({ round }) => round <= count)] as const);
  return { count, rounds: new Map(kept) };
}

/** other / base of a figure in every round that both have measured for the same time; a figure of 0 makes no ratio. */
export function pairByRound(
  base: ScenarioResult,
  other: ScenarioResult,
  figure: (round: RoundResult) => number,
): PairedRatio {
  const equals = new Set(roundsOfEqualWindows(base, other));
  return pairedRatio(figureByRound(base, equals, figure), figureByRound(other, equals, figure));
}

/** Rounds that both have measured for the same time: an interrupt can cut the last window of a run short. */
function roundsOfEqualWindows(one: ScenarioResult, several: ScenarioResult): number[] {
  const seconds = new Map(one.rounds.map(round => [round.round, round.seconds]));
  return several.rounds
    .filter(
      round => Math.abs(round.seconds - (seconds.get(round.round) ?? 0)) <= round.seconds * windowTolerance,
    )
    .map(round => round.round);
}

function figureByRound(
  scenario: ScenarioResult,
  rounds: ReadonlySet<number>,
  figure: (round: RoundResult) => number,
): Map<number, number> {
  const counted = scenario.rounds.filter(({ round }) => rounds.has(round));
  return new Map(counted.map(round => [round.round, figure(round)]));
}
