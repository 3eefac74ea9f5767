import {
  assembleLedger,
  type JudgedSuite,
  type Ledger,
  type LedgerHead,
} from '../../src/aggregate/claims/ledger.ts';
import type { ClaimResult } from '../../src/aggregate/result.ts';
import { buildResult } from './result-builder.ts';

/** Ledgers as a run would leave them, made of the verdicts that a test is about. */

const { tool, environment, target } = buildResult([], { claims: [] });

export const ledgerHead: LedgerHead = {
  name: 'redis',
  startedAt: '2026-11-23T10:00:00.000Z',
  tool,
  environment,
  target,
  command: 'npm run claims -- redis',
  settings: {},
};

/** A claim that is supported, unless told otherwise. */
export function buildClaim(id: string, changes: Partial<ClaimResult> = {}): ClaimResult {
  return {
    id,
    statement: `${id} holds.`,
    predicted: '×1.2 or more',
    unit: '×',
    measured: 1.4,
    low: 1.3,
    high: 1.5,
    predictedRange: { low: 1.2, high: null },
    verdict: 'supported',
    reason: 'Throughput was higher. And so on.',
    gist: 'Throughput was higher.',
    predictions: 1,
    limitedBy: ['client'],
    comparisons: [],
    ...changes,
  };
}

/** A suite that ran to its end. */
export function buildSuite(
  name: string,
  claims: readonly string[],
  judged: readonly ClaimResult[] | null,
): JudgedSuite {
  return {
    name,
    claims: [...claims],
    state: 'complete',
    note: '',
    scenarios: 4,
    rounds: 9,
    seconds: 1,
    warmupSeconds: 0.25,
    result: `${name}/result.json`,
    command: `npm start -- configs/claims/${name}.json --target configs/redis.json`,
    judged,
  };
}

/** Each claim with a suite of its own, "suite-C1", which may be changed. */
export function buildLedger(
  claims: readonly ClaimResult[],
  head: Partial<LedgerHead> = {},
  suite: Partial<JudgedSuite> = {},
): Ledger {
  return assembleLedger(
    { ...ledgerHead, ...head },
    claims.map(claim => ({ ...claim, suite: `suite-${claim.id}` })),
    claims.map(claim => ({ ...buildSuite(`suite-${claim.id}`, [claim.id], [claim]), ...suite })),
    new Date('2026-11-23T11:00:00Z'),
  );
}
