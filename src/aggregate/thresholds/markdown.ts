import { markdownTable } from '../text/markdown.ts';
import { type Column, textColumn } from '../text/table.ts';
import { describeThresholds, describeValue, inOrder, type ToldThreshold } from './words.ts';

/** The section of a report that lists every threshold, crossed ones first; nothing without any. */
export function thresholdSection(thresholds: readonly ToldThreshold[]): string[] {
  const title = describeThresholds(thresholds);
  if (title === null) return [];
  return ['## Thresholds', `${title}.`, markdownTable(inOrder(thresholds), thresholdColumns(thresholds))];
}

export function thresholdColumns(thresholds: readonly ToldThreshold[]): Column<ToldThreshold>[] {
  const sides = thresholds.some(({ side }) => side !== undefined);
  return [
    textColumn('', ({ crossed }) => (crossed ? 'crossed' : 'met')),
    textColumn('metric', ({ metric }) => metric),
    textColumn('condition', ({ condition }) => condition),
    textColumn('value', describeValue),
    textColumn('scenario', ({ scenario }) => scenario ?? 'the whole run'),
    ...(sides ? [textColumn<ToldThreshold>('side', ({ side }) => side ?? '')] : []),
  ];
}
