import type { Interval } from '../result.ts';
import { clearlyMore } from '../stats/statistics.ts';
import { sayRatioAgainst } from './judging/figure-words.ts';
import type { Finding } from './multi-pool-findings.ts';

/** Both effects of a setting, as a clause, or why they are no ground; null where there is nothing to say of them. */
export function saySplit({ split, sound }: Finding): string | null {
  // Of a setting that is not sound the flaw is told already.
  if (split === null || !sound) return null;
  const { pools, pool, thread, flaw } = split;
  if (flaw !== null) return `the run cannot take the gain apart, as ${flaw}`;
  return `taken apart: ${pools} pools in one thread ${sayRatioAgainst(pool, clearlyMore)}, their threads ${sayRatioAgainst(thread, clearlyMore)}`;
}

/** Whose the gain of these settings is, as a clause: of the threads, of the pools, of both, or that it is not clear. */
export function sayWhose(findings: readonly Finding[]): string {
  const told = findings.flatMap(finding => whoseOf(finding) ?? []);
  const [first] = told;
  if (first === undefined) return 'by pools or by threads, the run cannot tell';
  const agreed = told.length === findings.length && told.every(one => one === first);
  return agreed ? first : unclear;
}

const unclear = 'it is not clear whether by pools or by threads';

function whoseOf({ split }: Finding): string | null {
  return split === null || split.flaw !== null ? null : whoseGain[sideOf(split.pool)][sideOf(split.thread)];
}

type Side = 'gains' | 'does not' | 'unclear';

function sideOf({ low, high }: Interval): Side {
  if (low > clearlyMore) return 'gains';
  return high < clearlyMore ? 'does not' : 'unclear';
}

/** By what the pools do, then by what their threads do. Where one is open, so is whether it is that one alone. */
const whoseGain = {
  gains: { gains: 'it is both pools and threads', 'does not': 'it is the pools', unclear },
  'does not': { gains: 'it is their threads', 'does not': unclear, unclear },
  unclear: { gains: unclear, 'does not': unclear, unclear },
} as const satisfies Record<Side, Record<Side, string>>;
