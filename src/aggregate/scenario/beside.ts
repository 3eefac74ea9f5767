import { z } from 'zod';

/** The populations that run at the same time as a scenario: in a config, in an id and in text. */

/** Max characters of a name. */
export const maxPopulationName = 32;
const name = `[\\w.-]{1,${maxPopulationName}}`;
const nameError = `1 to ${maxPopulationName} letters, digits, ".", "_" or "-"`;
const separator = '+';

export const populationName = z
  .string({ error: nameError })
  .regex(new RegExp(`^${name}$`), { error: nameError });

const besideError = 'the name of a population, several as in "bulk+churn", or null';
export const besideSchema = z
  .string({ error: besideError })
  .regex(new RegExp(`^${name}(\\${separator}${name})*$`), { error: besideError })
  .nullable();

/** A config, as far as it has workloads. That of a result may no longer be valid. */
export interface Workloads {
  readonly workload?: unknown;
  readonly populations?: unknown;
}

interface KeyedWorkload {
  /** "workload", "populations[0].workload": where the config has it. */
  readonly key: string;
  /** Name of the population that it is of; null: of the scenarios, and of all populations that have none of their own. */
  readonly population: string | null;
  readonly workload: unknown;
}

/** The workloads of a config, that of the scenarios first. */
export function workloadsOf({
  workload,
  populations,
}: Workloads): [ofScenarios: KeyedWorkload, ...own: KeyedWorkload[]] {
  const all = Array.isArray(populations) ? populations : [];
  const own = all.flatMap((population, index): KeyedWorkload[] =>
    population?.workload == null
      ? []
      : [
          {
            key: `populations[${index}].workload`,
            population: population.name,
            workload: population.workload,
          },
        ],
  );
  return [{ key: 'workload', population: null, workload }, ...own];
}

/** The populations by their names; none if the scenario runs alone. */
export function besideNames(beside: string | null): string[] {
  return beside?.split(separator) ?? [];
}

/** In the id of a scenario: `alone`, `beside-bulk`. */
export function labelBeside(beside: string | null): string {
  return beside === null ? 'alone' : `beside-${beside}`;
}

/** "alone", "beside bulk". */
export function describeBeside(beside: string | null): string {
  return beside === null ? 'alone' : `beside ${beside}`;
}
