import type { Result, RoundResult, ScenarioResult } from '../result.ts';
import { formatFraction, formatList, formatMs } from '../text/format.ts';
import { findImbalances } from './accounting.ts';
import { neighbourCores } from './limits/figures.ts';
import { median } from './statistics.ts';

/** Fraction of the machine that other programs must use in the median measurement: less is the kernel, and clock ticks. */
const minNeighbourRatio = 0.25;

/** p99 of the generator's own lateness, which is an error of every response time. */
const maxLagMs = 0.2;

/** Fraction of what was due that may stay unanswered: the last arrivals of a window can meet busy workers by chance. */
const maxUnanswered = 0.0001;

/** What a reader must know before trusting the figures: what the run said, and what its figures say. */
export function warningsOf(result: Result): string[] {
  const neighbours = describeNeighbours(result);
  return [...result.warnings, ...findImbalances(result), ...(neighbours === null ? [] : [neighbours])];
}

/** Says that other programs used the machine all the time, so that no round is an outlier by it; null if none did. */
function describeNeighbours({
  scenarios,
  environment: { cores },
  target: { local },
}: Pick<Result, 'scenarios' | 'environment' | 'target'>): string | null {
  const taken = scenarios.flatMap(({ rounds }) =>
    rounds.flatMap(round => neighbourCores(round, cores, local) ?? []),
  );
  const usual = taken.length === 0 ? 0 : median(taken);
  if (usual < minNeighbourRatio * cores) return null;
  return `other programs used ${usual.toFixed(1)} of this machine's ${cores} cores in the median measurement: the figures, and what limited them, are partly theirs`;
}

type Measured = Pick<ScenarioResult, 'id' | 'arrival' | 'rounds'>;

/** What a reader must know of a run's open loops before trusting their percentiles, a sentence each. */
export function openLoopWarnings(scenarios: readonly Measured[]): string[] {
  const open = scenarios.flatMap(({ id, arrival, rounds }) => {
    const loops = rounds.flatMap(round => round.openLoop ?? []);
    return loops.length === 0 ? [] : [{ id, inBursts: arrival.kind === 'burst', rounds, loops }];
  });
  const late = (inBursts: boolean) =>
    open
      .filter(loop => loop.inBursts === inBursts)
      .map(({ id, loops }) => ({ id, lagMs: median(loops.map(({ lag }) => lag.p99)) }))
      .filter(({ lagMs }) => lagMs > maxLagMs)
      .map(({ id, lagMs }) => `${id} (p99 ${formatMs(lagMs)} ms)`);
  const [lateAlone, lateInBursts] = [late(false), late(true)];
  const unanswered = open
    .map(({ id, rounds }) => ({ id, ratio: unansweredRatio(rounds) }))
    .filter(({ ratio }) => ratio > maxUnanswered)
    .map(({ id, ratio }) => `${id} (${formatFraction(ratio)})`);
  return [
    ...(lateAlone.length === 0
      ? []
      : [
          `The generator itself was late by more than ${formatMs(maxLagMs)} ms, which is in the response times, in ${formatList(lateAlone)}: take fewer threads, a lower rate or a quieter machine.`,
        ]),
    ...(lateInBursts.length === 0
      ? []
      : [
          `A thread sends one batch of a burst after another; for how long the last ones waited for their turn is in the response times, in ${formatList(lateInBursts)}: more threads, or smaller bursts, make it shorter.`,
        ]),
    ...(unanswered.length === 0
      ? []
      : [
          `Operations that were due were not sent before the end, or not answered in time, so that the percentiles are lower bounds, in ${formatList(unanswered)}.`,
        ]),
  ];
}

/** Whether so much of an open loop stayed unanswered that its percentiles are lower bounds. */
export function isLowerBound(rounds: readonly RoundResult[]): boolean {
  return unansweredRatio(rounds) > maxUnanswered;
}

/**
 * Operations of open loops that were due and never sent, or never answered in time, as a ratio to all that were due, 0
 * to 1: they would have been the slowest. What was refused at once is not among them.
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
