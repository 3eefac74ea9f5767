import { type Column, textColumn } from '../text/table.ts';
import { describeValue, type ToldThreshold } from './words.ts';

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
