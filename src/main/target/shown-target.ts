import type { Surroundings } from '../../aggregate/limits/figures.ts';
import type { Result } from '../../aggregate/result.ts';
import type { Target } from './resolve.ts';

/** What results tell of their target: plain data without a password. */
export function shownTarget({
  declared,
  detected,
  foundBy,
  standIn,
  unverified,
  local,
}: Target): Result['target'] {
  const { server, version, threads, persistence, protocol, masters } = detected;
  const shown = { server, version, threads, persistence, protocol, masters };
  return { declared, detected: shown, foundBy, standIn, unverified, local };
}

/** Where the load runs, on a machine of so many cores. */
export function surroundingsOf({ local, detected }: Target, cores: number): Surroundings {
  const { threads, masters } = detected;
  // The busiest master counts by its main thread; all of them together have so many.
  return { cores, local, serverThreads: masters === null ? threads : masters * (threads ?? 1) };
}
