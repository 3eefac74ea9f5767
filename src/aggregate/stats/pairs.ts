import type { RoundResult, ScenarioResult } from '../result.ts';
import { type PairedRatio, pairedRatio } from './paired-ratio.ts';
import { windowTolerance } from './whole-rounds.ts';

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
