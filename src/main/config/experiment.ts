import { z } from 'zod';
import { keyRanges } from '../../workers/workload/key-ranges.ts';
import { sizesOf } from '../plan/value-variants.ts';
import { workloadTask } from '../plan/workload-task.ts';
import { declarable } from '../target/server-process.ts';
import { parseAddress } from '../target/url.ts';
import { scenarioGroup } from './scenario-group.ts';
import { isOutOfRange, numberBetween, oneOf, section, wholeNumber } from './schema-parts.ts';
import { workload } from './workload.ts';

/**
 * The one description of a config file, with its parts in scenario-group.ts: `configs/schema.json` and the type
 * `Experiment` are made from it.
 */

const serverThreads = wholeNumber(1, 128);

const target = section({
  server: oneOf(declarable).meta({
    description: 'The server that the experiment is about; any: whatever answers at the URL',
  }),
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
  threads: z
    .union([serverThreads, z.array(serverThreads)])
    .transform(value => [...new Set(Array.isArray(value) ? value : [value])])
    .prefault([])
    .meta({
      description:
        "Threads that the server serves clients with, where poolbench starts it; several are compared; none: the server's own default",
      unit: 'server threads',
    }),
}).meta({ description: 'The server under test' });

/** What a request holds beside its value, at most. */
const requestOverheadBytes = 128;
/** Requests are held in memory while they travel: more than this would end the process without a word. */
const mostBytesInFlight = 2 ** 30;

/** Key numbers have 8 digits. */
const mostKeyNumbers = 100_000_000;

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
    .array(scenarioGroup, { error: 'a list of groups' })
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
    const task = workloadTask(value.workload);
    const ranges = keyRanges(task);
    if (ranges.all > mostKeyNumbers) {
      const expected = `at most ${Math.floor((mostKeyNumbers * value.workload.keys) / ranges.all)} keys, as ${ranges.all / value.workload.keys} times as many are needed (one for each type of value, and for reads that find nothing)`;
      issues.push({
        code: 'custom',
        params: { expected },
        path: ['workload', 'keys'],
        input: value.workload.keys,
      });
    }
    const { most: mostValueBytes } = sizesOf(task.values);
    for (const [index, { workers, pipeline, batch, pools }] of value.scenarios.entries()) {
      const beside = Math.max(...batch.map(group => (group.pool === 'none' ? 0 : group.workers)));
      const owners = Math.max(...workers) + beside + Math.max(...pools);
      if (task.keyChoice.kind === 'partitioned' && value.workload.keys < owners) {
        const expected = `at least ${owners} keys (partitioned: each worker has keys of its own)`;
        issues.push({
          code: 'custom',
          params: { expected },
          path: ['workload', 'keys'],
          input: value.workload.keys,
        });
      }
      const commands =
        Math.max(...workers) * Math.max(...pipeline) +
        Math.max(...batch.map(beside => (beside.pool === 'none' ? 0 : beside.workers * beside.pipeline)));
      const bytes = commands * (mostValueBytes + requestOverheadBytes);
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
