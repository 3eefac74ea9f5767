import type { ClaimResult, Result } from '../result.ts';

/** What a claim about one server is judged on. */
export type Evidence = Pick<Result, 'target' | 'scenarios'>;

/** What a claim says, and where it is tested. */
interface ClaimWords {
  readonly id: string;
  /** In our own words. */
  readonly statement: string;
  readonly predicted: string;
  /** The suite in configs/claims/ that has its arms, without ".json". */
  readonly suite: string;
}

/** A claim about one server, judged on one run. */
export interface OneServerClaim extends ClaimWords {
  readonly judge: (evidence: Evidence) => Judgement;
}

/** A claim about two servers, judged on the results of all sides of one `poolbench versus`. */
export interface TwoServerClaim extends ClaimWords {
  readonly judgeSides: (results: readonly Result[]) => Judgement;
}

/** A statement with a predicted value and a design that tests it: data and one pure function. */
export type Claim = OneServerClaim | TwoServerClaim;

/** What judging adds to the claim's own words. */
export interface Judgement extends Omit<ClaimResult, 'id' | 'statement' | 'predicted'> {
  /** The run has none of the claim's arms: its suite has them. */
  readonly lacksArms?: true;
}
