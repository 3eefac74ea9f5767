import { z } from 'zod';
import { clients, type Preset, presets, probes } from '../../pool/presets.ts';
import { startable } from '../target/server-process.ts';
import { parseAddress } from '../target/url.ts';

/**
 * The one description of a config file: `configs/schema.json` and the type `Experiment` are made from it.
 *
 * Every `error` text, and the `expected` of a check, completes the sentence "expected …": explain-issues.ts adds the
 * path and what was found.
 */

/** A group with more cells than this is a slip of the pen, and would not end in a lifetime. */
const mostScenarios = 10_000;
/** A thread costs 10 to 20 MB. */
const mostThreads = 256;

function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

function numberBetween(least: number, most: number) {
  const error = `a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
}

function oneOf<const Name extends string>(names: readonly Name[]) {
  return z.enum(names, { error: names.map(name => JSON.stringify(name)).join(' or ') });
}

/** A list without values would make a matrix without cells. A single value stands for a list of one. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .union([item, z.array(item).min(1, { error: 'at least one value' })])
    .transform(value => (Array.isArray(value) ? value : [value]) as z.output<Item>[]);
}

function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: issue => (issue.code === 'unrecognized_keys' ? keys : `an object with the keys ${keys}`),
  });
}

/** Values out of range say nothing of one another; an unknown key beside them does no harm. */
function isOutOfRange({ code }: { readonly code?: string | undefined }): boolean {
  return code !== 'unrecognized_keys';
}

const target = section({
  server: oneOf(startable).meta({ description: 'The server that the experiment is about' }),
  url: z
    .string({ error: 'a URL such as "redis://localhost:6379/0"' })
    .check(({ value, issues }) => {
      try {
        parseAddress(value);
      } catch (error) {
        const expected = (error as Error).message.replace(/^expected /, '');
        issues.push({ code: 'custom', params: { expected }, input: value });
      }
    })
    .meta({
      description:
        'Where it is: redis://, rediss:// (TLS) or unix:///path; user:password@ and a database index as /0 are optional',
    }),
}).meta({ description: 'The server under test' });

/** What a request holds beside its value, at most. */
const requestOverheadBytes = 128;
/** Requests are held in memory while they travel: more than this would end the process without a word. */
const mostBytesInFlight = 2 ** 30;

const workload = section({
  keys: wholeNumber(1, 100_000_000).default(10_000).meta({
    description: 'Different keys in use; they are written before the load and removed after it',
    unit: 'keys',
  }),
  valueBytes: wholeNumber(0, 16 * 1024 * 1024)
    .default(32)
    .meta({ description: 'Size of every value', unit: 'bytes' }),
  readShare: numberBetween(0, 1)
    .default(0.5)
    .meta({ description: 'Share of GET among the commands; the rest is SET', unit: 'share, 0 to 1' }),
}).meta({ description: 'What the workers ask of the server' });

const closed = section({
  kind: z
    .literal('closed')
    .meta({ description: 'closed: a worker sends its next batch when the last one is answered' }),
});
const arrival = z.discriminatedUnion('kind', [closed], {
  error: issue =>
    issue.code === 'invalid_union'
      ? '"closed" (open loop, such as "constant", is not there yet)'
      : 'an object such as { "kind": "closed" }',
});

const group = section({
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
  arrival: listOf(arrival).prefault({ kind: 'closed' }).meta({ description: 'When work is due' }),
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
    const cells = Object.values(value).reduce((product, list) => product * list.length, 1);
    if (cells > mostScenarios) {
      const expected = `at most ${mostScenarios} scenarios (shorten the lists)`;
      issues.push({ code: 'custom', params: { expected, found: cells }, input: value });
    }
  })
  .meta({ description: 'A cross product of lists: one scenario for every combination of their values' });

export const experimentSchema = section({
  $schema: z
    .string({ error: 'the path of schema.json' })
    .optional()
    .meta({ description: 'Lets an editor complete and explain the keys' }),
  name: z
    .string({ error: '1 to 64 letters, digits, ".", "_" or "-"' })
    .regex(/^[\w.-]{1,64}$/, { error: '1 to 64 letters, digits, ".", "_" or "-"' })
    .meta({ description: 'Name of the experiment, a part of the name of its results folder' }),
  target,
  workload: workload.prefault({}),
  scenarios: z
    .array(group, { error: 'a list of groups' })
    .min(1, { error: 'at least one group, such as { "workers": [10, 50] }' })
    .meta({ description: 'What is measured: a list of groups, each a cross product of its lists' }),
  rounds: wholeNumber(1, 1000)
    .default(5)
    .meta({ description: 'Repetitions of every scenario; fewer than 5 give no verdict', unit: 'rounds' }),
  seconds: numberBetween(0.05, 3600)
    .default(1)
    .meta({ description: 'Measured time of one scenario in one round', unit: 'seconds' }),
  warmupSeconds: numberBetween(0, 600)
    .default(0.25)
    .meta({ description: 'Load before the measured time, which is discarded', unit: 'seconds' }),
  seed: wholeNumber(0, 2 ** 32 - 1)
    .default(1)
    .meta({ description: 'The same seed gives the same keys and the same order of scenarios' }),
  timeoutMs: wholeNumber(10, 600_000).default(5000).meta({
    description: 'A batch unanswered for this long has failed; a target silent for twice as long is lost',
    unit: 'milliseconds',
  }),
  maxFailedShare: numberBetween(0, 1).default(0.01).meta({
    description:
      'Share of failed and unfinished operations above which the run counts as failed (exit code 1)',
    unit: 'share, 0 to 1',
  }),
})
  .check(({ value, issues }) => {
    if (issues.some(isOutOfRange)) return;
    const mostPools = Math.max(...value.scenarios.flatMap(({ pools }) => pools));
    if (value.workload.keys < mostPools) {
      const expected = `at least as many keys as pools, ${mostPools} here (each pool has keys of its own)`;
      issues.push({
        code: 'custom',
        params: { expected },
        path: ['workload', 'keys'],
        input: value.workload.keys,
      });
    }
    for (const [index, { workers, pipeline }] of value.scenarios.entries()) {
      const bytes =
        Math.max(...workers) * Math.max(...pipeline) * (value.workload.valueBytes + requestOverheadBytes);
      if (bytes <= mostBytesInFlight) continue;
      const expected = `at most 1 GiB in flight at once (workers × pipeline × valueBytes, ${(bytes / 2 ** 30).toFixed(1)} GiB here)`;
      issues.push({
        code: 'custom',
        params: { expected },
        path: ['scenarios', index, 'pipeline'],
        input: pipeline,
      });
    }
  })
  .meta({
    title: 'poolbench experiment',
    description: 'One target, a workload, a matrix of scenarios, rounds',
  });

/** A config with every default filled in. */
export type Experiment = z.output<typeof experimentSchema>;
export type ScenarioGroup = Experiment['scenarios'][number];
export type Arrival = ScenarioGroup['arrival'][number];
