import type { Result } from '../../aggregate/result.ts';
import { toOneLine } from '../../aggregate/text/format.ts';
import { targetBanners } from '../../aggregate/text/target-words.ts';
import type { Experiment } from '../config/experiment.ts';
import { describeFoundTarget } from '../target/describe-found-target.ts';
import { findTarget } from '../target/find-target.ts';
import type { Target } from '../target/resolve.ts';
import { untilInterrupted } from './until-interrupted.ts';

export interface MeetOptions {
  readonly standInAllowed: boolean;
  readonly urlTyped?: boolean;
  /** A server that is started for one of several keeps off the ports of the others' URLs. */
  readonly onFreePort: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Tidies up, and says what there is to say, before an interrupt ends the process. */
  readonly beforeExit: () => void;
}

/**
 * Finds the target of a run, or starts it, and says what it is.
 *
 * @throws PoolbenchError as `resolveTarget`
 */
export async function meetTarget(
  experiment: Pick<Experiment, 'target' | 'timeoutMs'>,
  { signal, beforeExit, ...options }: MeetOptions,
): Promise<Target> {
  const target = await untilInterrupted(signal, beforeExit, findTarget(experiment, options));
  shoutBanners(target);
  options.say(describeFoundTarget(target));
  return target;
}

/** A stand-in is never silent, nor is a server that nobody has verified, not even with --quiet; JSON cannot shout. */
export function shoutBanners(target: Result['target']): void {
  for (const banner of targetBanners({ target })) process.stderr.write(`${toOneLine(banner)}\n`);
}
