import type { Cell, Dimension } from '../../aggregate/scenario/dimension.ts';
import {
  type MeasuredScenario,
  rows,
  type ScenarioGroup,
  type ScenarioKey,
} from '../../aggregate/scenario/scenario.ts';

/** One cell of the matrix: a value for each row of the table of dimensions. The totals are over all pools. Plain data. */
export type Scenario = MeasuredScenario & {
  readonly id: string;
  /** It measures the same as another scenario of its block, its twin. */
  readonly control?: true;
};

export interface LabelledScenario {
  readonly scenario: Scenario;
  /** The parts of its id: every key that the id names, in order. */
  readonly labels: ReadonlyMap<ScenarioKey, string>;
  /** The same for every key that a config sets; "" if the key has no effect in this scenario. */
  readonly values: ReadonlyMap<ScenarioKey, string>;
}

/**
 * Every scenario of an experiment, once, in the order of the config.
 *
 * The id names client, preset, pools and workers, and every further dimension that varies in the experiment or is
 * not at its default: `wire-optimized-4pools-100workers-depth10`.
 */
export function expandScenarios(groups: readonly ScenarioGroup[]): Scenario[] {
  return labelScenarios(groups).map(({ scenario }) => scenario);
}

/** The same with the labels of their ids. */
export function labelScenarios(groups: readonly ScenarioGroup[]): LabelledScenario[] {
  const cells = groups.flatMap(cellsOf).map(withoutIdleSettings);
  const named = settings.filter(
    setting =>
      setting.inEveryId || cells.some(cell => !['', setting.usualLabel].includes(labelOf(setting, cell))),
  );
  const unique = new Map<string, LabelledScenario>();
  for (const cell of cells) {
    const measured = measuredPart(cell);
    const key = JSON.stringify(measured);
    if (unique.has(key)) continue;
    const labelsOf = (some: readonly Setting[]) =>
      new Map(some.map(setting => [setting.key, labelOf(setting, cell)] as const));
    const labels = labelsOf(named);
    const id = [...labels.values()].filter(label => label !== '').join('-');
    unique.set(key, { scenario: { id, ...measured }, labels, values: labelsOf(settings) });
  }
  return [...unique.values()];
}

/** Max connections open at once: those of the largest scenario, and the coordinator's own. */
export function connectionsNeeded(scenarios: readonly Pick<Scenario, 'connections'>[]): number {
  return 1 + Math.max(...scenarios.map(scenario => scenario.connections));
}

/** Each connection through the proxy of silent cuts has one end in the load, and two in the proxy. */
const socketsThroughProxy = 3;

/**
 * Max sockets and threads of this process at once, including the coordinator's connection and the proxy of silent cuts.
 */
export function processNeeds(scenarios: readonly Pick<Scenario, 'connections' | 'threads' | 'cut'>[]): {
  sockets: number;
  threads: number;
} {
  const needs = scenarios.map(({ connections, threads, cut }) =>
    cut === 'silent'
      ? { sockets: connections * socketsThroughProxy, threads: threads + 1 }
      : { sockets: connections, threads },
  );
  return {
    sockets: 1 + Math.max(0, ...needs.map(({ sockets }) => sockets)),
    threads: Math.max(1, ...needs.map(({ threads }) => threads)),
  };
}

/** One value of every list of a group. */
type MatrixCell = Cell & Readonly<Partial<Record<ScenarioKey, unknown>>>;

interface Setting extends NonNullable<Dimension['config']> {
  readonly key: ScenarioKey;
  readonly usualValue: unknown;
  readonly usualLabel: string;
}

/** The rows that a config has a key for. */
const settings = rows.flatMap(([key, { config }]): Setting[] => {
  if (config === null) return [];
  const [usualValue] = expandList(config, [config.item.parse(config.usual)]);
  return [{ ...config, key, usualValue, usualLabel: config.label(usualValue) }];
});

/** How many scenarios a group has; equal ones are counted several times. */
export function countCells(group: ScenarioGroup): number {
  return countOf(listsOf(group));
}

type Lists = readonly (readonly [ScenarioKey, readonly unknown[]])[];

function countOf(lists: Lists): number {
  return lists.reduce((product, [, values]) => product * values.length, 1);
}

function listsOf(group: Readonly<Record<string, readonly unknown[]>>): Lists {
  return settings.map(setting => [
    setting.key,
    expandList(setting, group[setting.name ?? setting.key] ?? []),
  ]);
}

function expandList(
  { expand }: NonNullable<Dimension['config']>,
  items: readonly unknown[],
): readonly unknown[] {
  return expand?.(items) ?? items;
}

function cellsOf(group: ScenarioGroup): MatrixCell[] {
  const lists = listsOf(group);
  return Array.from({ length: countOf(lists) }, (_, index) => {
    const cell: Partial<Record<ScenarioKey, unknown>> = {};
    // The values of the last list vary fastest.
    let rest = index;
    for (const [key, values] of lists.toReversed()) {
      cell[key] = values[rest % values.length];
      rest = Math.floor(rest / values.length);
    }
    return cell as MatrixCell;
  });
}

/** A setting without effect is reset to its default, so that it does not create a second, equal scenario. */
function withoutIdleSettings(cell: MatrixCell): MatrixCell {
  const effective = settings.map(({ key, applies, clamp, usualValue }) => {
    const value = applies === undefined || applies(cell) ? cell[key] : usualValue;
    return [key, clamp === undefined ? value : clamp(value, cell)];
  });
  return Object.fromEntries(effective) as MatrixCell;
}

/** "" if the setting has no effect. */
function labelOf({ key, applies, label }: Setting, cell: MatrixCell): string {
  return applies === undefined || applies(cell) ? label(cell[key]) : '';
}

function measuredPart(cell: MatrixCell): MeasuredScenario {
  const measured = rows.map(([key, { measure }]) => [key, measure?.(cell[key], cell) ?? cell[key]]);
  return Object.fromEntries(measured) as MeasuredScenario;
}
