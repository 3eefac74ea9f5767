import type { Result } from '../result.ts';
import { formatPlural } from '../text/format.ts';

/** What a reader must know of a run that is not all it was meant to be; null if it is. */
export function describeShortfall(result: Pick<Result, 'complete' | 'scenarios'>): string | null {
  const { complete, scenarios } = result;
  const measured = scenarios.filter(scenario => scenario.rounds.length > 0);
  if (measured.length === 0) {
    return complete
      ? 'NOTHING MEASURED: no round of any scenario was finished.'
      : 'INCOMPLETE: the run ended early, before any round of a scenario was finished.';
  }
  if (!complete) {
    const rounds = scenarios.map(scenario => scenario.rounds.length);
    const fewest = Math.min(...rounds);
    const most = Math.max(...rounds);
    const had = fewest === most ? formatPlural(most, 'round') : `${fewest} to ${formatPlural(most, 'round')}`;
    return `INCOMPLETE: the run ended early; these are the figures it had, of ${had} a scenario.`;
  }
  if (measured.every(scenario => scenario.rounds.every(round => round.completed === 0))) {
    return 'NOTHING COMPLETED: every operation failed or stayed unanswered.';
  }
  return null;
}
