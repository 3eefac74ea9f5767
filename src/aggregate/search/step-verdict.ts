/**
 * When a step is repeated often enough: a sequential test of whether a rate meets the conditions more often than not.
 * It ends where passes and fails are `margin` apart, or where `maxRepeats` cannot bring them so far apart any more.
 */
export const margin = 3;
export const maxRepeats = 9;

/** `unclear`: the rate meets the conditions about as often as not, so it is at the knee. */
export type StepVerdict = 'pass' | 'fail' | 'unclear';

/** The verdict on a step after so many passes and fails; null while it takes more of them. */
export function stepVerdict(passes: number, fails: number): StepVerdict | null {
  const lead = passes - fails;
  if (lead >= margin) return 'pass';
  if (lead <= -margin) return 'fail';
  const left = maxRepeats - passes - fails;
  return Math.abs(lead) + left < margin ? 'unclear' : null;
}

/**
 * How often a step ends with each verdict, where repeats are independent and each passes with this probability, and
 * how many repeats it takes on average. Exact: every course of the test is followed.
 *
 * @param passChance 0 to 1
 */
export function verdictChances(passChance: number): Record<StepVerdict | 'repeats', number> {
  const chances = { pass: 0, fail: 0, unclear: 0, repeats: 0 };
  /** How likely the test is to have come so far without an end, by passes; the fails are the rest of the repeats. */
  let going = new Map([[0, 1]]);
  for (let repeats = 1; going.size > 0; repeats++) {
    const next = new Map<number, number>();
    for (const [passes, chance] of going) {
      chances.repeats += chance;
      for (const [more, share] of [
        [1, passChance],
        [0, 1 - passChance],
      ] as const) {
        const verdict = stepVerdict(passes + more, repeats - passes - more);
        if (verdict !== null) chances[verdict] += chance * share;
        else next.set(passes + more, (next.get(passes + more) ?? 0) + chance * share);
      }
    }
    going = next;
  }
  return chances;
}
