import { configNames, type ScenarioKey, scenarioKeyOf } from '../../aggregate/scenario/scenario.ts';
import { controlSuffix } from '../../aggregate/stats/control.ts';
import type { LabelledScenario, Scenario } from './scenarios.ts';

/**
 * Scenarios that are compared with each other, and therefore measured right after one another: the spread of the ratio
 * of two arms grows with the time between them.
 */
export interface Block {
  /** The elements shuffled within the block: single scenarios, or the rates of a ladder in their order. */
  readonly elements: readonly (readonly Scenario[])[];
}

/** The keys that vary within a block if several keys vary and the config names none: the division of the same load. */
const usuallyCompared: readonly ScenarioKey[] = ['pools', 'poolsPerThread'];

/** The keys that are always compared if they vary: a scenario with a population is compared with the scenario alone. */
const alwaysCompared: ScenarioKey = 'beside';

/** Max fraction of the arms' time for controls; there is always at least one. */
const maxControlRatio = 0.25;

/**
 * Puts every scenario into exactly one block. Scenarios are in one block if they have the same value of every key that
 * is not compared. This is an equivalence relation, so a chain of comparisons cannot merge blocks: comparisons across
 * blocks, such as between levels of workers, use the ratios within each block.
 *
 * @param compare the keys named in the config; null: `beside` if it varies; otherwise the only key that varies, or
 * pools and threads
 */
export function formBlocks(
  scenarios: readonly LabelledScenario[],
  compare: readonly string[] | null,
): Block[] {
  const ladders = laddersOf(scenarios);
  const varying = varyingKeys(ladders.flatMap(([first]) => first?.values ?? []));
  const compared = compare?.map(scenarioKeyOf) ?? usualOf(varying);
  const held = varying.filter(key => !compared.includes(key));
  return groupBy(ladders, ([first]) => JSON.stringify(held.map(key => first?.values.get(key)))).map(
    ofBlock => ({
      elements: ofBlock.map(ladder =>
        ladder.map(({ scenario }) => scenario).toSorted((a, b) => placeOf(a) - placeOf(b)),
      ),
    }),
  );
}

/** What a config can list in `compare` to compare these scenarios: the names of the keys that vary. */
export function comparableKeys(scenarios: readonly LabelledScenario[]): string[] {
  return varyingKeys(laddersOf(scenarios).flatMap(([first]) => first?.values ?? [])).flatMap(
    key => configNames.find(name => scenarioKeyOf(name) === key) ?? [],
  );
}

function usualOf(varying: readonly ScenarioKey[]): readonly ScenarioKey[] {
  if (varying.includes(alwaysCompared)) return [alwaysCompared];
  return varying.length === 1 ? varying : usuallyCompared;
}

/**
 * Adds controls: one arm of a block is measured a second time, as a separate arm. Blocks that compare nothing have
 * none, nor do open loops, whose throughput is the requested rate. If controls would take more than a quarter of the
 * arms' time, only as many blocks have one as fit, spread evenly. The doubled arm changes from block to block, so that
 * some controls have few pools and others many.
 *
 * @param sides number of targets for each scenario: with two targets, a single scenario is two arms
 */
export function addControls(blocks: readonly Block[], sides = 1): Block[] {
  const arms = blocks.flatMap(({ elements }) => elements.flat()).length;
  const candidates = blocks.filter(
    block => block.elements.length * sides > 1 && closedArms(block).length > 0,
  );
  const count = Math.min(candidates.length, Math.max(1, Math.floor(arms * maxControlRatio)));
  const chosen = Array.from({ length: count }, (_, index) =>
    candidates.at(Math.floor(((index + 0.5) * candidates.length) / count)),
  );
  return blocks.map(block => {
    const place = chosen.indexOf(block);
    const closed = closedArms(block);
    const twin = place < 0 ? undefined : closed[place % closed.length];
    return twin === undefined ? block : { elements: [...block.elements, [controlOf(twin)]] };
  });
}

/** The blocks without controls. */
export function removeControls(blocks: readonly Block[]): Block[] {
  return blocks.map(({ elements }) => ({
    elements: elements.filter(([first]) => first?.control !== true),
  }));
}

function controlOf(twin: Scenario): Scenario {
  return { ...twin, id: `${twin.id}${controlSuffix}`, control: true };
}

function closedArms({ elements }: Block): Scenario[] {
  return elements.flat().filter(({ arrival }) => arrival.kind === 'closed');
}

/** The keys that have several values among those that apply. */
function varyingKeys(values: readonly LabelledScenario['values'][]): ScenarioKey[] {
  const keys = new Set(values.flatMap(labels => [...labels.keys()]));
  return [...keys].filter(
    key => new Set(values.map(labels => labels.get(key)).filter(label => label !== '')).size > 1,
  );
}

function laddersOf(scenarios: readonly LabelledScenario[]): LabelledScenario[][] {
  return groupBy(scenarios, ({ scenario, values }) => ladderKey(scenario, values));
}

/** The rates of a list that goes up and down stay together, because the previous rate may affect the target. */
function ladderKey({ id, arrival }: Scenario, values: LabelledScenario['values']): string {
  if (arrival.kind === 'closed' || arrival.leg === undefined) return id;
  return JSON.stringify([...new Map([...values]).set('arrival', ''), { ...arrival, rate: 0, leg: '' }]);
}

/** Negative and rising with the rate on the way up; positive and falling on the way down. */
function placeOf({ arrival }: Scenario): number {
  if (arrival.kind === 'closed') return 0;
  return arrival.leg === 'up' ? -1 / arrival.rate : 1 / arrival.rate;
}

/** In the order of the first ones. */
function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
