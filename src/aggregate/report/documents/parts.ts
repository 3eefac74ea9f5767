import type { ClaimResult } from '../../result.ts';
import { formatInterval, formatMs, formatRate, formatRatioInterval } from '../../text/format.ts';
import { surroundingsOf } from '../../text/target-words.ts';
import {
  type Block,
  code,
  details,
  heading,
  type Item,
  list,
  narrow,
  only,
  paragraph,
  strong,
  wide,
} from '../blocks.ts';

/** What several documents have. */

/** A claim with its verdict, the reason and what was measured. */
export function claimBlocks(claim: ClaimResult): Block[] {
  const { id, verdict, statement, reason } = claim;
  const found = [paragraph(reason), paragraph(describeMeasured(claim))];
  return [
    ...only(narrow, [details(`${id} ${verdict}: ${statement}`, found, { tone: verdict })]),
    ...only(wide, [heading(2, `${id}: ${verdict}`), paragraph([strong(statement)]), ...found]),
  ];
}

export function warningBlocks(warnings: readonly string[]): Block[] {
  return [
    ...only(narrow, [
      list(warnings.map((warning): Item => ({ text: `Warning: ${warning}`, tone: 'warning' }))),
    ]),
    ...only(wide, [heading(2, 'Warnings'), warnings.length === 0 ? paragraph('None.') : list(warnings)]),
  ];
}

/** Target, machine and tool; `more` stands behind the tool. */
export function environmentBlocks(...of: Parameters<typeof surroundingsOf>): Block[] {
  return only(wide, [heading(2, 'Target and environment'), list(surroundingsOf(...of))]);
}

/** The config of a run, every key with its value. */
export function configCode(config: unknown): Block {
  return code('json', 'The config', JSON.stringify(config, null, 2).split('\n'));
}

/** What was measured for a claim, beside what it predicts. */
export function describeMeasured(claim: ClaimResult): string {
  return `Predicted: ${claim.predicted}. Measured: ${formatMeasured(claim) ?? 'nothing that this claim asks for'}.`;
}

/** "×1.41 [1.35, 1.47]", "0.412 [0.401, 0.430] ms", "34.2k [33.9k, 34.8k] ops/s"; null where nothing was measured. */
export function formatMeasured({
  measured,
  low,
  high,
  unit,
}: Pick<ClaimResult, 'measured' | 'low' | 'high' | 'unit'>): string | null {
  if (measured === null || low === null || high === null) return null;
  const interval = { median: measured, low, high };
  if (unit === '×') return formatRatioInterval(interval);
  return `${formatInterval(interval, unit === 'ms' ? formatMs : formatRate)} ${unit}`;
}

/**
 * Claims of which something was found, to be told in full, and the others.
 *
 * @param atLeast so many are told where nothing was found of any
 */
export function splitClaims(
  claims: readonly ClaimResult[],
  { atLeast }: { readonly atLeast: number },
): {
  readonly told: readonly ClaimResult[];
  readonly silent: readonly ClaimResult[];
} {
  const telling = claims.filter(claim => !saysNothing(claim));
  const told = telling.length > 0 ? telling : claims.slice(0, atLeast);
  return { told, silent: claims.filter(claim => !told.includes(claim)) };
}

/** Claims that were not tested, each with its reason, as a sentence; null without any. */
export function describeUntested(claims: readonly ClaimResult[]): string | null {
  if (claims.length === 0) return null;
  return `Not tested: ${claims.map(({ id, reason }) => `${id} (${reason.replace(/\.$/, '')})`).join('; ')}.`;
}

/** Whether the run had nothing for a claim: no verdict, no figure and nothing to compare. */
export function saysNothing({
  verdict,
  measured,
  comparisons,
}: Pick<ClaimResult, 'verdict' | 'measured' | 'comparisons'>): boolean {
  return verdict === 'not tested' && measured === null && comparisons.length === 0;
}
