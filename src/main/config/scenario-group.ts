import { z } from 'zod';
import { clients, connectPacings, type Preset, presets, probes } from '../../pool/presets.ts';
import { expandArrivals } from '../plan/arrivals.ts';
import { arrivalSchema, checkArrivals } from './arrival.ts';
import { isOutOfRange, listOf, numberBetween, oneOf, section, wholeNumber } from './schema-parts.ts';

/** A group with more cells than this is a slip of the pen, and would not end in a lifetime. */
const mostScenarios = 10_000;
/** A thread costs 10 to 20 MB. */
const mostThreads = 256;

const noBatch = section({
  pool: z.literal('none').meta({ description: 'none: all workers send batches of the size `pipeline`' }),
});
const batchIn = (pool: 'shared' | 'separate', description: string) =>
  section({
    pool: z.literal(pool).meta({ description }),
    workers: wholeNumber(1, 100_000).meta({ description: 'Workers beside the others', unit: 'workers' }),
    pipeline: wholeNumber(2, 10_000).meta({
      description: 'Commands in each of their batches',
      unit: 'commands',
    }),
  });
const batch = z.discriminatedUnion(
  'pool',
  [
    noBatch,
    batchIn('shared', 'shared: in the same pools as the others'),
    batchIn(
      'separate',
      'separate: in pools of their own beside the others; the connections are split by workers',
    ),
  ],
  {
    error: issue =>
      issue.code === 'invalid_union'
        ? '"none" or "shared" or "separate"'
        : 'an object such as { "pool": "shared", "workers": 5, "pipeline": 100 }',
  },
);

export const scenarioGroup = section({
  client: listOf(oneOf(clients)).prefault('ioredis').meta({
    description: 'What a connection is made of: ioredis (what an application pays) or wire (the leanest way)',
  }),
  pool: listOf(oneOf(Object.keys(presets) as Preset[]))
    .prefault('optimized')
    .meta({ description: 'Preset of the pool: which of its strategies are on' }),
  pools: listOf(wholeNumber(1, 1024))
    .prefault(1)
    .meta({ description: 'Pools that the workers, connections and keys are split over', unit: 'pools' }),
  workers: listOf(wholeNumber(1, 100_000))
    .prefault(50)
    .meta({ description: 'Concurrent callers, over all pools', unit: 'workers' }),
  pipeline: listOf(wholeNumber(1, 10_000))
    .prefault(1)
    .meta({ description: 'Commands that a worker writes and awaits together', unit: 'commands' }),
  poolsPerThread: listOf(wholeNumber(1, 1024))
    .prefault(1)
    .meta({ description: 'Pools that share one thread; the last thread gets the rest', unit: 'pools' }),
  connectionsPerWorker: listOf(numberBetween(0.01, 100)).prefault(2).meta({
    description: 'Most connections, for each worker; the total is rounded, and no pool has less than one',
    unit: 'connections per worker',
  }),
  minIdleShare: listOf(numberBetween(0, 1)).prefault(0.25).meta({
    description: 'Share of the connections that a warming pool opens before the load and keeps up',
    unit: 'share, 0 to 1',
  }),
  healthTtlMs: listOf(wholeNumber(0, 3_600_000)).prefault(1000).meta({
    description: 'How long a health check is good for, where the preset caches it',
    unit: 'milliseconds',
  }),
  probe: listOf(oneOf(probes))
    .prefault('poll')
    .meta({ description: 'What a health check does: poll looks at the socket, ping asks the server' }),
  arrival: listOf(arrivalSchema).prefault({ kind: 'closed' }).meta({ description: 'When work is due' }),
  connects: listOf(oneOf(connectPacings)).prefault('parallel').meta({
    description:
      'How a pool without the lock opens connections when many are missing: all at once, one after another, or spread at random',
  }),
  autoPipelining: listOf(z.boolean({ error: 'true or false' }))
    .prefault(false)
    .meta({ description: 'Whether ioredis joins commands sent in the same turn of the event loop' }),
  batch: listOf(batch)
    .prefault({ pool: 'none' })
    .meta({ description: 'Workers that send larger batches beside the others' }),
  cutEveryMs: listOf(wholeNumber(0, 60_000)).prefault(0).meta({
    description: 'Every so often one connection of the load is cut by the server (CLIENT KILL); 0: never',
    unit: 'milliseconds',
  }),
  burst: listOf(z.boolean({ error: 'true or false' }))
    .prefault(false)
    .meta({
      description:
        'Whether every worker keeps its first connection until all have one; with a warm-up it is always so',
    }),
})
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
    const lists = Object.values({ ...value, arrival: expandArrivals(value.arrival) });
    const cells = lists.reduce((product, list) => product * list.length, 1);
    if (cells > mostScenarios) {
      const expected = `at most ${mostScenarios} scenarios (shorten the lists)`;
      issues.push({ code: 'custom', params: { expected, found: cells }, input: value });
    }
  })
  .meta({ description: 'A cross product of lists: one scenario for every combination of their values' });

export type ScenarioGroup = z.output<typeof scenarioGroup>;
