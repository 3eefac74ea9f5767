import type { OpenLoopResult, RoundResult, ScenarioResult } from '../../src/aggregate/result.ts';
import { buildLatency, buildRound, buildScenario } from './result-builder.ts';

/** What an open loop leaves that sent all that was due, in time, unless told otherwise. */
export function buildOpenLoop(offered: number, changes: Partial<OpenLoopResult> = {}): OpenLoopResult {
  return {
    rate: offered,
    offered,
    sent: offered,
    completed: offered,
    shortfall: 0,
    unsent: 0,
    largestBacklog: 0,
    oldestUnsentMs: 0,
    lag: buildLatency(offered, 0.01),
    lagHistogram: '',
    spinShare: 0.6,
    ...changes,
  };
}

/** A scenario of constant arrivals with a round of one second for each p99. */
export function buildOpenScenario(
  rate: number,
  p99s: readonly number[],
  {
    leg,
    openLoop = {},
    round = {},
  }: { leg?: 'up' | 'down'; openLoop?: Partial<OpenLoopResult>; round?: Partial<RoundResult> } = {},
): ScenarioResult {
  const arrival = { kind: 'constant', rate, ...(leg === undefined ? {} : { leg }) };
  const id = `wire-optimized-1pool-50workers-constant${rate}${leg === undefined ? '' : `-${leg}`}`;
  return buildScenario(
    { id, client: 'wire', arrival },
    p99s.map((p99, index) =>
      buildRound(index, rate, {
        openLoop: buildOpenLoop(rate, openLoop),
        response: buildLatency(rate, p99 / 2.5),
        ...round,
      }),
    ),
  );
}
