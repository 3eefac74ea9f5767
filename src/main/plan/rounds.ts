import { mixSeed, shuffle } from '../../workers/prng.ts';
import type { Experiment } from '../config/experiment.ts';
import { groupLadders } from './ladders.ts';
import { expandScenarios, type Scenario } from './scenarios.ts';

/** What a run does, in order. */
export interface Plan {
  readonly scenarios: readonly Scenario[];
  /** Every scenario once a round, each round in an order of its own. */
  readonly rounds: readonly (readonly Scenario[])[];
  /** Measured and discarded time of one scenario in one round. */
  readonly seconds: number;
  readonly warmupSeconds: number;
}

/** Roughly what connecting, the barrier, draining and closing take for one scenario of one round. */
export const overheadSeconds = 0.15;

/** Expands an experiment's scenarios and orders them for every round. */
export function planRun(experiment: Experiment): Plan {
  const { seed, seconds, warmupSeconds } = experiment;
  const scenarios = expandScenarios(experiment.scenarios);
  const blocks = groupLadders(scenarios);
  const rounds = Array.from({ length: experiment.rounds }, (_, round) =>
    shuffle(blocks, mixSeed(seed, round)).flat(),
  );
  return { scenarios, rounds, seconds, warmupSeconds };
}

/** How long the run will take: an estimate, without finding the target and writing its keys. */
export function estimateSeconds({ rounds, seconds, warmupSeconds }: Plan): number {
  const cells = rounds.reduce((sum, round) => sum + round.length, 0);
  return cells * (overheadSeconds + warmupSeconds + seconds);
}
