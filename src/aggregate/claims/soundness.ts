import type { Pair } from '../pairs.ts';
import { combineByRound } from '../statistics.ts';
import { lostShare } from '../summary.ts';

/** With fewer rounds no interval is worth a verdict. */
export const fewestRounds = 5;
/** Share of operations that may fail or stay unfinished in an arm before its figures say nothing. */
export const mostLost = 0.01;

/** Why the figures of these pairs are no ground for a verdict, as a clause; null if they are. */
export function findFlaw(pairs: readonly Pair[]): string | null {
  for (const arm of new Set(pairs.flatMap(pair => [pair.one, pair.several]))) {
    const lost = lostShare(arm.rounds);
    if (lost > mostLost) {
      return `${(lost * 100).toFixed(1)} % of the operations of ${arm.id} failed or stayed unfinished, and ${mostLost * 100} % is the limit`;
    }
    const silent = arm.rounds.find(round => round.completed === 0);
    if (silent) return `nothing completed in round ${silent.round} of ${arm.id}`;
  }
  const rounds = combineByRound(pairs.map(pair => pair.throughput)).length;
  if (rounds >= fewestRounds) return null;
  const common =
    rounds === 0 ? 'no round is' : rounds === 1 ? 'only 1 round is' : `only ${rounds} rounds are`;
  return `${common} common to all scenarios, and a verdict needs ${fewestRounds}`;
}
