import { mixSeed, shuffle } from '../../workers/prng.ts';
import type { Experiment } from '../config/experiment.ts';
import { groupLadders } from './ladders.ts';
import { overheadSeconds } from './rounds.ts';
import { expandScenarios, type Scenario } from './scenarios.ts';

/** One measurement of a run. */
export interface Turn {
  /** Index of the side that is measured. */
  readonly side: number;
  readonly scenario: Scenario;
}

/**
 * The turns of every round: each scenario, in an order shuffled from the seed, is measured on all sides that have it,
 * one after the other, in an order of its own. So drift of the machine falls on all sides alike. One side alone is
 * measured in the order of `planRun`. Scenarios are one if their ids are; the seed is that of the first side.
 */
export function interleave(experiments: readonly Experiment[]): Turn[][] {
  const [first] = experiments;
  if (first === undefined) return [];
  const sides = experiments.map(
    experiment => new Map(expandScenarios(experiment.scenarios).map(scenario => [scenario.id, scenario])),
  );
  const scenarios = new Map(sides.toReversed().flatMap(ofSide => [...ofSide]));
  const ids = [...new Set(sides.flatMap(ofSide => [...ofSide.keys()]))];
  const blocks = groupLadders(ids.flatMap(id => scenarios.get(id) ?? []));
  const rounds = Math.max(...experiments.map(experiment => experiment.rounds));
  return Array.from({ length: rounds }, (_, round) =>
    shuffle(blocks, mixSeed(first.seed, round))
      .flat()
      .flatMap(({ id }, place) => {
        const turns = sides.flatMap((ofSide, side) => {
          const scenario = ofSide.get(id);
          const due = round < (experiments[side]?.rounds ?? 0);
          return scenario !== undefined && due ? [{ side, scenario }] : [];
        });
        return shuffle(turns, mixSeed(first.seed, round, place + 1));
      }),
  );
}

/** How long these turns take: an estimate. */
export function estimateTurns(turns: readonly Turn[], experiments: readonly Experiment[]): number {
  return turns.reduce((sum, { side }) => {
    const { seconds = 0, warmupSeconds = 0 } = experiments[side] ?? {};
    return sum + overheadSeconds + warmupSeconds + seconds;
  }, 0);
}
