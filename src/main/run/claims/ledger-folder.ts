import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { judgeClaims, judgeVersusClaims } from '../../../aggregate/claims/claims.ts';
import {
  type JudgedSuite,
  type Ledger,
  type LedgerSuite,
  ledgerSchema,
} from '../../../aggregate/claims/ledger.ts';
import { comparisonSchema } from '../../../aggregate/comparison/schema.ts';
import { ledgerDocument } from '../../../aggregate/report/documents/ledger.ts';
import { resultName } from '../../../aggregate/report/files/result-files.ts';
import { renderMarkdown } from '../../../aggregate/report/markdown.ts';
import type { ClaimResult, Result } from '../../../aggregate/result.ts';
import { withoutControls } from '../../../aggregate/stats/control.ts';
import { formatList } from '../../../aggregate/text/format.ts';
import { readChecked, readResult } from '../results/read-result.ts';
import { comparisonName, jsonFile, type Written, writeAsFarAsPossible } from '../results/results-folder.ts';
import type { PlannedSuite } from './plan-suites.ts';

/** Writes `ledger.json` and `ledger.md`, each atomically. */
export function writeLedger(folder: string, ledger: Ledger): Promise<Written> {
  return writeAsFarAsPossible(folder, [
    jsonFile('ledger.json', ledger),
    { path: 'ledger.md', render: () => renderMarkdown(ledgerDocument(ledger)) },
  ]);
}

/** The ledger of a folder. @throws PoolbenchError RESULT_INVALID */
export function readLedger(folder: string): Promise<Ledger> {
  return readChecked(join(folder, 'ledger.json'), ledgerSchema, 'a ledger, as poolbench claims makes it');
}

/** Where a suite's verdicts are, relative to the ledger. */
export function resultOf({ name, opponents }: PlannedSuite): string {
  return `${name}/${opponents === null ? resultName : comparisonName}`;
}

/**
 * A suite left by an earlier command, if it ran to its end. It is judged again, so that the whole ledger follows the
 * same rules; its rounds and times are those that were measured, even if the config has changed since.
 *
 * @throws PoolbenchError RESULT_INVALID
 */
export async function readSuite(folder: string, suite: PlannedSuite): Promise<JudgedSuite> {
  const path = resultOf(suite);
  if (suite.shown.state === 'impossible' || !existsSync(join(folder, path))) {
    return { ...suite.shown, judged: null };
  }
  const { complete, before, now, measured } = await readVerdicts(folder, suite);
  const shown = { ...suite.shown, result: path };
  if (!complete) return { ...shown, ...measuredOf(measured), state: 'unfinished', judged: null };
  const note = describeChanges(suite, before, now);
  return { ...shown, ...sizeOf(measured), state: 'complete', note, judged: now };
}

/**
 * The results of a suite: its verdicts by the rules of that time and by the current ones, and the result of one of its
 * sides.
 */
async function readVerdicts(folder: string, suite: PlannedSuite) {
  const file = join(folder, resultOf(suite));
  if (suite.opponents === null) {
    const result = await readResult(file);
    return { complete: result.complete, before: result.claims, now: judgeClaims(result), measured: result };
  }
  const { complete, claims } = await readChecked(file, comparisonSchema, 'the comparison of a suite');
  const results = await Promise.all(
    suite.plan.sides.map(({ name }) => readResult(join(folder, suite.name, name, resultName))),
  );
  const now = complete ? judgeVersusClaims(results) : claims;
  return { complete, before: claims, now, measured: results[suite.own] };
}

/** Details of a suite's result: its number of rounds, and its two identical arms if it has a control. */
export function measuredOf(result: Result | undefined): Pick<LedgerSuite, 'control'> & { rounds?: number } {
  if (result === undefined) return {};
  const { control, scenarios } = result;
  return {
    rounds: Math.max(0, ...scenarios.map(({ rounds }) => rounds.length)),
    ...(control === undefined ? {} : { control }),
  };
}

const size = z.object({ seconds: z.number(), warmupSeconds: z.number() });

/** What was actually measured, according to its config. */
function sizeOf(result: Result | undefined): Partial<LedgerSuite> {
  const { success, data } = size.safeParse(result?.config);
  if (!success || result === undefined) return {};
  return { scenarios: withoutControls(result).length, ...data, ...measuredOf(result) };
}

/** Notes the verdicts that have changed: the files next to the result have the older ones. */
function describeChanges(
  { claims }: PlannedSuite,
  before: readonly ClaimResult[],
  now: readonly ClaimResult[],
): string {
  const verdictIn = (judged: readonly ClaimResult[], id: string) =>
    judged.find(claim => claim.id === id)?.verdict ?? 'not judged';
  const changed = claims.filter(({ id }) => verdictIn(before, id) !== verdictIn(now, id));
  if (changed.length === 0) return '';
  const verdicts = changed.map(({ id }) => `${id} was ${verdictIn(before, id)}`);
  return `Judged again by the current rules; in its own report ${formatList(verdicts)}.`;
}
