import { z } from 'zod';
import { besideNames, populationName } from '../../aggregate/scenario/beside.ts';
import type { ScenarioGroup } from '../../aggregate/scenario/scenario.ts';
import { section } from '../../aggregate/scenario/schema-parts.ts';
import { sumOf } from '../../aggregate/stats/statistics.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { judge, judgeEach, type Refuse, type Rule, rules } from './rules.ts';
import { groupOf, groupRules, scenarioValues } from './scenario-group.ts';
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
}).check(
  rules((value, refuse) => {
    const group = groupOfPopulation(value);
    for (const rule of groupRules) rule(group, refuse);
    if (expandScenarios([group]).length > 1)
      refuse(['arrival', 'rate'], 'a single rate (a population is one load)', value.arrival);
  }),
);

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

interface Config extends Populated {
  readonly scenarios: readonly ScenarioGroup[];
}

/** A rule on loads, for a config and for each of its populations. Their faults are reported at their place in the config. */
export function ofEachLoad<Load>(rule: Rule<Load>): Rule<Load & Config> {
  return (config, refuse) => {
    judge(() => rule(config, refuse));
    judgeEach(config.populations, (population, index) => {
      const here = ['populations', index];
      // Inherited, because a copy would read what is at fault.
      const load: Load = Object.create(config, {
        workload: { value: population.workload ?? config.workload },
        scenarios: { value: [groupOfPopulation(population)] },
      });
      rule(load, (path, ...fault) => {
        if (path[0] === 'scenarios') return refuse([...here, ...path.slice(2)], ...fault);
        const isOwn = path[0] === 'workload' && population.workload !== null;
        return refuse(isOwn ? [...here, ...path] : path, ...fault);
      });
    });
  };
}

/** Rules on the names of populations, and on the scenarios beside which they run. */
export const besideRules: readonly Rule<Config>[] = [checkNames, checkBeside, checkSharing];

function checkNames({ populations }: Config, refuse: Refuse): void {
  const names = populations.map(({ name }) => name);
  for (const [index, name] of names.entries())
    if (names.indexOf(name) < index)
      refuse(['populations', index, 'name'], 'a name that no other population has', name);
}

function checkBeside({ populations, scenarios }: Config, refuse: Refuse): void {
  const names = populations.map(({ name }) => name);
  const expected =
    names.length === 0
      ? 'null, because the config has no populations'
      : `names of populations, each once: ${names.join(' or ')}`;
  judgeEach(scenarios, ({ beside }, group) =>
    judgeEach(beside, (one, index) => {
      const asked = besideNames(one);
      const isKnown = asked.every(name => names.includes(name)) && new Set(asked).size === asked.length;
      if (!isKnown) refuse(['scenarios', group, 'beside', index], expected, one);
    }),
  );
}

/** Populations that cannot share the threads of a scenario. */
function checkSharing({ populations, scenarios }: Config, refuse: Refuse): void {
  judgeEach(populations, (population, index) => {
    if (!population.sharesThreads) return;
    const isNamed = ({ beside }: ScenarioGroup) =>
      beside.some(one => besideNames(one).includes(population.name));
    const groups = [...scenarios.entries()].filter(([, group]) => isNamed(group));
    const sharing = { name: population.name, index, group: groupOfPopulation(population) };
    judge(() => checkSharedThreads(sharing, groups, refuse));
    checkSharedRing(sharing, groups, refuse);
  });
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

/** The groups of scenarios that name it, with their places in the config. */
type NamingGroups = readonly (readonly [index: number, group: ScenarioGroup])[];

function checkSharedThreads({ index, group }: Sharing, groups: NamingGroups, refuse: Refuse): void {
  const minThreads = ({ pools, poolsPerThread }: ScenarioGroup) =>
    Math.ceil(Math.min(...pools) / Math.max(...poolsPerThread));
  const threads = minThreads(group);
  const maxThreads = Math.min(...groups.map(([, group]) => minThreads(group)));
  if (threads <= maxThreads) return;
  const expected = `pools in at most ${formatPlural(maxThreads, 'thread')}, because sharesThreads is true and a scenario with this population has no more threads (lower pools or raise poolsPerThread)`;
  refuse(['populations', index, 'pools'], expected, group.pools[0], threads);
}

/** Refused at the key that has to change. */
function checkSharedRing(population: Sharing, groups: NamingGroups, refuse: Refuse): void {
  const usesRing = ({ client, transport }: ScenarioGroup) =>
    client.includes('wire') && transport.includes('io_uring');
  if (usesRing(population.group)) {
    const expected = `a transport other than io_uring, because ${sharesAt(population)} is true (${ringIsAlone}): change the transport, or set sharesThreads to false`;
    refuse(['populations', population.index, 'transport'], expected, 'io_uring');
  }
  for (const [index, group] of groups) {
    if (!usesRing(group)) continue;
    const expected = `a transport other than io_uring, because the population ${population.name} runs in the threads of this scenario (${ringIsAlone}): change the transport, or set ${sharesAt(population)} to false`;
    refuse(['scenarios', index, 'transport', group.transport.indexOf('io_uring')], expected, 'io_uring');
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
