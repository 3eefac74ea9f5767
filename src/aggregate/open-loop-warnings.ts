import type { OpenLoopResult, RoundResult, ScenarioResult } from './result.ts';
import { median } from './statistics.ts';
import { formatList, formatMs, formatShare } from './text/format.ts';

/** A generator whose p99 is later than this is told: its error is in every response time. */
export const latestLagMs = 0.2;

/** Share of what was due that may be unsent: the last arrivals of a window can meet busy workers by chance. */
const mostUnsent = 0.0001;

type Measured = Pick<ScenarioResult, 'id' | 'rounds'>;

/** What a reader must know of a run's open loops before trusting their percentiles, a sentence each. */
export function openLoopWarnings(scenarios: readonly Measured[]): string[] {
  const open = scenarios.flatMap(({ id, rounds }) => {
    const loops = rounds.flatMap(round => round.openLoop ?? []);
    return loops.length === 0 ? [] : [{ id, loops }];
  });
  const late = open
    .map(({ id, loops }) => ({ id, lagMs: median(loops.map(({ lag }) => lag.p99)) }))
    .filter(({ lagMs }) => lagMs > latestLagMs)
    .map(({ id, lagMs }) => `${id} (p99 ${formatMs(lagMs)} ms)`);
  const unsent = open
    .map(({ id, loops }) => ({ id, share: unsentShare(loops) }))
    .filter(({ share }) => share > mostUnsent)
    .map(({ id, share }) => `${id} (${formatShare(share)})`);
  return [
    ...(late.length === 0
      ? []
      : [
          `The generator itself was late by more than ${formatMs(latestLagMs)} ms, which is in the response times, in ${formatList(late)}: take fewer threads, a lower rate or a quieter machine.`,
        ]),
    ...(unsent.length === 0
      ? []
      : [
          `Operations that were due were not sent before the end, so that the percentiles are lower bounds, in ${formatList(unsent)}.`,
        ]),
  ];
}

/** Whether so much was never sent that the percentiles are lower bounds. */
export function isLowerBound(rounds: readonly RoundResult[]): boolean {
  return unsentShare(rounds.flatMap(round => round.openLoop ?? [])) > mostUnsent;
}

/** Operations that were due and never sent, as a share of all that were due, 0 to 1. */
function unsentShare(loops: readonly OpenLoopResult[]): number {
  const sum = (count: (loop: OpenLoopResult) => number) =>
    loops.reduce((total, loop) => total + count(loop), 0);
  const offered = sum(loop => loop.offered);
  return offered === 0 ? 0 : sum(loop => loop.unsent) / offered;
}
