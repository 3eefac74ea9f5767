import { basename, resolve } from 'node:path';
import { z } from 'zod';
import {
  kind,
  numberBetween,
  oneOf,
  oneOfKinds,
  readable,
  type ShapeOf,
  section,
  wholeNumber,
} from '../../aggregate/scenario/schema-parts.ts';
import type { ReadPlan } from '../../aggregate/stats/reads.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import type { KeyChoice, KeysOfType, WeightedCommand, WorkloadTask } from '../../workers/contract.ts';
import { parseCommand, parseGivenCommand } from '../../workers/workload/command-templates.ts';
import { changingCommands, foreseeableReads, typeNames } from '../../workers/workload/families.ts';
import { expectReplayOf, readReplay } from '../../workers/workload/replay.ts';
import { lineOfCommand, type Replay } from '../../workers/workload/replay-file.ts';
import { judgeEach, type Refuse, rules } from './rules.ts';
import { valueVariants } from './value-variants.ts';
import { valueBytes, valueContent } from './values.ts';

const ycsbNames = ['A', 'B', 'C', 'D', 'E', 'F'] as const;

interface Preset {
  readonly keyChoice: KeyChoice;
  readonly commands: readonly WeightedCommand[];
  readonly growth?: WorkloadTask['growth'];
}

const zipfian = { kind: 'zipfian', exponent: 0.99 } as const;

/** GET in this fraction of the operations, SET in the others. Both are present even if one is never sent. */
export function readsAndWrites(readRatio: number): readonly WeightedCommand[] {
  return [
    { command: 'GET {key}', weight: readRatio },
    { command: 'SET {key} {value}', weight: 1 - readRatio },
  ];
}

/**
 * The core workloads of YCSB (B. F. Cooper et al., Benchmarking Cloud Serving Systems with YCSB, 2010), with one command
 * for each operation. A record is one string. F reads, changes and writes a record in two requests; here this is one
 * request, SET with GET, as an application of Redis would do it. E reads ranges of records, which need an order: here the
 * records are the members of one sorted set. YCSB's client for Redis keeps only their names in it, and reads each record
 * of a range by itself.
 */
const ycsbPresets: Readonly<Record<(typeof ycsbNames)[number], Preset>> = {
  A: { keyChoice: zipfian, commands: readsAndWrites(0.5) },
  B: { keyChoice: zipfian, commands: readsAndWrites(0.95) },
  C: { keyChoice: zipfian, commands: [{ command: 'GET {key}', weight: 1 }] },
  D: {
    keyChoice: zipfian,
    growth: 'latest',
    commands: [
      { command: 'GET {key}', weight: 0.95 },
      { command: 'SET {key} {value}', weight: 0.05, inserts: true },
    ],
  },
  E: {
    keyChoice: zipfian,
    growth: 'index',
    commands: [
      { command: 'ZRANGEBYSCORE {key} {record} +inf LIMIT 0 {number:1-100}', weight: 0.95 },
      { command: 'ZADD {key} {record} {record}:{value}', weight: 0.05, inserts: true },
    ],
  },
  F: {
    keyChoice: zipfian,
    commands: [
      { command: 'GET {key}', weight: 0.5 },
      { command: 'SET {key} {value} GET', weight: 0.5 },
    ],
  },
};

/** Commands of a workload. */
export const maxCommands = 64;
export const maxSubscribers = 10_000;
export const maxKeys = 100_000_000;
export const maxMembers = 100_000;
export const usualMembers = 10;
export const members = wholeNumber(1, maxMembers);

