import { z } from 'zod';
import { besideNames, populationName } from '../../aggregate/scenario/beside.ts';
import type { ScenarioGroup } from '../../aggregate/scenario/scenario.ts';
import { isOutOfRange, refuser, section } from '../../aggregate/scenario/schema-parts.ts';
import { sumOf } from '../../aggregate/stats/statistics.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { checkGroup, groupOf, scenarioValues } from './scenario-group.ts';
import { expandScenarios, type Scenario } from './scenarios.ts';
import { type WorkloadConfig, workload } from './workload.ts';

/**
 * Populations: loads that run at the same time as scenarios, on threads of their own or in those of the scenario. What a
 * scenario runs beside is a dimension (`beside`), so a scenario alone and beside a population are two arms like any others.
 */

/** Each population has keys of its own. */
export const maxPopulations = 8;

// A population has no populations of its own; agents and the proxy of silent cuts work only for scenarios.
const { beside: _, hosts: __, cut: ___, ...values } = scenarioValues;

const population = section({
  name: populationName.meta({ description: 'Name of the population in beside and in the report' }),
  workload: workload.nullable().prefault(null).meta({
    description:
      'Keys, values and commands of the population; null: the workload of the run, on separate keys',
  }),
  sharesThreads: z.boolean({ error: 'true or false' }).default(false).meta({
    description:
      "true: it runs in the scenario's threads, from the first one on, like a job in the same process; false: it has its own threads",
  }),
  ...values,
}).check(({ value, issues }) => {
  if (issues.some(isOutOfRange)) return;
  const refuse = refuser(issues);
  const group = groupOfPopulation(value);
  checkGroup(group, refuse);
  if (expandScenarios([group]).length > 1)
    refuse(['arrival', 'rate'], 'a single rate (a population is one load)', value.arrival);
});

export type PopulationConfig = z.output<typeof population>;

export const populations = z
  .array(population, { error: 'a list of populations such as [{ "name": "bulk", "pipeline": 100 }]' })
  .max(maxPopulations, { error: `at most ${maxPopulations} populations` })
  .prefault([])
  .meta({
    description:
      'Other loads that run at the same time as a scenario, which names them in beside. Each has the keys of a scenario and its own workload',
  });

/** The population as a group of one scenario. */
function groupOfPopulation({
  name: _,
  workload: __,
  sharesThreads: ___,
  ...values
}: PopulationConfig): ScenarioGroup {
  return groupOf(values);
}

/** A load that can run beside scenarios. */
export interface Population {
  readonly name: string;
  readonly workload: WorkloadConfig;
  /** Whether it runs in the threads of the scenario. */
  readonly sharesThreads: boolean;
  /** What its threads do; its id is the name. */
  readonly scenario: Scenario;
}

interface Populated {
  readonly workload: WorkloadConfig;
  readonly populations: readonly PopulationConfig[];
}

/** The populations of an experiment. */
export function populationsOf({ workload, populations }: Populated): Population[] {
  return populations.flatMap(config =>
    expandScenarios([groupOfPopulation(config)]).map(scenario => ({
      name: config.name,
      workload: config.workload ?? workload,
      sharesThreads: config.sharesThreads,
      scenario: { ...scenario, id: config.name },
    })),
  );
}

/** The populations of a scenario, in the order in which it names them. */
export function besideOf<Named extends { readonly name: string }>(
  { beside }: Pick<Scenario, 'beside'>,
  populations: readonly Named[],
): Named[] {
  return besideNames(beside).flatMap(name => populations.filter(population => population.name === name));
}

/** How many threads a scenario and the populations beside it have together. */
export function countThreads(
  { threads }: Pick<Scenario, 'threads'>,
  beside: readonly Pick<Population, 'scenario' | 'sharesThreads'>[],
): number {
  return threads + sumOf(beside, load => (load.sharesThreads ? 0 : load.scenario.threads));
}

/** What a scenario and the populations beside it take together. */
export interface Extent extends Pick<Scenario, 'threads' | 'connections'> {
  /** Those of its threads that drive open loops. */
  readonly openThreads: number;
  /** Of the scenario: populations have no silent cuts. */
  readonly cut: Scenario['cut'];
}

/** The extent of each scenario of a side. */
export function extentsOf({
  experiment,
  scenarios,
}: {
  readonly experiment: Populated;
  readonly scenarios: readonly Scenario[];
}): Extent[] {
  const all = populationsOf(experiment);
  return scenarios.map(scenario => {
    const beside = besideOf(scenario, all);
    const inside = beside.filter(({ sharesThreads }) => sharesThreads);
    const apart = beside.filter(({ sharesThreads }) => !sharesThreads);
    return {
      cut: scenario.cut,
      threads: countThreads(scenario, beside),
      openThreads:
        Math.max(openThreadsOf(scenario), ...inside.map(load => openThreadsOf(load.scenario))) +
        sumOf(apart, load => openThreadsOf(load.scenario)),
      connections: scenario.connections + sumOf(beside, load => load.scenario.connections),
    };
  });
}

