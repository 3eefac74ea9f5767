/**
 * The candidate that `word` most likely misspells, or the only candidate that contains it ("redis" in "node-redis");
 * undefined if there is none.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== undefined) return best;
  const whole = candidates.filter(candidate => candidate.split('-').includes(word));
  return whole.length === 1 ? whole[0] : undefined;
}

/** ` (did you mean redis://h?)`, to append after what was found: the form of every suggestion. Empty without one. */
export function didYouMean(meant: string | undefined): string {
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

/** Whether a message ends with such a suggestion. */
export const isGuessed = (message: string): boolean => message.endsWith('?)');

/**
 * The same of the candidate that `word` is most likely a misspelling of, if one is close.
 *
 * @param show its form, by default in quotes
 */
export function suggest(
  word: string,
  candidates: readonly string[],
  show = (meant: string) => `"${meant}"`,
): string {
  const meant = nearest(word, candidates);
  return didYouMean(meant === undefined ? undefined : show(meant));
}

/** For words that are typed without quotes. */
export const asIs = (meant: string): string => meant;

/** Optimal string alignment: as Levenshtein's, but swapping two neighbours is one edit. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substituted = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swaps = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped =
        swaps && row > 1 && column > 1 ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(substituted, swapped, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
