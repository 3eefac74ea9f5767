import type { Result } from '../../aggregate/result.ts';
import { toPlainLines } from '../../aggregate/text/format.ts';
import { describeThresholds } from '../../aggregate/thresholds/words.ts';
import type { PlannedSide } from '../plan/sides.ts';
import { exitCodeOf } from './exit-code.ts';
import { shoutBanners } from './meet-target.ts';
import type { SidesOutcome } from './run-sides.ts';

/**
 * What is left to say of a run on standard error once its results are printed, whether it was measured now or before.
 *
 * @returns the exit code
 * @throws as `exitCodeOf`
 */
export function endRun(
  { results, error }: Pick<SidesOutcome, 'results' | 'error'>,
  sides: readonly PlannedSide[],
  { json, signal }: { readonly json: boolean; readonly signal: Pick<AbortSignal, 'aborted'> },
): number {
  if (json) for (const { target } of results) shoutBanners(target);
  const code = exitCodeOf({ results, error }, sides, signal);
  if (code === 99) sayCrossed(results);
  return code;
}

/** Whoever reads the exit code in a log finds its reason there, whatever standard output was asked for. */
function sayCrossed(results: readonly Result[]): void {
  const sentence = describeThresholds(results.flatMap(({ thresholds }) => thresholds));
  process.stderr.write(`poolbench: ${toPlainLines(sentence ?? '')}\n`);
}
