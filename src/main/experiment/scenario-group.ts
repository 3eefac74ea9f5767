import type { z } from 'zod';
import { operationsOf } from '../../aggregate/scenario/arrival.ts';
import { limits } from '../../aggregate/scenario/limits.ts';
import { type ConfigItems, rows, type ScenarioGroup } from '../../aggregate/scenario/scenario.ts';
import { listOf, section } from '../../aggregate/scenario/schema-parts.ts';
import { judgeEach, type Refuse, type Rule, rules } from './rules.ts';
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

/** Rules on values that are valid alone, but not with the other values of their group. */
export const groupRules: readonly Rule<ScenarioGroup>[] = [
  checkPools,
  checkThreads,
  checkBatchWorkers,
  checkBatchPipeline,
  checkConnections,
  checkArrivals,
  checkBursts,
  checkRecordedPipeline,
  checkOpenBatch,
  checkScenarios,
];

export const scenarioGroup = groupOfLists
  .check(rules(...groupRules))
  .meta({ description: 'A cross product of lists: one scenario for every combination of their values' });

/** The group with these values of its keys, and the defaults of the others. It is not checked. */
export function groupOf(values: object): ScenarioGroup {
  return groupOfLists.parse(values);
}

function checkPools({ pools, workers }: ScenarioGroup, refuse: Refuse): void {
  const minWorkers = Math.min(...workers);
  judgeEach(pools, (count, index) => {
    if (count <= minWorkers) return;
    const expected = `no more pools than workers, ${minWorkers} in this group (each pool needs a worker)`;
    refuse(['pools', index], expected, count);
  });
}

function checkThreads({ pools, poolsPerThread }: ScenarioGroup, refuse: Refuse): void {
  const threads = Math.ceil(Math.max(...pools) / Math.min(...poolsPerThread));
  if (threads <= limits.threads) return;
  const expected = `at most ${limits.threads} threads (raise poolsPerThread or lower pools)`;
  refuse(['pools'], expected, pools, threads);
}

function checkBatchWorkers({ batch, pools }: ScenarioGroup, refuse: Refuse): void {
  const maxPools = Math.max(...pools);
  judgeEach(batch, (beside, index) => {
    if (beside.pool === 'none' || beside.workers >= maxPools) return;
    const expected = `at least as many batch workers as pools, ${maxPools} in this group`;
    refuse(['batch', index, 'workers'], expected, beside.workers);
  });
}

function checkBatchPipeline({ batch, pipeline }: ScenarioGroup, refuse: Refuse): void {
  const maxPipeline = Math.max(...pipeline);
  judgeEach(batch, (beside, index) => {
    if (beside.pool === 'none' || beside.pipeline > maxPipeline) return;
    const expected = `more than the ${maxPipeline} commands of the other workers' batches`;
    refuse(['batch', index, 'pipeline'], expected, beside.pipeline);
  });
}

function checkConnections({ connectionsPerWorker, burst }: ScenarioGroup, refuse: Refuse): void {
  if (!burst.includes(true)) return;
  judgeEach(connectionsPerWorker, (perWorker, index) => {
    if (perWorker >= 1) return;
    const expected = 'at least 1 where burst is true (every worker needs a connection)';
    refuse(['connectionsPerWorker', index], expected, perWorker);
  });
}

/** A rate or stages, in which something is due. */
function checkArrivals({ arrival }: ScenarioGroup, refuse: Refuse): void {
  judgeEach(arrival, (one, index) => {
    if (one.kind === 'closed' || one.kind === 'recorded') return;
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
  });
}

function checkBursts({ arrival, pipeline }: ScenarioGroup, refuse: Refuse): void {
  judgeEach(arrival, (one, index) => {
    if (one.kind !== 'burst') return;
    const uneven = pipeline.find(depth => one.size % depth !== 0);
    if (uneven !== undefined)
      refuse(['arrival', index, 'size'], `whole batches, a multiple of ${uneven} (pipeline)`, one.size);
  });
}

function checkRecordedPipeline({ arrival, pipeline }: ScenarioGroup, refuse: Refuse): void {
  if (arrival.every(({ kind }) => kind !== 'recorded') || Math.max(...pipeline) === 1) return;
  refuse(['pipeline'], '1 (each recorded operation is due at its own instant)', pipeline);
}

function checkOpenBatch({ arrival, batch }: ScenarioGroup, refuse: Refuse): void {
  if (arrival.every(({ kind }) => kind === 'closed')) return;
  judgeEach(batch, ({ pool }, index) => {
    if (pool === 'none') return;
    const expected = '"none" with an open loop (arrival), which has no separate schedule for batch workers';
    refuse(['batch', index, 'pool'], expected, pool);
  });
}

function checkScenarios(group: ScenarioGroup, refuse: Refuse): void {
  const cells = countCells(group);
  if (cells > maxScenarios) refuse([], `at most ${maxScenarios} scenarios (shorten the lists)`, group, cells);
}
