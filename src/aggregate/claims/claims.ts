import type { ClaimResult } from '../result.ts';
import type { Claim, Evidence } from './claim.ts';
import { multiPool } from './multi-pool.ts';

/** All claims poolbench can judge. */
export const claims: readonly Claim[] = [multiPool];

/** The verdict on every claim. One that the run has no arms for is `not tested`. */
export function judgeClaims(evidence: Evidence): ClaimResult[] {
  return claims.map(({ judge, ...claim }) => ({ ...claim, ...judge(evidence) }));
}
