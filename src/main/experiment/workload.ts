import { z } from 'zod';
import {
  isOutOfRange,
  numberBetween,
  oneOf,
  section,
  wholeNumber,
} from '../../aggregate/scenario/schema-parts.ts';
import type { WorkloadTask } from '../../workers/contract.ts';
import { parseGivenCommand } from '../../workers/workload/command-templates.ts';
import { readsAndWrites } from '../../workers/workload/plain-workload.ts';
import { valueVariants } from './value-variants.ts';
import { valueBytes, valueContent } from './values.ts';
import { ycsbNames, ycsbPresets } from './ycsb.ts';

const maxCommands = 64;

const plain = <Kind extends string>(kind: Kind, description: string) =>
  section({ kind: z.literal(kind).meta({ description: `${kind}: ${description}` }) });

const kinds = ['uniform', 'zipfian', 'gaussian', 'sequential', 'hotSet', 'partitioned'];

/** How keys are chosen. */
const keyChoice = z.discriminatedUnion(
  'kind',
  [
    plain('uniform', 'every key of the pool equally often'),
    section({
      kind: z
        .literal('zipfian')
        .meta({ description: 'zipfian: the key of rank r in proportion to 1 / r^exponent' }),
      exponent: numberBetween(0.01, 10)
        .default(0.99)
        .meta({ description: 'How much hotter the hot keys are; YCSB uses 0.99' }),
    }),
    section({
      kind: z.literal('gaussian').meta({ description: 'gaussian: keys in the middle most often' }),
      spread: numberBetween(0.0001, 10).default(0.1).meta({
        description: 'Standard deviation as a fraction of the keys',
        unit: 'fraction of the keys',
      }),
    }),
    plain('sequential', 'the keys of each pool, one after another'),
    section({
      kind: z.literal('hotSet').meta({ description: 'hotSet: most operations on few keys' }),
      operationShare: numberBetween(0, 1).default(0.8).meta({
        description: 'Fraction of the operations that are on the hot keys',
        unit: 'fraction, 0 to 1',
      }),
      keyShare: numberBetween(0, 1).default(0.2).meta({
        description: 'Fraction of the keys that are hot; at least one key',
        unit: 'fraction, 0 to 1',
      }),
    }),
    plain('partitioned', 'every worker has keys of its own, chosen uniformly'),
  ],
  {
    error: issue =>
      issue.code === 'invalid_union'
        ? kinds.map(kind => JSON.stringify(kind)).join(' or ')
        : 'an object such as { "kind": "zipfian", "exponent": 0.99 }',
  },
);

const command = section({
  command: z
    .string({ error: 'a command such as "SET {key} {value} EX {number:10-60}"' })
    .check(({ value, issues }) => {
      try {
        parseGivenCommand(value);
      } catch (error) {
        issues.push({ code: 'custom', params: { expected: (error as Error).message }, input: value });
      }
    })
    .meta({ description: 'A command with placeholders: {key}, {value}, {counter}, {number:from-to}' }),
  weight: numberBetween(0.001, 1_000_000)
    .default(1)
    .meta({ description: 'How often it is sent, relative to the sum of all weights' }),
});

const usualKeyChoice = { kind: 'uniform' } as const;
const usualReadShare = 0.5;

/** Keys, values and commands of the load. Beside a preset or a list of commands the keys that it decides are absent. */
export const workload = section({
  keys: wholeNumber(1, 100_000_000).default(10_000).meta({
    description: 'Number of keys; they are written before the load and removed after it',
    unit: 'keys',
  }),
  keyChoice: keyChoice.optional().meta({
    description: 'How keys are chosen',
    default: usualKeyChoice,
  }),
  valueBytes,
  valueContent,
  readShare: numberBetween(0, 1).optional().meta({
    description:
      'Fraction of the commands that are GET; the others are SET. Not allowed beside commands or ycsb',
    unit: 'fraction, 0 to 1',
    default: usualReadShare,
  }),
  commands: z
    .array(command, { error: 'a list of commands such as [{ "command": "GET {key}", "weight": 90 }]' })
    .max(maxCommands, { error: `at most ${maxCommands} commands` })
    .default([])
    .meta({ description: 'A weighted mix of commands, instead of GET and SET by readShare' }),
  hitShare: numberBetween(0, 1).default(1).meta({
    description: 'Fraction of the reads that are of existing keys; the others are of keys that nobody writes',
    unit: 'fraction, 0 to 1',
  }),
  ycsb: oneOf(ycsbNames).nullable().default(null).meta({
    description: 'A workload of YCSB, which decides the commands and the choice of keys; null: none',
  }),
})
  .check(({ value, issues }) => {
    if (issues.some(isOutOfRange)) return;
    const refuse = (key: 'readShare' | 'commands' | 'keyChoice' | 'hitShare', expected: string) =>
      issues.push({ code: 'custom', params: { expected }, path: [key], input: value[key] });
    if (value.ycsb !== null) {
      const decides = `no ${'{key}'} beside ycsb, which decides it`;
      for (const key of ['readShare', 'keyChoice'] as const)
        if (value[key] !== undefined) refuse(key, decides.replace('{key}', key));
      if (value.commands.length > 0) refuse('commands', decides.replace('{key}', 'commands'));
      if (ycsbPresets[value.ycsb].growth !== undefined && value.hitShare < 1)
        refuse('hitShare', `1, or nothing, beside ycsb ${value.ycsb}, which reads what it has inserted`);
    } else if (value.commands.length > 0 && value.readShare !== undefined) {
      refuse('readShare', 'no readShare beside commands, which have weights');
    }
  })
  .transform(({ keyChoice, readShare, ...rest }) => ({
    ...rest,
    ...(rest.ycsb === null ? { keyChoice: keyChoice ?? usualKeyChoice } : {}),
    ...(rest.ycsb === null && rest.commands.length === 0 ? { readShare: readShare ?? usualReadShare } : {}),
  }))
  .meta({ description: 'Keys, values and commands of the load' });

/** A workload with its defaults filled in. */
export type WorkloadConfig = z.output<typeof workload>;

/** Made once for each: the values of a file must not change in the middle of a run. */
const made = new WeakMap<WorkloadConfig, WorkloadTask>();

/** What the threads are asked to do for a workload: presets spelled out, sizes as values. */
export function workloadTask(workload: WorkloadConfig): WorkloadTask {
  const task = made.get(workload) ?? makeTask(workload);
  made.set(workload, task);
  return task;
}

function makeTask(workload: WorkloadConfig): WorkloadTask {
  const { keys, valueContent, hitShare } = workload;
  const preset = workload.ycsb === null ? undefined : ycsbPresets[workload.ycsb];
  const given = workload.commands.length > 0 ? workload.commands : undefined;
  return {
    keys,
    hitShare,
    keyChoice: preset?.keyChoice ?? workload.keyChoice ?? { kind: 'uniform' },
    values: valueVariants(workload.valueBytes),
    compressibleShare: valueContent.kind === 'compressible' ? valueContent.share : 0,
    commands: preset?.commands ?? given ?? readsAndWrites(workload.readShare ?? 0.5),
    growth: preset?.growth ?? null,
    apart: preset !== undefined || given !== undefined || hitShare < 1,
  };
}