const openThreadsOf = ({ arrival, threads }: Scenario) => (arrival.kind === 'closed' ? 0 : threads);

type Refuse = ReturnType<typeof refuser>;

interface Config extends Populated {
  readonly scenarios: readonly ScenarioGroup[];
}

/**
 * A config, and one for each of its populations, so that all loads follow the same rules.
 *
 * @returns each with a function that reports its faults at their place in the config
 */
export function loadsOf<Whole extends Config>(
  config: Whole,
  refuse: Refuse,
): { readonly load: Whole; readonly refuse: Refuse }[] {
  const ofPopulations = config.populations.map((population, index) => {
    const here = ['populations', index];
    const load = {
      ...config,
      workload: population.workload ?? config.workload,
      scenarios: [groupOfPopulation(population)],
    };
    const refuseHere: Refuse = (path, ...fault) => {
      if (path[0] === 'scenarios') return refuse([...here, ...path.slice(2)], ...fault);
      const isOwn = path[0] === 'workload' && population.workload !== null;
      return refuse(isOwn ? [...here, ...path] : path, ...fault);
    };
    return { load, refuse: refuseHere };
  });
  return [{ load: config, refuse }, ...ofPopulations];
}

/**
 * Refuses names that several populations have, populations of a scenario that do not exist, and populations that cannot share
 * the scenario's threads.
 */
export function checkBeside({ populations, scenarios }: Config, refuse: Refuse): void {
  const names = populations.map(({ name }) => name);
  for (const [index, name] of names.entries())
    if (names.indexOf(name) < index)
      refuse(['populations', index, 'name'], 'a name that no other population has', name);
  const expected =
    names.length === 0
      ? 'null, because the config has no populations'
      : `names of populations, each once: ${names.join(' or ')}`;
  for (const [group, { beside }] of scenarios.entries())
    for (const [index, one] of beside.entries()) {
      const asked = besideNames(one);
      const isKnown = asked.every(name => names.includes(name)) && new Set(asked).size === asked.length;
      if (!isKnown) refuse(['scenarios', group, 'beside', index], expected, one);
    }
  for (const [index, population] of populations.entries()) {
    if (!population.sharesThreads) continue;
    const isNamed = ({ beside }: ScenarioGroup) =>
      beside.some(one => besideNames(one).includes(population.name));
    const groups = [...scenarios.entries()].filter(([, group]) => isNamed(group));
    checkSharing({ ...population, index, group: groupOfPopulation(population) }, groups, refuse);
  }
}

/** A population that runs in the threads of scenarios. */
interface Sharing {
  readonly name: string;
  readonly index: number;
  readonly group: ScenarioGroup;
}

const sharesAt = ({ index }: Sharing) => `populations[${index}].sharesThreads`;
const ringIsAlone =
  'while a thread waits for replies through io_uring, replies on its other connections are late';

/** Refuses a population that cannot run in the threads of these groups, at the key that has to change. */
function checkSharing(
  population: Sharing,
  groups: readonly (readonly [index: number, group: ScenarioGroup])[],
  refuse: Refuse,
): void {
  const here = ['populations', population.index];
  const minThreads = ({ pools, poolsPerThread }: ScenarioGroup) =>
    Math.ceil(Math.min(...pools) / Math.max(...poolsPerThread));
  const threads = minThreads(population.group);
  const maxThreads = Math.min(...groups.map(([, group]) => minThreads(group)));
  if (threads > maxThreads) {
    const expected = `pools in at most ${formatPlural(maxThreads, 'thread')}, because sharesThreads is true and a scenario with this population has no more threads (lower pools or raise poolsPerThread)`;
    refuse([...here, 'pools'], expected, population.group.pools[0], threads);
  }
  const usesRing = ({ client, transport }: ScenarioGroup) =>
    client.includes('wire') && transport.includes('io_uring');
  if (usesRing(population.group)) {
    const expected = `a transport other than io_uring, because ${sharesAt(population)} is true (${ringIsAlone}): change the transport, or set sharesThreads to false`;
    refuse([...here, 'transport'], expected, 'io_uring');
  }
  for (const [index, { transport, ...group }] of groups) {
    if (!usesRing({ transport, ...group })) continue;
    const expected = `a transport other than io_uring, because the population ${population.name} runs in the threads of this scenario (${ringIsAlone}): change the transport, or set ${sharesAt(population)} to false`;
    refuse(['scenarios', index, 'transport', transport.indexOf('io_uring')], expected, 'io_uring');
  }
}

/** An input with populations in which no scenario has `beside`. */
const undecided = z.looseObject({
  populations: z.array(z.looseObject({ name: populationName })).min(1),
  scenarios: z.array(z.looseObject({ beside: z.undefined().optional() })),
});

/** The input of a config. If no scenario has `beside`, each runs alone and beside each population. */
export function withBeside(input: unknown): unknown {
  const { data } = undecided.safeParse(input);
  if (data === undefined) return input;
  const beside = [null, ...data.populations.map(({ name }) => name)];
  return { ...(input as object), scenarios: data.scenarios.map(scenario => ({ ...scenario, beside })) };
}
