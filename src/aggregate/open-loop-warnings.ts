import type { RoundResult, ScenarioResult } from './result.ts';
import { median } from './statistics.ts';
import { formatList, formatMs, formatShare } from './text/format.ts';

/** A generator whose p99 is later than this is told: its error is in every response time. */
const latestLagMs = 0.2;

/** Share of what was due that may be without an end: the last arrivals of a window can meet busy workers by chance. */
const mostEndless = 0.0001;

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
      .filter(({ lagMs }) => lagMs > latestLagMs)
      .map(({ id, lagMs }) => `${id} (p99 ${formatMs(lagMs)} ms)`);
  const [lateAlone, lateInBursts] = [late(false), late(true)];
  const endless = open
    .map(({ id, rounds }) => ({ id, share: endlessShare(rounds) }))
    .filter(({ share }) => share > mostEndless)
    .map(({ id, share }) => `${id} (${formatShare(share)})`);
  return [
    ...(lateAlone.length === 0
      ? []
      : [
          `The generator itself was late by more than ${formatMs(latestLagMs)} ms, which is in the response times, in ${formatList(lateAlone)}: take fewer threads, a lower rate or a quieter machine.`,
        ]),
    ...(lateInBursts.length === 0
      ? []
      : [
          `A thread sends one batch of a burst after another; for how long the last ones waited for their turn is in the response times, in ${formatList(lateInBursts)}: more threads, or smaller bursts, make it shorter.`,
        ]),
    ...(endless.length === 0
      ? []
      : [
          `Operations that were due were not sent before the end, or not answered in time, so that the percentiles are lower bounds, in ${formatList(endless)}.`,
        ]),
  ];
}

/** Whether so much of an open loop came to no end that its percentiles are lower bounds. */
export function isLowerBound(rounds: readonly RoundResult[]): boolean {
  return endlessShare(rounds) > mostEndless;
}

/**
 * Operations of open loops that were due and never sent, or never answered in time, as a share of all that were due, 0
 * to 1: they would have been the slowest. What was refused at once is not among them.
 */
function endlessShare(rounds: readonly RoundResult[]): number {
  let endless = 0;
  let offered = 0;
  for (const { openLoop, failed, unfinished } of rounds) {
    if (openLoop === null) continue;
    endless += openLoop.unsent + unfinished + (failed.TIMEOUT ?? 0);
    offered += openLoop.offered;
  }
  return offered === 0 ? 0 : endless / offered;
}
