import type { z } from 'zod';
import { operationsOf } from '../../aggregate/scenario/arrival.ts';
import { limits } from '../../aggregate/scenario/limits.ts';
import { type ConfigItems, rows, type ScenarioGroup } from '../../aggregate/scenario/scenario.ts';
import { isOutOfRange, listOf, refuser, section } from '../../aggregate/scenario/schema-parts.ts';
import { countCells } from './scenarios.ts';

/** A group with more cells is a mistake that would run for days. */
const maxScenarios = 10_000;

/** The config's schema for each row of the table of dimensions, derived from the schema of one value. */
function keysOf(make: (item: z.ZodType) => z.ZodType): Record<string, z.ZodType> {
  return Object.fromEntries(
    rows.flatMap(([key, { config }]) => {
      if (config === null) return [];
      const { name = key, item, usual, description, unit } = config;
      const meta = { description, ...(unit === undefined ? {} : { unit }) };
      return [
        [
          name,
          make(item)
            .prefault(usual as never)
            .meta(meta),
        ],
      ];
    }),
  );
}

type ListOf<Item extends z.ZodType> = z.ZodPrefault<ReturnType<typeof listOf<Item>>>;
type Lists = { [Key in keyof ConfigItems]: ListOf<ConfigItems[Key]> };
type Values = { [Key in keyof ConfigItems]: z.ZodPrefault<ConfigItems[Key]> };

/** One value of each key. */
export const scenarioValues = keysOf(item => item) as Values;

const groupOfLists = section(keysOf(listOf) as Lists);

export const scenarioGroup = groupOfLists
  .check(({ value, issues }) => {
    if (!issues.some(isOutOfRange)) checkGroup(value, refuser(issues));
  })
  .meta({ description: 'A cross product of lists: one scenario for every combination of their values' });

/** The group with these values of its keys, and the defaults of the others. It is not checked. */
export function groupOf(values: object): ScenarioGroup {
  return groupOfLists.parse(values);
}

/** Refuses values that are valid alone, but not with the other values of their group. */
export function checkGroup(value: ScenarioGroup, refuse: ReturnType<typeof refuser>): void {
  const minWorkers = Math.min(...value.workers);
  const maxPools = Math.max(...value.pools);
  const maxPipeline = Math.max(...value.pipeline);
  for (const [index, pools] of value.pools.entries()) {
    if (pools <= minWorkers) continue;
    const expected = `no more pools than workers, ${minWorkers} in this group (each pool needs a worker)`;
    refuse(['pools', index], expected, pools);
  }
  const threads = Math.ceil(maxPools / Math.min(...value.poolsPerThread));
  if (threads > limits.threads) {
    const expected = `at most ${limits.threads} threads (raise poolsPerThread or lower pools)`;
    refuse(['pools'], expected, value.pools, threads);
  }
  for (const [index, beside] of value.batch.entries()) {
    if (beside.pool === 'none') continue;
    const { workers, pipeline } = beside;
    if (workers < maxPools) {
      const expected = `at least as many batch workers as pools, ${maxPools} in this group`;
      refuse(['batch', index, 'workers'], expected, workers);
    }
    if (pipeline <= maxPipeline) {
      const expected = `more than the ${maxPipeline} commands of the other workers' batches`;
      refuse(['batch', index, 'pipeline'], expected, pipeline);
    }
  }
  for (const [index, perWorker] of value.connectionsPerWorker.entries()) {
    if (!value.burst.includes(true) || perWorker >= 1) continue;
    const expected = 'at least 1 where burst is true (every worker needs a connection)';
    refuse(['connectionsPerWorker', index], expected, perWorker);
  }
  checkArrivals(value, refuse);
  const cells = countCells(value);
  if (cells > maxScenarios) refuse([], `at most ${maxScenarios} scenarios (shorten the lists)`, value, cells);
}

/** Checks the arrivals of a group against its other lists. */
function checkArrivals(
  { arrival, pipeline, batch }: Pick<ScenarioGroup, 'arrival' | 'pipeline' | 'batch'>,
  refuse: ReturnType<typeof refuser>,
): void {
  for (const [index, one] of arrival.entries()) {
    if (one.kind === 'closed') continue;
    if (one.kind === 'recorded') {
      if (Math.max(...pipeline) > 1)
        refuse(['pipeline'], '1 (each recorded operation is due at its own instant)', pipeline);
      continue;
    }
    const { rate, stages } = one;
    if (rate === null && stages === null) {
      const expected = 'a number from 0.1 to 10000000, a list of them, or stages instead';
      refuse(['arrival', index, 'rate'], expected, undefined);
    }
    if (rate !== null && stages !== null)
      refuse(['arrival', index, 'stages'], 'no stages with a rate (each stage has its own)', stages);
    if (stages !== null && operationsOf(stages) < 1)
      refuse(
        ['arrival', index, 'stages'],
        'stages in which at least 1 operation is due',
        stages,
        operationsOf(stages),
      );
    if (one.order === 'upAndDown' && new Set(rate).size < 2)
      refuse(
        ['arrival', index, 'rate'],
        'at least two different rates, to go up and down',
        rate ?? undefined,
      );
    if (one.kind !== 'burst') continue;
    const uneven = pipeline.find(depth => one.size % depth !== 0);
    if (uneven !== undefined)
      refuse(['arrival', index, 'size'], `whole batches, a multiple of ${uneven} (pipeline)`, one.size);
  }
  if (arrival.every(({ kind }) => kind === 'closed')) return;
  for (const [index, { pool }] of batch.entries()) {
    if (pool === 'none') continue;
    const expected = '"none" with an open loop (arrival), which has no separate schedule for batch workers';
    refuse(['batch', index, 'pool'], expected, pool);
  }
}
