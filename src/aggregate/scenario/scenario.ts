import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Column, Dimension } from './dimension.ts';
import { dimensions } from './dimensions.ts';

/** What follows from the table of dimensions for all of its rows. */

type Rows = typeof dimensions;
/** A key of a scenario, as the code names it. */
export type ScenarioKey = keyof Rows;

/** The types that a row was made of. */
interface Of<Key extends ScenarioKey> {
  item: NonNullable<Rows[Key]['config']>['item'];
  field: Rows[Key]['result'];
  measured: ReturnType<NonNullable<Rows[Key]['measure']>>;
  thread: Rows[Key]['thread'];
  configKey: NonNullable<NonNullable<Rows[Key]['config']>['name']>;
  fileKey: NonNullable<Rows[Key]['fileKey']>;
}

/** A row without a config is of any item. */
type ConfiguredKey = { [Key in ScenarioKey]: z.ZodType extends Of<Key>['item'] ? never : Key }[ScenarioKey];

type ConfigKeyOf<Key extends ScenarioKey> = Of<Key>['configKey'] extends '' ? Key : Of<Key>['configKey'];
type FileKeyOf<Key extends ScenarioKey> = Of<Key>['fileKey'] extends '' ? Key : Of<Key>['fileKey'];

/** The schema of one value, by key of a config. */
export type ConfigItems = { [Key in ConfiguredKey as ConfigKeyOf<Key>]: Of<Key>['item'] };
/** A group of a config: a list for each key. */
export type ScenarioGroup = { [Key in keyof ConfigItems]: z.output<ConfigItems[Key]>[] };

/** What is measured, but for the id that its experiment gives it. */
export type MeasuredScenario = { readonly [Key in ScenarioKey]: Of<Key>['measured'] };

type ThreadKey = { [Key in ScenarioKey]: Of<Key>['thread'] extends false ? never : Key }[ScenarioKey];
/** What every thread gets. */
export type ThreadPart = {
  readonly [Key in ThreadKey]: Of<Key>['thread'] extends (...args: never) => infer Part
    ? Part
    : Of<Key>['measured'];
};

type ResultShape = { [Key in ScenarioKey as FileKeyOf<Key>]: Of<Key>['field'] };
/** As a result has it. */
export type ScenarioFields = { [Key in keyof ResultShape]: z.output<ResultShape[Key]> };

const table: Readonly<Record<ScenarioKey, Dimension>> = dimensions;
/** Every key with its row, in the order of the table. */
export const rows = Object.entries(table) as readonly Row[];
type Row = readonly [ScenarioKey, Dimension];

/** The default of every key that a config can set; for a total, the default of its ratio. */
const usualValues: ReadonlyMap<ScenarioKey, unknown> = new Map(
  rows.flatMap(([key, { config }]) => {
    if (config === null) return [];
    const [usual] = config.expand?.([config.item.parse(config.usual)]) ?? [config.usual];
    return [[key, usual] as const];
  }),
);

/** The key for which a config has this name. @throws Error if there is none */
export function scenarioKeyOf(name: string): ScenarioKey {
  const row = rows.find(([key, { config }]) => config !== null && (config.name ?? key) === name);
  if (row === undefined) throw new Error(`expected a key of a scenario, found ${name}`);
  return row[0];
}

/** Every key of a scenario that a config can set, under the config's name. */
export const configNames = rows.flatMap(([key, { config }]) => (config === null ? [] : (config.name ?? key)));

const fileKeyOf = (key: ScenarioKey) => (table[key].fileKey ?? key) as keyof ScenarioFields;

/** A scenario's value of a key, as its row takes it. */
export function fieldOf(scenario: ScenarioFields, key: ScenarioKey): ScenarioFields[keyof ScenarioFields] {
  return scenario[fileKeyOf(key)];
}

/**
 * Two scenarios are equal arms, for claims, tables and comparisons, if their keys are equal. The key has everything except
 * what a pairing sets `free`. A control has no key: it is paired only with its twin.
 */
export function armKey(
  scenario: ScenarioFields & { readonly control?: undefined },
  free: readonly ScenarioKey[] = [],
): string {
  const values = known(armValues, scenario, () =>
    rows.map(([key, { equalBy }]) => {
      const value = fieldOf(scenario, key);
      return JSON.stringify(equalBy === undefined ? value : equalBy(value, scenario)) ?? '';
    }),
  );
  return values.filter((_, index) => !free.includes((rows[index] as Row)[0])).join('\n');
}

/**
 * Whether a scenario has the default of every key except those in `free`, including keys added later. Totals have no
 * default, so they must be free.
 */
export function isUsual(scenario: ScenarioFields, free: readonly ScenarioKey[]): boolean {
  const unusual = known(unusualKeys, scenario, () =>
    [...usualValues].flatMap(([key, usual]) =>
      isDeepStrictEqual(fieldOf(scenario, key), usual) ? [] : [key],
    ),
  );
  return unusual.every(key => free.includes(key));
}

/** Properties that claims read of each scenario hundreds of times after every round, so they are computed once. */
const armValues = new WeakMap<ScenarioFields, readonly string[]>();
const unusualKeys = new WeakMap<ScenarioFields, readonly ScenarioKey[]>();

function known<Found>(
  found: WeakMap<ScenarioFields, Found>,
  scenario: ScenarioFields,
  find: () => Found,
): Found {
  const before = found.get(scenario);
  if (before !== undefined) return before;
  const now = find();
  found.set(scenario, now);
  return now;
}

/** The keys of a scenario in a result with their schemas, and the defaults that earlier results are read with. */
export const resultShape = Object.fromEntries(
  rows.map(([key, { config, result }]) => {
    const isInAll = config === null || config.since === null;
    return [fileKeyOf(key), isInAll ? result : result.default(usualValues.get(key))];
  }),
) as ResultShape;

/** A scenario as a result has it, under the names of the file. */
export function fieldsOf(scenario: MeasuredScenario): ScenarioFields {
  const fields: Record<string, unknown> = {};
  for (const [key] of rows) fields[fileKeyOf(key)] = scenario[key];
  return fields as ScenarioFields;
}

/** What every thread of a scenario gets. */
export function threadPartOf(scenario: MeasuredScenario): ThreadPart {
  const part: Record<string, unknown> = {};
  for (const [key, { thread }] of rows) {
    if (thread === false) continue;
    part[key] = typeof thread === 'function' ? thread(scenario[key], scenario) : scenario[key];
  }
  return part as ThreadPart;
}

/** The code paths of a scenario in a thread: equal for scenarios that warm up a thread in the same way. */
export function pathOf(scenario: MeasuredScenario): string {
  return JSON.stringify(rows.map(([key, row]) => row.path(scenario[key])));
}

/** Columns of the file that are older than the order of the table. The others follow in that order. */
const firstColumns: readonly ScenarioKey[] = [
  'client',
  'preset',
  'pools',
  'poolsPerThread',
  'threads',
  'workers',
  'connections',
  'minIdle',
  'pipeline',
  'probe',
];

/** The columns of `scenarios.csv` with the dimensions of a scenario. */
export function scenarioColumns(): Column<ScenarioFields>[] {
  const keys = new Set([...firstColumns, ...rows.map(([key]) => key)]);
  return [...keys].flatMap(key => {
    const own: Column<unknown> = {
      name: fileKeyOf(key),
      value: field => field as ReturnType<Column<unknown>['value']>,
    };
    return (table[key].columns ?? [own]).map(({ name, value }) => ({
      name,
      value: (scenario: ScenarioFields) => value(fieldOf(scenario, key)),
    }));
  });
}
