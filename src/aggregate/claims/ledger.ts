import { z } from 'zod';
import { type ClaimResult, resultSchema, type Verdict } from '../result.ts';
import { instant } from '../round.ts';
import { type ClaimWords, untested } from './claim.ts';

/** `ledger.json`, schemaVersion 1: the verdict on every claim, from all suites against one target. */

const result = resultSchema.shape;

const suite = z.object({
  name: z.string(),
  /** Ids of the claims that it tests. */
  claims: z.array(z.string()),
  /** Only complete suites have verdicts. One that is impossible with this target will never be complete. */
  state: z.enum(['complete', 'unfinished', 'failed', 'not run', 'impossible']),
  /** Why it is not complete, or what has been judged again since it ran, as a sentence; may be empty. */
  note: z.string(),
  /**
   * Of one side, if it has several. Measured, not planned: the rounds once it has begun, all four once it is complete.
   */
  scenarios: z.number(),
  rounds: z.number(),
  seconds: z.number(),
  warmupSeconds: z.number(),
  /** Its two identical arms, of the ledger's target; absent if it has no control or has not run. */
  control: result.control,
  /** Its result, relative to the ledger; null if it has none. */
  result: z.string().nullable(),
  /** The command that runs only this suite, from poolbench's own folder; null if it needs two servers. */
  command: z.string().nullable(),
});

const entry = result.claims.element.omit({ comparisons: true }).extend({
  suite: z.string(),
  /** The result that it was judged on, relative to the ledger; null if there is none. */
  result: z.string().nullable(),
});

export const ledgerSchema = z.object({
  schemaVersion: z.literal(1),
  /** Whether every suite that can be run against this target has run to its end. */
  complete: z.boolean(),
  name: z.string(),
  startedAt: instant,
  finishedAt: instant,
  tool: result.tool,
  environment: result.environment,
  /** The agents that ran the load of the suites; absent without agents. The result of a suite has those of the suite. Since 0.10. */
  hosts: z.array(result.hosts.unwrap().element.omit({ threads: true, roundTripMs: true })).optional(),
  target: result.target,
  /** The command that made it, without a password. */
  command: z.string(),
  /** The options that override the suites' configs, as typed: a resumed ledger must use the same. */
  settings: z.object({
    rounds: z.string().optional(),
    seconds: z.string().optional(),
    warmup: z.string().optional(),
    seed: z.string().optional(),
  }),
  entries: z.array(entry),
  suites: z.array(suite),
});

export type Ledger = z.infer<typeof ledgerSchema>;
export type LedgerEntry = z.infer<typeof entry>;
export type LedgerSuite = z.infer<typeof suite>;

/** A suite, and what it made of its claims; null if it did not run to its end. */
export interface JudgedSuite extends LedgerSuite {
  readonly judged: readonly ClaimResult[] | null;
}

/** What a ledger records about the run that makes it. */
export type LedgerHead = Omit<Ledger, 'schemaVersion' | 'complete' | 'finishedAt' | 'entries' | 'suites'>;

/** The current ledger: plain data, rebuilt after every suite. */
export function assembleLedger(
  head: LedgerHead,
  claims: readonly ClaimWords[],
  suites: readonly JudgedSuite[],
  finishedAt: Date,
): Ledger {
  return {
    ...head,
    schemaVersion: 1,
    complete: suites.every(({ state }) => state === 'complete' || state === 'impossible'),
    finishedAt: finishedAt.toISOString(),
    entries: buildEntries(claims, suites),
    suites: suites.map(({ judged: _, ...suite }) => suite),
  };
}

/** An entry for each claim, C2 before C10: the verdict of its suite, or why there is none. */
function buildEntries(claims: readonly ClaimWords[], suites: readonly JudgedSuite[]): LedgerEntry[] {
  const byName = new Map(suites.map(suite => [suite.name, suite]));
  return claims
    .map(claim => buildEntry(claim, byName.get(claim.suite)))
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

function buildEntry(claim: ClaimWords, suite: JudgedSuite | undefined): LedgerEntry {
  const judged = suite?.judged?.find(({ id }) => id === claim.id);
  const entry = judged ?? { ...claim, ...untested(describeMissing(claim, suite)) };
  const { comparisons: _, ...verdict } = entry;
  return { ...verdict, suite: claim.suite, result: suite?.result ?? null };
}

/** Why a claim has no verdict, as a sentence. */
function describeMissing({ id, suite: name }: ClaimWords, suite: JudgedSuite | undefined): string {
  if (suite === undefined || suite.state === 'not run') return `Its suite, ${name}, has not run yet.`;
  if (suite.state === 'complete') {
    return `The result of its suite, ${name}, has no verdict on ${id}.`;
  }
  if (suite.state === 'impossible') return suite.note;
  const had = suite.result === null ? '' : ` Its partial result is in ${suite.result}.`;
  return `Its suite, ${name}, did not run to its end. ${suite.note}${had}`;
}

/** "4 supported, 6 refuted, 7 inconclusive, 2 not tested"; a verdict that no claim has is left out. */
export function countVerdicts(entries: readonly { readonly verdict: Verdict }[]): string {
  const verdicts = ['supported', 'refuted', 'inconclusive', 'not tested'] as const;
  return verdicts
    .map(verdict => ({ verdict, count: entries.filter(entry => entry.verdict === verdict).length }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${count} ${verdict}`)
    .join(', ');
}
