import type { LimitedBy, PopulationRound, RoundResult, ScenarioResult, SummaryResult } from '../result.ts';
import type { ScenarioFields } from '../scenario/scenario.ts';

/** The loads that ran at the same time as a scenario, each with its own figures. */

/** One load of a scenario in all of its rounds. */
export interface ScenarioLoad {
  /** "wire-optimized-1pool", "wire-optimized-1pool, population bulk". */
  readonly id: string;
  /** The name of the population; null: the scenario itself. */
  readonly population: string | null;
  readonly rounds: readonly RoundResult[];
}

/** The same with what follows from its rounds. */
export interface SummarisedLoad extends ScenarioLoad {
  /** What the load is. Null: version 0.10 did not write it of populations. */
  readonly fields: ScenarioFields | null;
  /** Whether it is a population that ran in the threads of the scenario. */
  readonly sharesThreads: boolean;
  readonly summary: SummaryResult | null;
  readonly limitedBy: LimitedBy;
}

/** What a population did in these rounds of a scenario. */
export function roundsOfPopulation(rounds: readonly RoundResult[], name: string): PopulationRound[] {
  return rounds.flatMap(({ populations = [] }) => populations.filter(population => population.name === name));
}

/** The names of all populations of a scenario in these rounds. */
export function populationsIn(rounds: readonly RoundResult[]): string[] {
  return [...new Set(rounds.flatMap(({ populations = [] }) => populations.map(({ name }) => name)))];
}

const populationId = (scenarioId: string, name: string) => `${scenarioId}, population ${name}`;

/** The scenario and each of its populations. */
export function loadsOf({
  id,
  rounds,
}: {
  readonly id: string;
  readonly rounds: readonly RoundResult[];
}): ScenarioLoad[] {
  const beside = populationsIn(rounds).map(population => ({
    id: populationId(id, population),
    population,
    rounds: roundsOfPopulation(rounds, population),
  }));
  return [{ id, population: null, rounds }, ...beside];
}

/** The same with their figures, for tables and files that have a row for each. */
export function summarisedLoadsOf(scenario: ScenarioResult): SummarisedLoad[] {
  const { id, rounds, summary, limitedBy, populations = [] } = scenario;
  const beside = populations.map(
    ({ name, load, sharesThreads = false, summary, limitedBy }): SummarisedLoad => ({
      id: populationId(id, name),
      population: name,
      rounds: roundsOfPopulation(rounds, name),
      fields: load ?? null,
      sharesThreads,
      summary,
      limitedBy,
    }),
  );
  const own = { id, population: null, rounds, fields: scenario, sharesThreads: false, summary, limitedBy };
  return [own, ...beside];
}

/** The loads of one round: null is the name of the scenario's own. */
export function loadsOfRound(
  round: RoundResult,
): readonly { readonly population: string | null; readonly round: RoundResult }[] {
  const { populations = [] } = round;
  return [
    { population: null, round },
    ...populations.map(population => ({ population: population.name, round: population })),
  ];
}
