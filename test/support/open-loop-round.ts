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

/** A scenario of two stages, half a second each, the second of which goes from 1000/s to 7000/s; some of it is lost. */
export function buildStagedScenario(): ScenarioResult {
  const stages = [
    { seconds: 0.5, rate: 1000, rampTo: null },
    { seconds: 0.5, rate: 1000, rampTo: 7000 },
  ] as const;
  const measured = [
    { ...stages[0], offered: 500, completed: 500, largestBacklog: 0, p50: 0.1, p99: 0.25 },
    { ...stages[1], offered: 2000, completed: 1900, largestBacklog: 1500, p50: 20, p99: null },
  ];
  const plain = buildOpenScenario(2500, [1, 1, 1], { openLoop: { stages: measured } });
  return { ...plain, id: 'staged', arrival: { ...plain.arrival, stages: [...stages] } };
}
