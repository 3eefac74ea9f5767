import type { ClaimResult } from '../result.ts';
import { formatInterval, formatMs, formatRate, formatRatioInterval, toOneLine } from './format.ts';

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
  return `${formatInterval(interval, unit === 'ms' ? formatMs : formatRate)} ${toOneLine(unit)}`;
}

/** Claims of which a run says something, to be told in full, and the others; where it says nothing of any, C1 is told. */
export function splitClaims(claims: readonly ClaimResult[]): {
  readonly told: readonly ClaimResult[];
  readonly silent: readonly ClaimResult[];
} {
  const telling = claims.filter(claim => !saysNothing(claim));
  const told = telling.length > 0 ? telling : claims.slice(0, 1);
  return { told, silent: claims.filter(claim => !told.includes(claim)) };
}

/** Whether the run had nothing for a claim: no verdict, no figure and nothing to compare. */
export function saysNothing({
  verdict,
  measured,
  comparisons,
}: Pick<ClaimResult, 'verdict' | 'measured' | 'comparisons'>): boolean {
  return verdict === 'not tested' && measured === null && comparisons.length === 0;
}
