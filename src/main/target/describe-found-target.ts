import { toOneLine } from '../../aggregate/text/format.ts';
import { describeTarget } from '../../aggregate/text/target-words.ts';
import type { Target } from './resolve.ts';

/** What answers, for a reader, before any load. */
export function describeFoundTarget(target: Target): string {
  const { declared } = target;
  return `Target: ${toOneLine(describeTarget(target))}, declared ${declared.server} at ${declared.url}\n`;
}
