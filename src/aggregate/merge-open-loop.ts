import type { ThreadSample } from '../workers/contract.ts';
import { mergeLatencies } from './histogram.ts';
import type { OpenLoopResult } from './result.ts';

/** The open loops of a round's threads as one. */
export interface MergedOpenLoop {
  readonly result: OpenLoopResult;
  /** Operations that completed in the window, whenever they were due. */
  readonly completedInWindow: number;
  /** Of all threads together. */
  readonly spunSeconds: number;
}

/** Null in a closed loop. `books` are those of all threads. */
export function mergeOpenLoop(
  threads: readonly ThreadSample[],
  { issued, completed }: { readonly issued: number; readonly completed: number },
): MergedOpenLoop | null {
  const samples = threads.flatMap(({ openLoop, seconds }) =>
    openLoop === null ? [] : [{ ...openLoop, seconds }],
  );
  const [first] = samples;
  if (first === undefined) return null;
  const sum = (figure: (sample: (typeof samples)[number]) => number) =>
    samples.reduce((total, sample) => total + figure(sample), 0);
  const offered = sum(sample => sample.offered);
  const lag = mergeLatencies(samples.map(sample => sample.lag));
  return {
    completedInWindow: sum(sample => sample.completedInWindow),
    spunSeconds: sum(sample => sample.spinShare * sample.seconds),
    result: {
      rate: first.rate,
      offered,
      sent: issued,
      completed,
      shortfall: offered - completed,
      unsent: sum(sample => sample.unsent),
      largestBacklog: sum(sample => sample.largestBacklog),
      oldestUnsentMs: Math.max(...samples.map(sample => sample.oldestUnsentMs)),
      lag: lag.summary,
      lagHistogram: lag.encoded,
      spinShare: sum(sample => sample.spinShare) / samples.length,
    },
  };
}
