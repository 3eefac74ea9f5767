import type { Result, RoundResult, ScenarioResult } from '../result.ts';
import { formatFraction, formatList, formatMs } from '../text/format.ts';
import { findImbalances } from './accounting.ts';
import { neighbourCores } from './limited-by.ts';
import { median } from './statistics.ts';
import { threadWarnings } from './thread-warmth.ts';

/** Fraction of the machine that other programs must use in the median measurement: less is the kernel, and clock ticks. */
const minNeighbourRatio = 0.25;

/** p99 of the generator's own lag, which is an error of every response time. */
const maxLagMs = 0.2;

/** Fraction of what was due that may stay unanswered: the last arrivals of a window can meet busy workers by chance. */
const maxUnanswered = 0.0001;

/** Caveats of the figures: warnings of the run, and what its figures show. */
export function warningsOf(result: Result): string[] {
  return [
    ...result.warnings,
    ...findImbalances(result),
    ...describeNeighbours(result),
    ...threadWarnings(result.scenarios),
  ];
}

/** Other programs that used the machine all the time: they make no round an outlier. */
function describeNeighbours({ scenarios, environment: { cores }, target: { local } }: Result): string[] {
  const taken = scenarios.flatMap(({ rounds }) =>
    rounds.flatMap(round => neighbourCores(round, cores, local) ?? []),
  );
  const usual = taken.length === 0 ? 0 : median(taken);
  if (usual < minNeighbourRatio * cores) return [];
  return [
    `other programs used ${usual.toFixed(1)} of this machine's ${cores} cores in the median measurement: they affect the figures, and what limited them`,
  ];
}

/** Caveats of the percentiles of a run's open loops, a sentence each. */
export function openLoopWarnings(
  scenarios: readonly Pick<ScenarioResult, 'id' | 'arrival' | 'rounds'>[],
): string[] {
  const late = (inBursts: boolean) =>
    scenarios
      .filter(({ arrival }) => (arrival.kind === 'burst') === inBursts)
      .map(({ id, rounds }) => ({
        id,
        lagMs: median(rounds.flatMap(round => round.openLoop?.lag.p99 ?? [])),
      }))
      .filter(({ lagMs }) => lagMs > maxLagMs)
      .map(({ id, lagMs }) => `${id} (p99 ${formatMs(lagMs)} ms)`);
  const unanswered = scenarios
    .filter(({ rounds }) => isLowerBound(rounds))
    .map(({ id, rounds }) => `${id} (${formatFraction(unansweredRatio(rounds))})`);
  const warn = (found: readonly string[], sentence: (list: string) => string) =>
    found.length === 0 ? [] : [sentence(formatList(found))];
  return [
    ...warn(
      late(false),
      list =>
        `The generator itself was late by more than ${formatMs(maxLagMs)} ms, which the response times include, in ${list}: use fewer threads, a lower rate or a quieter machine.`,
    ),
    ...warn(
      late(true),
      list =>
        `A thread sends the batches of a burst one after another, so the response times include the wait of the last ones, in ${list}: use more threads or smaller bursts.`,
    ),
    ...warn(
      unanswered,
      list =>
        `Operations that were due were not sent before the end, or not answered in time, so the percentiles are lower bounds, in ${list}.`,
    ),
  ];
}

/** Whether so much of an open loop stayed unanswered that its percentiles are lower bounds. */
export function isLowerBound(rounds: readonly RoundResult[]): boolean {
  return unansweredRatio(rounds) > maxUnanswered;
}

/**
 * Fraction of the operations due in open loops that were never sent, or never answered in time: they would have been
 * the slowest. What was refused at once is not among them.
 */
function unansweredRatio(rounds: readonly RoundResult[]): number {
  let unanswered = 0;
  let offered = 0;
  for (const { openLoop, failed, unfinished } of rounds) {
    if (openLoop === null) continue;
    unanswered += openLoop.unsent + unfinished + (failed.TIMEOUT ?? 0);
    offered += openLoop.offered;
  }
  return offered === 0 ? 0 : unanswered / offered;
}
