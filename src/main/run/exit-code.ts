import { lostShare } from '../../aggregate/summary.ts';
import { PoolbenchError } from '../errors.ts';
import type { PlannedSide } from '../plan/sides.ts';
import type { SidesOutcome } from './run-sides.ts';

/**
 * The exit code of a run that was measured: 0, 99 if a threshold was crossed, or 130 if it was interrupted. A run that
 * failed is no ground for a judgement, so its error comes before its thresholds.
 *
 * @throws what ended the run early; PoolbenchError NOTHING_MEASURED, TOO_MANY_FAILURES of the first side that it is true of
 */
export function exitCodeOf(
  { results, error }: Pick<SidesOutcome, 'results' | 'error'>,
  sides: readonly PlannedSide[],
  signal: Pick<AbortSignal, 'aborted'>,
): number {
  if (signal.aborted) return 130;
  if (error !== undefined) throw error;
  for (const [index, { name, scenarios }] of results.entries()) {
    const where = results.length > 1 ? ` on ${name}` : '';
    const rounds = scenarios.flatMap(scenario => scenario.rounds);
    if (!rounds.some(round => round.completed > 0)) {
      throw new PoolbenchError(
        'NOTHING_MEASURED',
        `expected operations to complete${where}, but none did; see the errors above`,
      );
    }
    const lost = lostShare(rounds);
    const most = sides[index]?.experiment.maxFailedShare ?? 0;
    if (lost > most) {
      throw new PoolbenchError(
        'TOO_MANY_FAILURES',
        `expected at most ${most * 100} % of the operations${where} to fail (maxFailedShare), found ${(lost * 100).toFixed(2)} %`,
      );
    }
  }
  return results.some(({ thresholds }) => thresholds.some(({ crossed }) => crossed)) ? 99 : 0;
}
