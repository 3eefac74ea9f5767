import { formatPlural } from '../../aggregate/text/format.ts';
import type { Target } from './resolve.ts';

/** What answers, for a reader, before any load. */
export function describeFoundTarget({ declared, detected, masters, foundBy }: Target): string {
  const threads = detected.threads === null ? '' : `, ${formatPlural(detected.threads, 'thread')}`;
  const cluster = masters === null ? '' : `, cluster of ${formatPlural(masters, 'master')}`;
  return `Target: ${detected.server} ${detected.version}${threads}${cluster} (${foundBy}), declared ${declared.server} at ${declared.url}\n`;
}
