import type { z } from 'zod';
import { keysOf, parseCommand } from '../../workers/workload/command-templates.ts';
import { keyRanges, maxRecords } from '../../workers/workload/key-ranges.ts';
import type { scenarioGroup } from './scenario-group.ts';
import { sizesOf } from './value-variants.ts';
import type { WorkloadConfig } from './workload.ts';
import { workloadTask } from './workload.ts';

type ScenarioGroup = z.output<typeof scenarioGroup>;

/** A value that is valid by itself, but not together with the rest of the config. */
interface Misfit {
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly found: unknown;
}

interface Parts {
  readonly target: { readonly cluster: boolean };
  readonly workload: WorkloadConfig;
  readonly scenarios: readonly ScenarioGroup[];
}

/** What a request holds beside its value, at most. */
const requestOverheadBytes = 128;
/** Requests are held in memory while they travel: more than this would end the process without an error message. */
const maxBytesInFlight = 2 ** 30;
/** Key numbers have 8 digits. */
const maxKeyNumbers = 100_000_000;

/** Checks the number of keys, what a cluster can take, who inserts records, and the memory of what is in flight. */
export function workloadMisfits(config: Parts): Misfit[] {
  return [
    ...numberOfKeys(config).map(expected => ({
      path: ['workload', 'keys'],
      expected,
      found: config.workload.keys,
    })),
    ...foreignToClusters(config),
    ...withoutOneInserter(config),
    ...tooLargeInFlight(config),
  ];
}

function numberOfKeys({ workload, scenarios }: Parts): string[] {
  const { keys } = workload;
  const task = workloadTask(workload);
  const expected: string[] = [];
  const maxPools = Math.max(...scenarios.flatMap(({ pools }) => pools));
  if (keys < maxPools)
    expected.push(`at least as many keys as pools, ${maxPools} here (each pool has keys of its own)`);
  const all = Math.max(keyRanges(task).all, maxRecords(task));
  if (all > maxKeyNumbers) {
    const max = Math.floor((maxKeyNumbers * keys) / all);
    expected.push(
      `at most ${max} keys, as ${all / keys} times as many are needed (one for each type of value, for reads that find nothing, and for records that are inserted)`,
    );
  }
  if (task.keyChoice.kind !== 'partitioned') return expected;
  const maxOwners = Math.max(...scenarios.map(ownersOf));
  if (keys < maxOwners)
    expected.push(`at least ${maxOwners} keys (partitioned: each worker has keys of its own)`);
  return expected;
}

/** Workers that keys are shared out to, and as many more as remainders of the division by pools can take. */
function ownersOf({ workers, batch, pools }: ScenarioGroup): number {
  const beside = Math.max(...batch.map(group => (group.pool === 'none' ? 0 : group.workers)));
  return Math.max(...workers) + beside + Math.max(...pools);
}

function foreignToClusters({ target, workload }: Parts): Misfit[] {
  if (!target.cluster) return [];
  if (workloadTask(workload).growth === 'index')
    return [
      {
        path: ['workload', 'ycsb'],
        expected: 'another one, as target.cluster is true (its records are one sorted set, so on one node)',
        found: workload.ycsb,
      },
    ];
  return workload.commands.flatMap(({ command }, index) =>
    keysOf(parseCommand(command)) <= 1
      ? []
      : [
          {
            path: ['workload', 'commands', index, 'command'],
            expected:
              'a command of one key at most, as target.cluster is true (the keys of one command would be on several nodes)',
            found: command,
          },
        ],
  );
}

/** Pools that share their keys would insert the same ones. */
function withoutOneInserter({ workload, scenarios }: Parts): Misfit[] {
  if (workloadTask(workload).growth === null) return [];
  return scenarios.flatMap(({ batch }, index) =>
    batch.some(({ pool }) => pool === 'separate')
      ? [
          {
            path: ['scenarios', index, 'batch'],
            expected: `no batch workers with pools of their own, as workload.ycsb is ${JSON.stringify(workload.ycsb)} (both pools would insert the same records)`,
            found: batch,
          },
        ]
      : [],
  );
}

function tooLargeInFlight({ workload, scenarios }: Parts): Misfit[] {
  const { most } = sizesOf(workloadTask(workload).values);
  return scenarios.flatMap(({ workers, pipeline, batch }, index) => {
    const commands =
      Math.max(...workers) * Math.max(...pipeline) +
      Math.max(...batch.map(beside => (beside.pool === 'none' ? 0 : beside.workers * beside.pipeline)));
    const bytes = commands * (most + requestOverheadBytes);
    if (bytes <= maxBytesInFlight) return [];
    const inFlight = `${(bytes / 2 ** 30).toFixed(1)} GiB here`;
    return [
      {
        path: ['scenarios', index, 'pipeline'],
        expected: `at most 1 GiB in flight at once (workers × pipeline × valueBytes, ${inFlight})`,
        found: pipeline,
      },
    ];
  });
}
