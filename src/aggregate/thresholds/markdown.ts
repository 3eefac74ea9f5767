import { markdownTable } from '../text/markdown.ts';
import { thresholdColumns } from './columns.ts';
import { describeThresholds, inOrder, type ToldThreshold } from './words.ts';

/** The section of a report that lists every threshold, crossed ones first; nothing without any. */
export function thresholdSection(thresholds: readonly ToldThreshold[]): string[] {
  const title = describeThresholds(thresholds);
  if (title === null) return [];
  return ['## Thresholds', `${title}.`, markdownTable(inOrder(thresholds), thresholdColumns(thresholds))];
}
