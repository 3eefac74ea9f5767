import type { ClaimResult, Result } from '../result.ts';

/** What a claim is judged on. */
export type Evidence = Pick<Result, 'target' | 'scenarios'>;

/** A statement with a predicted value and a design that tests it: data and one pure function. */
export interface Claim {
  readonly id: string;
  readonly statement: string;
  readonly predicted: string;
  readonly judge: (evidence: Evidence) => Judgement;
}

/** What judging adds to the claim's own words. */
export type Judgement = Omit<ClaimResult, 'id' | 'statement' | 'predicted'>;
