import type { PopulationRound, RoundResult } from '../result.ts';

/** The loads that ran at the same time as a scenario, each with its own figures. */

/** One load of a scenario in all of its rounds. */
export interface ScenarioLoad {
  /** "wire-optimized-1pool", "wire-optimized-1pool, population bulk". */
  readonly id: string;
  /** The name of the population; null: the scenario itself. */
  readonly population: string | null;
  readonly rounds: readonly RoundResult[];
}

/** What a population did in these rounds of a scenario. */
export function roundsOfPopulation(rounds: readonly RoundResult[], name: string): PopulationRound[] {
  return rounds.flatMap(({ populations = [] }) => populations.filter(population => population.name === name));
}

/** The names of all populations of a scenario in these rounds. */
export function populationsIn(rounds: readonly RoundResult[]): string[] {
  return [...new Set(rounds.flatMap(({ populations = [] }) => populations.map(({ name }) => name)))];
}

/** The scenario and each of its populations. */
export function loadsOf({
  id,
  rounds,
}: {
  readonly id: string;
  readonly rounds: readonly RoundResult[];
}): ScenarioLoad[] {
  const beside = populationsIn(rounds).map(population => ({
    id: `${id}, population ${population}`,
    population,
    rounds: roundsOfPopulation(rounds, population),
  }));
  return [{ id, population: null, rounds }, ...beside];
}
