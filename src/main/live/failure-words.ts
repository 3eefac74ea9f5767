import { formatCount, toOneLine } from '../../aggregate/text/format.ts';

/** Failed operations by code, most first: "1,200 OOM, 4 TIMEOUT". */
export function describeFailures(failed: Readonly<Record<string, number>>): string {
  return Object.entries(failed)
    .toSorted(([, a], [, b]) => b - a)
    .map(([code, count]) => `${formatCount(count)} ${toOneLine(code)}`)
    .join(', ');
}
