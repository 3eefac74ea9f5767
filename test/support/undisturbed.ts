import type { TestContext } from 'vitest';

const attempts = 4;

/**
 * Measures until other programs were not in the way; where they are each time, the test is skipped: it could neither
 * pass nor fail for what it is about.
 *
 * @param isTelling whether a measurement can be judged, whatever the judgement
 */
export async function measureUndisturbed<T>(
  context: TestContext,
  measure: (attempt: number) => Promise<T>,
  isTelling: (measured: T) => boolean,
): Promise<T> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const measured = await measure(attempt);
    if (isTelling(measured)) return measured;
  }
  return context.skip('other programs have taken the cores of this machine');
}
