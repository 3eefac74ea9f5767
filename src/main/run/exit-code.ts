import type { GateResult } from '../../aggregate/comparison/schema.ts';
import { gateAlerts } from '../../aggregate/report/documents/gates.ts';
import { describeThresholds } from '../../aggregate/report/documents/thresholds.ts';
import type { Result } from '../../aggregate/result.ts';
import { loadsOf } from '../../aggregate/stats/populations.ts';
import { lostRatio } from '../../aggregate/stats/summary.ts';
import { toPlainLines } from '../../aggregate/text/format.ts';
import { PoolbenchError } from '../errors.ts';
import type { PlannedSide } from '../experiment/plan.ts';

/** How a run ended. */
interface Ended {
  /** In the order of the sides. */
  readonly results: readonly Result[];
  /** What ended it early. */
  readonly error: Error | undefined;
}

/**
 * Writes the crossed thresholds to standard error if they determine the exit code, so that the log always has the
 * reason.
 *
 * @returns the exit code
 * @throws as `exitCodeOf`
 */
export function endRun(
  ended: Ended,
  sides: readonly PlannedSide[],
  options: { readonly interrupted: boolean },
): number {
  const code = exitCodeOf(ended, sides, options);
  if (code === 99) {
    const sentence = describeThresholds(ended.results.flatMap(({ thresholds }) => thresholds));
    process.stderr.write(`poolbench: ${toPlainLines(sentence ?? '')}\n`);
  }
  return code;
}

/**
 * The exit code of a measured run: 0, 99 if a threshold was crossed, or 130 if it was interrupted. A failed run cannot
 * be judged, so its error comes before its thresholds.
 *
 * @throws what ended the run early; PoolbenchError NOTHING_MEASURED or TOO_MANY_FAILURES, for the first side to which
 * it applies
 */
export function exitCodeOf(
  { results, error }: Ended,
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
        `expected operations to complete${where}, but none did; see the report`,
      );
    }
    const max = sides[index]?.experiment.maxFailedShare ?? 0;
    // If a population fails, the comparison with it shows nothing.
    for (const { population, rounds: ofLoad } of loadsOf({ id: '', rounds })) {
      const lost = lostRatio(ofLoad);
      if (lost <= max) continue;
      const of = population === null ? '' : ` of population ${population}`;
      throw new PoolbenchError(
        'TOO_MANY_FAILURES',
        `expected at most ${max * 100} % of the operations${of}${where} to fail (maxFailedShare), found ${(lost * 100).toFixed(2)} %`,
      );
    }
  }
  return results.some(({ thresholds }) => thresholds.some(({ crossed }) => crossed)) ? 99 : 0;
}

/**
 * Writes failed and undecided gates to standard error.
 *
 * @param otherwise the exit code if none failed
 * @returns the exit code
 */
export function endGates(gates: readonly GateResult[], otherwise = 0): number {
  for (const alert of gateAlerts(gates)) process.stderr.write(`poolbench: ${toPlainLines(alert)}\n`);
  return gates.some(({ outcome }) => outcome === 'beyond') ? 98 : otherwise;
}

/**
 * The error of an interrupted run is not reported, because the user may have stopped the server as well. Defects are
 * reported anyway.
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
