import type { z } from 'zod';
import { type ConfigItems, rows, type ScenarioGroup } from '../../aggregate/scenario/scenario.ts';
import { isOutOfRange, listOf, section } from '../../aggregate/scenario/schema-parts.ts';
import { countCells } from './scenarios.ts';

/** A group with more cells than this is a slip of the pen, and would not end in a lifetime. */
const mostScenarios = 10_000;
/** A thread costs 10 to 20 MB. */
const mostThreads = 256;

type ListOf<Item extends z.ZodType> = z.ZodPrefault<ReturnType<typeof listOf<Item>>>;
type Lists = { [Key in keyof ConfigItems]: ListOf<ConfigItems[Key]> };

/** A list for each row of the table of dimensions that a config sets. */
const lists = Object.fromEntries(
  rows.flatMap(([key, { config }]) => {
    if (config === null) return [];
    const { name = key, item, usual, description, unit } = config;
    const meta = { description, ...(unit === undefined ? {} : { unit }) };
    return [
      [
        name,
        listOf(item)
          .prefault(usual as never)
          .meta(meta),
      ],
    ];
  }),
) as Lists;

export const scenarioGroup = section(lists)
  .check(({ value, issues }) => {
    if (issues.some(isOutOfRange)) return;
    const fewestWorkers = Math.min(...value.workers);
    for (const [index, pools] of value.pools.entries()) {
      if (pools > fewestWorkers) {
        const expected = `no more pools than workers, ${fewestWorkers} in this group (each pool needs a worker)`;
        issues.push({ code: 'custom', params: { expected }, path: ['pools', index], input: pools });
      }
    }
    const threads = Math.ceil(Math.max(...value.pools) / Math.min(...value.poolsPerThread));
    if (threads > mostThreads) {
      const expected = `at most ${mostThreads} threads (raise poolsPerThread or lower pools)`;
      issues.push({
        code: 'custom',
        params: { expected, found: threads },
        path: ['pools'],
        input: value.pools,
      });
    }
    const mostPools = Math.max(...value.pools);
    const largest = Math.max(...value.pipeline);
    for (const [index, beside] of value.batch.entries()) {
      if (beside.pool === 'none') continue;
      const refuse = (key: 'workers' | 'pipeline', expected: string) =>
        issues.push({
          code: 'custom',
          params: { expected },
          path: ['batch', index, key],
          input: beside[key],
        });
      if (beside.workers < mostPools)
        refuse('workers', `at least as many batch workers as pools, ${mostPools} in this group`);
      if (beside.pipeline <= largest)
        refuse('pipeline', `more than the ${largest} commands of the other workers' batches`);
    }
    for (const [index, perWorker] of value.connectionsPerWorker.entries()) {
      if (!value.burst.includes(true) || perWorker >= 1) continue;
      const expected = 'at least 1 where burst is true (every worker needs a connection)';
      issues.push({
        code: 'custom',
        params: { expected },
        path: ['connectionsPerWorker', index],
        input: perWorker,
      });
    }
    checkArrivals(value, (path, expected, input) =>
      issues.push({ code: 'custom', params: { expected }, path, input }),
    );
    const cells = countCells(value);
    if (cells > mostScenarios) {
      const expected = `at most ${mostScenarios} scenarios (shorten the lists)`;
      issues.push({ code: 'custom', params: { expected, found: cells }, input: value });
    }
  })
  .meta({ description: 'A cross product of lists: one scenario for every combination of their values' });

/** What is wrong between the arrivals of a group and its other lists. */
function checkArrivals(
  { arrival, pipeline, batch }: Pick<ScenarioGroup, 'arrival' | 'pipeline' | 'batch'>,
  refuse: (path: (string | number)[], expected: string, input: unknown) => void,
): void {
  for (const [index, one] of arrival.entries()) {
    if (one.kind === 'closed') continue;
    if (one.order === 'upAndDown' && new Set(one.rate).size < 2)
      refuse(['arrival', index, 'rate'], 'at least two different rates to go up and down', one.rate);
    if (one.kind !== 'burst') continue;
    const uneven = pipeline.find(depth => one.size % depth !== 0);
    if (uneven !== undefined)
      refuse(['arrival', index, 'size'], `whole batches, a multiple of ${uneven} (pipeline)`, one.size);
  }
  if (arrival.every(({ kind }) => kind === 'closed')) return;
  for (const [index, { pool }] of batch.entries()) {
    if (pool === 'none') continue;
    const expected = '"none" beside an open loop (arrival), which does not tell whose operations are due';
    refuse(['batch', index, 'pool'], expected, pool);
  }
}
