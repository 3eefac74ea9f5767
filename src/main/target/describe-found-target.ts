import { formatPlural } from '../../aggregate/text/format.ts';
import type { Target } from './resolve.ts';

/** What answers, for a reader, before any load. */
export function describeFoundTarget({ declared, detected, foundBy }: Target): string {
  const threads = detected.threads === null ? '' : `, ${formatPlural(detected.threads, 'thread')}`;
  return `Target: ${detected.server} ${detected.version}${threads} (${foundBy}), declared ${declared.server} at ${declared.url}\n`;
}
