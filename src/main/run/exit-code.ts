import { lostRatio } from '../../aggregate/summary.ts';
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
  { interrupted }: { readonly interrupted: boolean },
): number {
  expectNoError(error, { interrupted });
  if (interrupted) return 130;
  for (const [index, { name, scenarios }] of results.entries()) {
    const where = results.length > 1 ? ` on ${name}` : '';
    const rounds = scenarios.flatMap(scenario => scenario.rounds);
    if (!rounds.some(round => round.completed > 0)) {
      throw new PoolbenchError(
        'NOTHING_MEASURED',
        `expected operations to complete${where}, but none did; see the errors above`,
      );
    }
    const lost = lostRatio(rounds);
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

/**
 * Who stops a run may stop its server with it, and reads in the results how far it came; a defect is told even so.
 *
 * @throws what ended it early
 */
export function expectNoError(
  error: Error | undefined,
  { interrupted }: { readonly interrupted: boolean },
): void {
  if (error === undefined || (interrupted && error instanceof PoolbenchError)) return;
  throw error;
}
