import type { RoundResult, ScenarioResult } from '../../result.ts';
import { minRounds } from '../../stats/statistics.ts';
import { lostRatio } from '../../stats/summary.ts';
import { wholeRounds } from '../../stats/whole-rounds.ts';

/**
 * Share of operations that may fail or stay unfinished in an arm before its figures say nothing. They have no latency,
 * so an arm that loses its slowest 1 % has lost all that its p99 is about; a fifth of those leaves a p99 standing.
 */
const mostLost = 0.002;

/** What a verdict would be made of. */
export interface Ground {
  readonly arms: readonly ScenarioResult[];
  /** One figure for each round that all of the arms have measured. */
  readonly byRound: readonly number[];
}

/** Why these figures are no ground for a verdict, as a clause; null if they are. By whole rounds: no other is in a verdict. */
export function findFlaw(grounds: readonly Ground[]): string | null {
  for (const arm of new Set(grounds.flatMap(ground => ground.arms))) {
    const whole = wholeRounds(arm.rounds);
    const lost = lostRatio(whole) - cutShare(whole);
    if (lost > mostLost) {
      return `${(lost * 100).toFixed(lost < 0.01 ? 2 : 1)} % of the operations of ${arm.id} failed or stayed unfinished${arm.cutEveryMs > 0 ? ' beyond one a cut' : ''}, and ${mostLost * 100} % is the limit`;
    }
    const silent = whole.find(round => round.completed === 0);
    if (silent) return `nothing completed in round ${silent.round} of ${arm.id}`;
  }
  const rounds = Math.min(...grounds.map(({ byRound }) => byRound.length));
  if (rounds >= minRounds) return null;
  const common =
    rounds === 0 ? 'no round is' : rounds === 1 ? 'only 1 round is' : `only ${rounds} rounds are`;
  return `${common} common to all scenarios, and a verdict needs ${minRounds}`;
}

/** What cuts on purpose may have ended, one operation each, as a share of those issued: no loss that was not asked for. */
function cutShare(rounds: readonly RoundResult[]): number {
  const sum = (count: (round: RoundResult) => number) =>
    rounds.reduce((total, round) => total + count(round), 0);
  const issued = sum(round => round.issued);
  return sum(({ cuts }) => cuts) / Math.max(1, issued);
}
