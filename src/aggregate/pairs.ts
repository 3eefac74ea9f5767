import { p99, throughput } from './measures.ts';
import { type PairedRatio, pairedRatio } from './paired-ratio.ts';
import type { RoundResult, ScenarioResult } from './result.ts';
import { windowTolerance } from './whole-rounds.ts';

/** A scenario of several pools beside the one that differs from it only by having one pool. */
export interface Pair {
  readonly one: ScenarioResult;
  readonly several: ScenarioResult;
  /** several / one, paired by round. */
  readonly throughput: PairedRatio;
  readonly responseP99: PairedRatio;
}

/** Pairs every scenario of several pools with its equal of one pool, in the order of `scenarios`, if there is one. */
export function pairWithOnePool(scenarios: readonly ScenarioResult[]): Pair[] {
  const onePool = new Map<string, ScenarioResult>();
  for (const scenario of scenarios) {
    if (scenario.pools === 1 && !onePool.has(armKey(scenario))) onePool.set(armKey(scenario), scenario);
  }
  return scenarios.flatMap(several => {
    const one = several.pools > 1 ? onePool.get(armKey(several)) : undefined;
    if (one === undefined) return [];
    return {
      one,
      several,
      throughput: pairByRound(one, several, throughput.figure),
      responseP99: pairByRound(one, several, p99.figure),
    };
  });
}

/** other / base of a figure in every round that both have measured for the same time; a figure of 0 makes no ratio. */
export function pairByRound(
  base: ScenarioResult,
  other: ScenarioResult,
  figure: (round: RoundResult) => number,
): PairedRatio {
  const equals = new Set(roundsOfEqualWindows(base, other));
  return pairedRatio(figureByRound(base, equals, figure), figureByRound(other, equals, figure));
}

/** All that must be equal between two arms whose number of pools is compared: the totals, not the shares of a pool. */
function armKey(scenario: ScenarioResult): string {
  const { client, pool, workers, connections, minIdle, pipeline, probe, healthTtlMs, arrival } = scenario;
  const { connects, autoPipelining, batch, cutEveryMs, burst } = scenario;
  return JSON.stringify([
    ...[client, pool, workers, connections, minIdle, pipeline, probe, healthTtlMs, arrival],
    ...[connects, autoPipelining, batch, cutEveryMs, burst],
  ]);
}

/** Rounds that both have measured for the same time: an interrupt can cut the last window of a run short. */
function roundsOfEqualWindows(one: ScenarioResult, several: ScenarioResult): number[] {
  const seconds = new Map(one.rounds.map(round => [round.round, round.seconds]));
  return several.rounds
    .filter(
      round => Math.abs(round.seconds - (seconds.get(round.round) ?? 0)) <= round.seconds * windowTolerance,
    )
    .map(round => round.round);
}

function figureByRound(
  scenario: ScenarioResult,
  rounds: ReadonlySet<number>,
  figure: (round: RoundResult) => number,
): Map<number, number> {
  const counted = scenario.rounds.filter(({ round }) => rounds.has(round));
  return new Map(counted.map(round => [round.round, figure(round)]));
}