/** How keys are chosen. */
export const keyChoice = oneOfKinds(
  [
    kind('uniform', 'every key of the pool equally often', {}),
    kind('zipfian', 'the key of rank r in proportion to 1 / r^exponent', {
      exponent: numberBetween(0.01, 10)
        .default(0.99)
        .meta({ description: 'How strongly accesses concentrate on few keys; YCSB uses 0.99' }),
    }),
    kind('gaussian', 'keys in the middle most often', {
      spread: numberBetween(0.0001, 10).default(0.1).meta({
        description: 'Standard deviation as a fraction of the keys',
        unit: 'fraction of the keys',
      }),
    }),
    kind('sequential', 'the keys of each pool, one after another', {}),
    kind('hotSet', 'most operations on few keys', {
      operationShare: numberBetween(0, 1).default(0.8).meta({
        description: 'Fraction of the operations that use the hot keys',
        unit: 'fraction, 0 to 1',
      }),
      keyShare: numberBetween(0, 1).default(0.2).meta({
        description: 'Fraction of the keys that are hot; at least one key',
        unit: 'fraction, 0 to 1',
      }),
    }),
    kind('partitioned', 'every worker has its own keys, chosen uniformly', {}),
  ],
  '{ "kind": "zipfian", "exponent": 0.99 }',
);

/** What differs for the keys of some types, by the names of the types. */
export const types = z.record(
  z.string(),
  section({
    keys: wholeNumber(1, maxKeys)
      .exactOptional()
      .meta({ description: 'Number of keys of this type', unit: 'keys' }),
    members: members.exactOptional().meta({
      description: 'Elements of each key of this type',
      unit: 'elements',
    }),
    keyChoice: keyChoice.exactOptional().meta({ description: 'How keys of this type are chosen' }),
  } satisfies ShapeOf<KeysOfType>),
  { error: 'an object such as { "sortedSets": { "keys": 10, "members": 1000 } }' },
);

const command = section({
  command: readable('a command such as "SET {key} {value} EX {number:10-60}"', parseGivenCommand).meta({
    description:
      'A command with placeholders ({key}, {value}, {counter}, {number:from-to}), quoted as in redis-cli, or a transaction: "MULTI; SET {key} {value}; EXEC"',
  }),
  weight: numberBetween(0.001, 1_000_000)
    .default(1)
    .meta({ description: 'How often it is sent, relative to the sum of all weights' }),
});

