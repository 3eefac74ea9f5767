import type { RoundResult } from './result.ts';

/** Share of the longest window from which a round counts as whole: threads are stopped some milliseconds apart. */
export const wholeShare = 0.95;

/** The rounds that were measured to their end: an interrupt can cut the last window of a run short. */
export function wholeRounds(rounds: readonly RoundResult[]): RoundResult[] {
  const longest = Math.max(0, ...rounds.map(round => round.seconds));
  return rounds.filter(round => round.seconds >= longest * wholeShare);
}
