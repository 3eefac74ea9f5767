import type { Result, ThresholdResult } from '../../result.ts';
import { findMetric } from '../../stats/metrics.ts';
import { formatPlural } from '../../text/format.ts';
import { claimPrefix, isMet, parseCondition } from '../../thresholds/judge-thresholds.ts';
import {
  type Block,
  badge,
  heading,
  type Item,
  list,
  narrow,
  only,
  paragraph,
  type Table,
  table,
  toned,
  wide,
  words,
} from '../blocks.ts';
import { withMark } from '../marks.ts';

/** A value closer to its limit than this fraction of it is written with more digits. */
const closeRatio = 0.01;

/** A threshold, and the side of a comparison that it was set for. */
export type ListedThreshold = ThresholdResult & { readonly side?: string };

/** "response.p99 < 5ms: 7.21 ms in wire-optimized-1pool-50workers". */
export function describeThreshold(threshold: ListedThreshold): string {
  const { metric, condition, scenario, side } = threshold;
  const where = scenario === null ? '' : ` in ${scenario}`;
  const on = side === undefined ? '' : ` on ${side}`;
  return `${metric} ${condition}: ${describeValue(threshold)}${where}${on}`;
}

/** The value in words, with the mark of its caveat. */
function describeValue(threshold: ThresholdResult): string {
  return withMark(describeFigure(threshold), threshold.caveat);
}

function describeFigure({ metric, condition, value }: ThresholdResult): string {
  if (value === null) return metric.startsWith(claimPrefix) ? 'not judged' : 'not measured';
  if (typeof value === 'string') return value;
  const kind = findMetric(metric)?.kind;
  if (kind === undefined) return String(value);
  const limit = parseCondition(condition, kind)?.limit;
  const isClose = limit !== undefined && Math.abs(value - limit) < closeRatio * limit;
  return isClose ? kind.formatClosely(value) : kind.format(value);
}

/** Whether a value meets its condition, even if the threshold counts as crossed for another reason. */
export function isMetByItsValue({ metric, condition, value }: ThresholdResult): boolean {
  const kind = findMetric(metric)?.kind;
  const wanted = kind === undefined ? null : parseCondition(condition, kind);
  return wanted !== null && typeof value === 'number' && isMet(wanted, value);
}

/** "Thresholds crossed: 2 of 26 checks", a check is of one scenario; null without any. */
export function describeThresholds(thresholds: readonly ThresholdResult[]): string | null {
  if (thresholds.length === 0) return null;
  const crossed = thresholds.filter(threshold => threshold.crossed).length;
  return `Thresholds crossed: ${crossed} of ${formatPlural(thresholds.length, 'check')}`;
}

/** Notes that a run that ended early did not judge its thresholds; null if it had none, or finished. */
export function describeUnjudged({ complete, config }: Pick<Result, 'complete' | 'config'>): string | null {
  const set = Object.keys(config.thresholds ?? {}).length;
  if (complete || set === 0) return null;
  return 'Thresholds: not judged, as the run did not come to its end.';
}

/** Max crossed thresholds that a terminal lists one by one; the rest are counted. */
const maxCrossed = 20;

/**
 * The thresholds of a run, crossed ones first; empty without any. A terminal has a line for each condition that was
 * met.
 */
export function thresholdBlocks(thresholds: readonly ListedThreshold[]): Block[] {
  const count = describeThresholds(thresholds);
  if (count === null) return [];
  const isCrossed = thresholds.some(({ crossed }) => crossed);
  const title = [toned(`${count}.`, isCrossed ? 'bad' : 'good')];
  return [
    ...only(wide, [heading(2, 'Thresholds'), paragraph(title), thresholdTable(thresholds)]),
    ...only(narrow, [heading(2, title), list([...crossedItems(thresholds), ...metItems(thresholds)])]),
  ];
}

export function thresholdTable(thresholds: readonly ListedThreshold[]): Table {
  const hasSides = thresholds.some(({ side }) => side !== undefined);
  const crossedFirst = thresholds.toSorted((a, b) => Number(b.crossed) - Number(a.crossed));
  return table(crossedFirst, [
    words('', ({ crossed }) => [crossed ? badge('crossed', 'bad') : badge('met', 'good')]),
    words('metric', ({ metric }) => metric),
    words('condition', ({ condition }) => condition),
    words('value', describeValue),
    words('scenario', ({ scenario }) => scenario ?? 'the whole run'),
    ...(hasSides ? [words<ListedThreshold>('side', ({ side }) => side ?? '')] : []),
  ]);
}

function crossedItems(thresholds: readonly ListedThreshold[]): Item[] {
  const crossed = thresholds.filter(threshold => threshold.crossed);
  const left = crossed.length - maxCrossed;
  const texts = crossed.slice(0, maxCrossed).map(describeThreshold);
  return [
    ...texts.map((text): Item => ({ label: 'crossed', text, tone: 'bad' })),
    ...(left > 0 ? [{ label: '', text: `and ${left} more, see the report`, tone: 'bad' } as const] : []),
  ];
}

/** Those that were met, grouped by condition. */
function metItems(thresholds: readonly ListedThreshold[]): Item[] {
  const groups = new Map<string, ListedThreshold[]>();
  for (const threshold of thresholds) {
    if (threshold.crossed) continue;
    const key = `${threshold.metric} ${threshold.condition}`;
    groups.set(key, [...(groups.get(key) ?? []), threshold]);
  }
  return [...groups.values()].map(group => ({ label: 'met', text: describeMet(group) }));
}

function describeMet(group: readonly ListedThreshold[]): string {
  const [first] = group;
  if (first === undefined) return '';
  if (group.length === 1) return describeThreshold(first);
  const sorted = group.toSorted((a, b) => Number(a.value) - Number(b.value));
  const range = [...new Set([sorted[0] ?? first, sorted.at(-1) ?? first].map(describeValue))].join(' to ');
  const scenarios = new Set(group.map(({ scenario }) => scenario)).size;
  const sides = new Set(group.map(({ side }) => side)).size;
  const where = first.scenario === null ? '' : ` in ${formatPlural(scenarios, 'scenario')}`;
  return `${first.metric} ${first.condition}: ${range}${where}${sides > 1 ? ` on ${sides} sides` : ''}`;
}