const functions = z
  .array(
    readable('a library such as "#!lua name=mine\\n…"', text => {
      if (!/^#!\S+ name=\w+/.test(text)) throw new RangeError('#!lua name=… in the first line of a library');
    }),
    { error: 'a list of libraries such as ["#!lua name=mine\\n…"]' },
  )
  .default([])
  .meta({
    description: 'Libraries of functions for FCALL; loaded before the load and removed after it',
  });

const usualKeyChoice = { kind: 'uniform' } as const;
const usualReadShare = 0.5;

const given = section({
  keys: wholeNumber(1, maxKeys).default(10_000).meta({
    description: 'Number of keys; they are written before the load and removed after it',
    unit: 'keys',
  }),
  members: members.default(usualMembers).meta({
    description: 'Elements of each hash, list, set, sorted set and stream that is written before the load',
    unit: 'elements',
  }),
  keyChoice: keyChoice.optional().meta({
    description: 'How keys are chosen',
    default: usualKeyChoice,
  }),
  types: types.default({}).meta({
    description: `What differs for the keys of some types: ${typeNames.join(', ')}`,
  }),
  valueBytes,
  valueContent,
  readShare: numberBetween(0, 1).optional().meta({
    description:
      'Fraction of the commands that are GET; the others are SET. Not allowed with commands, script or ycsb',
    unit: 'fraction, 0 to 1',
    default: usualReadShare,
  }),
  commands: z
    .array(command, { error: 'a list of commands such as [{ "command": "GET {key}", "weight": 90 }]' })
    .max(maxCommands, { error: `at most ${maxCommands} commands` })
    .default([])
    .meta({ description: 'A weighted mix of commands, instead of GET and SET by readShare' }),
  script: z
    .string({ error: 'the path of a script, or null' })
    .min(1, { error: 'the path of a script' })
    .nullable()
    .default(null)
    .meta({
      description:
        "Path of a script, relative to the config's folder: a module whose default export is an async function. Each call is a session, which is one operation; null: none",
    }),
  replay: z
    .string({ error: 'the path of a replay, or null' })
    .min(1, { error: 'the path of a replay' })
    .nullable()
    .default(null)
    .meta({
      description:
        "Path of a file written by poolbench record --literal, relative to the config's folder. It has the order of the commands and the key of each, and names the commands, which must be those of the workload; null: order and keys are drawn at random",
    }),
  functions,
  subscribers: wholeNumber(0, maxSubscribers).default(0).meta({
    description:
      'Additional connections that receive the messages of PUBLISH and SPUBLISH; the time from send to arrival is measured',
    unit: 'connections',
  }),
  hitShare: numberBetween(0, 1).default(1).meta({
    description:
      'Fraction of the reads that are for existing keys; the others are for keys that are never written',
    unit: 'fraction, 0 to 1',
  }),
  ycsb: oneOf(ycsbNames).nullable().default(null).meta({
    description: 'A YCSB workload, which sets the commands and the choice of keys; null: none',
  }),
});

/** A workload as a config has it. */
type Given = z.output<typeof given>;

/** Whether a config sets a key that something else can determine. */
const isSet = {
  readShare: ({ readShare }: Given) => readShare !== undefined,
  keyChoice: ({ keyChoice }: Given) => keyChoice !== undefined,
  commands: ({ commands }: Given) => commands.length > 0,
  hitShare: ({ hitShare }: Given) => hitShare < 1,
  ycsb: ({ ycsb }: Given) => ycsb !== null,
};

/** Refuses those of these keys that are set. */
function refuseKeys(
  value: Given,
  refuse: Refuse,
  keys: readonly (keyof typeof isSet)[],
  expected: (key: string) => string,
): void {
  judgeEach(keys, key => {
    if (isSet[key](value)) refuse([key], expected(key), value[key]);
  });
}

function checkReplay(value: Given, refuse: Refuse): void {
  if (value.replay === null) return;
  refuseKeys(value, refuse, ['keyChoice'], () => 'no keyChoice, because replay has the keys');
  refuseKeys(value, refuse, ['hitShare'], () => '1 or nothing, because replay has the keys');
}

function checkReplayFile(value: Given, refuse: Refuse): void {
  const { replay, commands } = value;
  if (replay === null) return;
  if (commands.length === 0) {
    refuse(['replay'], 'workload.commands as well, because the replay has only their order', replay);
    return;
  }
  try {
    const replayed = readReplay(resolve(replay));
    const misfit = commandMisfit(replayed, basename(replay), commands);
    if (misfit === undefined) expectReplayOf(replayed, value);
    else refuse(misfit.path, misfit.expected, commands, misfit.found);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    refuse(['replay'], cause.message, replay);
  }
}

function checkScript(value: Given, refuse: Refuse): void {
  if (value.script === null) return;
  refuseKeys(
    value,
    refuse,
    ['readShare', 'commands', 'hitShare', 'ycsb'],
    key => `no ${key} with script, which sets what is sent`,
  );
}

function checkMix(value: Given, refuse: Refuse): void {
  if (isSet.ycsb(value) || !isSet.commands(value)) return;
  refuseKeys(value, refuse, ['readShare'], () => 'no readShare with commands, which have weights');
}

function checkYcsb(value: Given, refuse: Refuse): void {
  const { ycsb } = value;
  if (ycsb === null) return;
  refuseKeys(
    value,
    refuse,
    ['readShare', 'keyChoice', 'commands'],
    key => `no ${key} with ycsb, which sets it`,
  );
  if (ycsbPresets[ycsb].growth === undefined) return;
  const expected = `1, or nothing, with ycsb ${ycsb}, which reads what it has inserted`;
  refuseKeys(value, refuse, ['hitShare'], () => expected);
}

/** Keys, values and commands of the load. Keys that a preset, a list of commands or a replay determines are absent. */
export const workload = given
  .check(rules(checkReplay, checkReplayFile, checkScript, checkMix, checkYcsb))
  .transform(({ keyChoice, readShare, ...rest }) => ({
    ...rest,
    ...(rest.ycsb === null && rest.replay === null ? { keyChoice: keyChoice ?? usualKeyChoice } : {}),
    ...(rest.ycsb === null && rest.commands.length === 0 && rest.script === null
      ? { readShare: readShare ?? usualReadShare }
      : {}),
  }))
  .meta({ description: 'Keys, values and commands of the load' });

/**
 * The first difference between the commands of a workload and those that its replay names. They are compared in order: the
 * operations refer to them by position, and the order decides which keys commands on any type use.
 */
function commandMisfit(
  { commands: named }: Replay,
  file: string,
  commands: readonly { readonly command: string }[],
) {
  if (named === undefined) return undefined;
  if (commands.length !== named.length)
    return {
      path: ['commands'],
      expected: `the ${formatPlural(named.length, 'command')} that ${file} names from line ${lineOfCommand(0)} on, in the same order (restore them, or record again)`,
      found: commands.length,
    };
  const place = named.findIndex((command, index) => command !== commands[index]?.command);
  if (place < 0) return undefined;
  return {
    path: ['commands', place, 'command'],
    expected: `${JSON.stringify(named[place])}, as in line ${lineOfCommand(place)} of ${file} (restore it, or change it in both files)`,
    found: commands[place]?.command,
  };
}

/** A workload with its defaults filled in. */
export type WorkloadConfig = z.output<typeof workload>;

/** Cached per workload: the values of a file must not change during a run. */
const made = new WeakMap<WorkloadConfig, WorkloadTask>();

/** The workload as the threads run it: with the commands of a preset, and values instead of sizes. */
export function workloadTask(workload: WorkloadConfig): WorkloadTask {
  const task = made.get(workload) ?? makeTask(workload);
  made.set(workload, task);
  return task;
}

/** What is known in advance about the reads of a workload. */
export function foreseeReads(workload: WorkloadTask): ReadPlan {
  const { commands, growth, hitShare } = workload;
  const names = foreseeableReads(commands, workload);
  const weightOf = (of: readonly WeightedCommand[]) => of.reduce((sum, { weight }) => sum + weight, 0);
  const reads = commands.filter(({ command }) => names.has(parseCommand(command).name));
  const changes = growth === null && changingCommands(commands).length > 0;
  return {
    names: [...names],
    fraction: weightOf(reads) / weightOf(commands),
    expectedHitRatio: changes ? null : hitShare,
  };
}

function makeTask(workload: WorkloadConfig): WorkloadTask {
  const { keys, members, types, valueContent, hitShare, script, subscribers } = workload;
  const preset = workload.ycsb === null ? undefined : ycsbPresets[workload.ycsb];
  const given = workload.commands.length > 0 ? workload.commands : undefined;
  return {
    keys,
    members,
    hitShare,
    keyChoice: preset?.keyChoice ?? workload.keyChoice ?? { kind: 'uniform' },
    ...(Object.keys(types).length === 0 ? {} : { types }),
    values: valueVariants(workload.valueBytes),
    compressibleRatio: valueContent.kind === 'compressible' ? valueContent.share : 0,
    ...(workload.replay === null ? {} : { replay: resolve(workload.replay) }),
    ...(script === null
      ? { commands: preset?.commands ?? given ?? readsAndWrites(workload.readShare ?? 0.5) }
      : { commands: [], script: resolve(script) }),
    growth: preset?.growth ?? null,
    ...(subscribers === 0 ? {} : { subscribers }),
    apart: preset !== undefined || given !== undefined || hitShare < 1,
  };
}
