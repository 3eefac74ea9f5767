import type { Result } from './result.ts';

/** For how long a run went on, without the gaps after which it was resumed; null where its times are no dates. */
export function tookSeconds({
  startedAt,
  finishedAt,
  resumed = [],
}: Pick<Result, 'startedAt' | 'finishedAt' | 'resumed'>): number | null {
  const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
  if (!Number.isFinite(seconds)) return null;
  return Math.max(0, seconds - resumed.reduce((sum, { gapSeconds }) => sum + gapSeconds, 0));
}
