import { nextRate, type SearchRange, type TriedRate } from '../../aggregate/search/next-rate.ts';
import { stepVerdict } from '../../aggregate/search/step-verdict.ts';

/** What a search asks of whoever measures. */
export interface Prober {
  /** Whether a rate meets the conditions this time; null where the measurement was stopped. */
  readonly repeat: (
    rate: number,
    place: { readonly step: number; readonly repeat: number },
  ) => Promise<boolean | null>;
  /** Is told of every step that has come to its verdict. */
  readonly concluded: (tried: TriedRate) => void | Promise<void>;
}

/**
 * Tries rates until the knee lies in an interval that is narrow enough, repeating each until its verdict is clear.
 *
 * @returns whether it came to its end, rather than being stopped
 * @throws what `repeat` throws
 */
export async function findKnee(range: SearchRange, { repeat, concluded }: Prober): Promise<boolean> {
  const tried: TriedRate[] = [];
  for (let rate = nextRate(tried, range); rate !== null; rate = nextRate(tried, range)) {
    let passes = 0;
    let fails = 0;
    let verdict = stepVerdict(passes, fails);
    while (verdict === null) {
      const passed = await repeat(rate, { step: tried.length + 1, repeat: passes + fails + 1 });
      if (passed === null) return false;
      if (passed) passes++;
      else fails++;
      verdict = stepVerdict(passes, fails);
    }
    const one = { rate, verdict };
    tried.push(one);
    await concluded(one);
  }
  return true;
}
