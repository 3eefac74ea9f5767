import { z } from 'zod';
import { burstSize, maxRate, maxStages, stageSchema } from '../../aggregate/scenario/arrival.ts';
import { limits } from '../../aggregate/scenario/limits.ts';
import { rows, type ThreadPart } from '../../aggregate/scenario/scenario.ts';
import {
  maxConfigCharacters,
  numberBetween,
  oneOf,
  readable,
  type ShapeOf,
  section,
  wholeNumber,
} from '../../aggregate/scenario/schema-parts.ts';
import type { Address, Sentinel, Trust } from '../../pool/client/address.ts';
import { keptOptions } from '../../pool/client/ioredis-options.ts';
import { bundledClients } from '../../pool/client/libraries.ts';
import type {
  Arrivals,
  OpenLoopTask,
  PoolTask,
  ThreadTask,
  ValueVariant,
  WeightedCommand,
  WorkerGroup,
  WorkloadTask,
} from '../../workers/contract.ts';
import { parseCommand } from '../../workers/workload/command-templates.ts';
import { measuredSeconds, timeout, warmupTime } from '../experiment/experiment.ts';
import { faultsOf } from '../experiment/faults.ts';
import { rules } from '../experiment/rules.ts';
import { maxVariantBytes, sizesOf } from '../experiment/value-variants.ts';
import { maxFileBytes, maxValues, size } from '../experiment/values.ts';
import { keyChoice, maxCommands, maxKeys, maxSubscribers, members, types } from '../experiment/workload.ts';
import { runPrefix } from '../server/key-space.ts';

/**
 * Everything that coordinator and agents send each other, as JSON. Anyone who can write to the control server can send
 * messages, so they are accepted only in exactly this form, with the limits of a config. The schemas of both share
 * their parts, so that an agent accepts everything that a config can request.
 */

/** Longer messages are neither sent nor read. The limit is twice the largest file of values that a config may have. */
export const maxMessageCharacters = 2 * maxFileBytes;
/** All threads of a run are warmed up together. */
const maxRunThreads = limits.agents * limits.threads;
/** Max faults of a message that are reported. */
const maxFaults = 3;
const maxReason = 10_000;

/** Text without its own limit has that of the message. */
export const text = (max = maxMessageCharacters) => {
  const error = `text of at most ${max} characters`;
  return z.string({ error }).max(max, { error });
};
export const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const notNegative = 'a number of 0 or more';
export const amount = z.number({ error: notNegative }).nonnegative({ error: notNegative });
export const known = z.number({ error: 'a number' });
export function list<Item extends z.ZodType>(item: Item, max: number, min = 0) {
  const error = `a list of ${min} to ${max}`;
  return z.array(item, { error }).min(min, { error }).max(max, { error });
}
const pattern = (expected: string, regex: RegExp) =>
  z.string({ error: expected }).regex(regex, { error: expected });
const yesOrNo = z.boolean({ error: 'true or false' });
const runId = pattern('the id of a run', /^[\da-f-]{36}$/);
const seat = wholeNumber(0, limits.agents - 1);
const turn = count;
/** Of all threads of a run. */
export const threadNumber = wholeNumber(0, maxRunThreads - 1);
/** An instant of the control server's clock. */
const instant = known;

/** What an agent reports of its machine. */
const host = section({
  name: text(100),
  node: text(50),
  os: text(200),
  cpu: text(200),
  cores: amount,
  /** The maximum that it allows a run. */
  threads: count,
});
export type HostInfo = z.output<typeof host>;

/** A seat in a run, as a job of the lobby. */
const seatJob = section({
  run: runId,
  seat,
  seats: wholeNumber(1, limits.agents),
  /** The name of the run, for whoever looks. */
  name: text(),
});
export type SeatJob = z.output<typeof seatJob>;

const place = section({
  host: pattern('a host', /^[^@/?#\s]{1,253}$/),
  port: wholeNumber(1, 65_535),
} satisfies ShapeOf<Sentinel['others'][number]>);

/**
 * An address without its secrets: passwords and keys come from the agent's own environment. `path` is valid only on one
 * machine, and the thread sets `readsReplicas` itself.
 */
const address = section({
  ...place.shape,
  tls: yesOrNo,
  servername: text().exactOptional(),
  username: text().exactOptional(),
  database: wholeNumber(0, 999_999_999),
  protocol: z.literal([2, 3], { error: '2 or 3' }).exactOptional(),
  natMap: z.record(z.string(), place, { error: 'an object' }).exactOptional(),
  unnamed: yesOrNo.exactOptional(),
  sentinel: section({
    master: text(),
    others: z.array(place, { error: 'a list' }),
    username: text().exactOptional(),
  } satisfies ShapeOf<Omit<Sentinel, 'password'>>).exactOptional(),
  trust: section({
    servername: text(),
  } satisfies ShapeOf<Omit<Trust, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>>).exactOptional(),
} satisfies ShapeOf<Omit<Address, 'path' | 'password' | 'readsReplicas'>>);

/** Where the load goes. */
const subject = section({
  address,
  cluster: z.array(address, { error: 'a list' }).min(1, { error: 'at least one node' }).exactOptional(),
} satisfies ShapeOf<Subject>);
export type Subject = { readonly address: Address; readonly cluster?: readonly Address[] };

const weight = amount;
// A fault in a union of two forms names the second one.
const value = z.union([section({ text: text(maxFileBytes) }), section({ bytes: size })]);

const workload = section({
  keys: wholeNumber(1, maxKeys),
  members,
  keyChoice,
  types: types.exactOptional(),
  values: list(section({ weight, value } satisfies ShapeOf<ValueVariant>), maxValues, 1),
  compressibleRatio: numberBetween(0, 1),
  commands: list(
    section({
      // The same rules as in a config: no command that changes the server, no keys but the placeholder.
      command: readable('a command', parseCommand).max(maxConfigCharacters, {
        error: `a command of at most ${maxConfigCharacters} characters`,
      }),
      weight,
      inserts: z.literal(true, { error: 'true' }).exactOptional(),
    } satisfies ShapeOf<WeightedCommand>),
    maxCommands,
    1,
  ),
  subscribers: wholeNumber(1, maxSubscribers).exactOptional(),
  hitShare: numberBetween(0, 1),
  growth: oneOf(['latest', 'index']).nullable(),
  apart: yesOrNo,
  // An agent runs no code from another machine.
  script: z.never({ error: 'no script' }).exactOptional(),
  replay: z.never({ error: 'no replay' }).exactOptional(),
} satisfies ShapeOf<WorkloadTask>).check(
  rules(({ values }, refuse) => {
    const { sum } = sizesOf(values);
    if (sum > maxVariantBytes)
      refuse(['values'], `values of at most ${maxVariantBytes} bytes together`, values, sum);
  }),
);

const maxConnections = 2 * limits.workers * limits.connectionsPerWorker;
const pool = section({
  groups: list(
    section({
      workers: wholeNumber(0, limits.workers),
      pipeline: wholeNumber(1, limits.pipeline),
    } satisfies ShapeOf<WorkerGroup>),
    2,
    1,
  ),
  // Those of batch workers, too.
  connections: wholeNumber(0, maxConnections),
  minIdle: wholeNumber(0, maxConnections),
  firstKey: wholeNumber(0, maxKeys),
  keys: wholeNumber(0, maxKeys),
} satisfies ShapeOf<PoolTask>);

const stageTime = `a time above 0 s, of at most ${limits.seconds} s`;
/** As in a config, but as short as in the warm-up of the threads. */
export const stage = stageSchema.extend({
  seconds: z
    .number({ error: stageTime })
    .positive({ error: stageTime })
    .max(limits.seconds, { error: stageTime }),
});

const meanRate = `a rate above 0, of at most ${maxRate}`;
const openLoop = section({
  arrivals: section({
    kind: oneOf(['constant', 'poisson', 'burst']),
    // The mean of stages can be lower than any rate of a config.
    rate: z.number({ error: meanRate }).positive({ error: meanRate }).max(maxRate, { error: meanRate }),
    size: burstSize,
    stages: list(stage, maxStages, 1).exactOptional(),
  } satisfies ShapeOf<Arrivals>),
  pools: wholeNumber(1, maxRunThreads),
  firstPool: wholeNumber(0, maxRunThreads - 1),
} satisfies ShapeOf<OpenLoopTask>);

/** What the dimensions of a scenario give to a thread, each with the limits that its row has in a config. */
const threadPart = Object.fromEntries(
  rows.flatMap(([key, { thread, config }]) =>
    thread === false || config === null ? [] : [[key, config.item]],
  ),
);

/**
 * A thread's task without the parts that all tasks share, and those of each process: the shared memory, and the address
 * to connect to.
 */
const task = section({
  ...threadPart,
  ...({
    thread: threadNumber,
    // With those of batch workers.
    pools: list(pool, 2 * limits.pools, 1),
    // Keys of the load begin with the claimed prefix, so that no message can name other keys.
    keyPrefix: pattern('the prefix of a run', runPrefix),
    seed: count,
    valueSeed: count,
    warmupSeconds: warmupTime,
    seconds: measuredSeconds,
    openLoop: openLoop.nullable(),
    timeoutMs: timeout,
  } satisfies ShapeOf<Omit<AgentTask, keyof ThreadPart>>),
  // No code is sent: an agent has poolbench's own clients, whose options cannot lead to another server.
  client: oneOf(bundledClients),
  clientOptions: z
    .record(z.string(), z.unknown(), { error: 'an object' })
    .refine(options => !Object.keys(options).some(key => keptOptions.includes(key)), {
      error: `none of the options ${keptOptions.join(', ')}`,
    }),
});
export type AgentTask = Omit<ThreadTask, 'shared' | 'workload' | 'clientFile' | keyof Subject>;

/** From the coordinator to one agent, or all of them. */
const coordinatorMessage = z.discriminatedUnion(
  'kind',
  [
    section({ kind: z.literal('heartbeat') }),
    section({ kind: z.literal('meet'), subject }),
    section({
      kind: z.literal('prepare'),
      turn,
      /** Threads are kept as long as this stays the same, so that they stay warm. */
      pool: count,
      threads: wholeNumber(1, limits.threads),
      subject,
      workload,
      tasks: list(task, limits.threads, 1),
      /** The number of each task's thread. */
      placement: list(wholeNumber(0, limits.threads - 1), limits.threads),
    } satisfies Readonly<Record<keyof Prepare, z.ZodType>>),
    section({ kind: z.literal('go'), turn, at: instant }),
    section({ kind: z.literal('window'), turn, at: instant }),
    section({ kind: z.literal('stop'), turn }),
    section({ kind: z.literal('end') }),
  ],
  { error: 'a message of a coordinator' },
);
/** As zod reads it, but for what it cannot know: the types of a task's parts, and that JSON has no undefined. */
export type CoordinatorMessage =
  | Exclude<z.output<typeof coordinatorMessage>, { kind: 'meet' | 'prepare' }>
  | { readonly kind: 'meet'; readonly subject: Subject }
  | Prepare;
export interface Prepare {
  readonly kind: 'prepare';
  readonly turn: number;
  readonly pool: number;
  readonly threads: number;
  readonly subject: Subject;
  readonly workload: WorkloadTask;
  readonly tasks: readonly AgentTask[];
  readonly placement: readonly number[];
}

const phases = ['idle', 'preparing', 'ready', 'running'] as const;

/** From an agent to the coordinator. */
const agentMessage = z.discriminatedUnion('kind', [
  section({ kind: z.literal('seated'), seat, host }),
  /** A heartbeat, so that lost messages and lost agents are noticed. */
  section({ kind: z.literal('here'), seat, turn, phase: oneOf(phases) }),
  section({
    kind: z.literal('met'),
    seat,
    life: text().nullable(),
    roundTripMs: amount.nullable(),
    local: yesOrNo,
  }),
  section({ kind: z.literal('refused'), seat, reason: text(maxReason) }),
  section({
    kind: z.literal('acknowledged'),
    seat,
    turn,
    what: z.enum(['go', 'window']),
    /** Time that was left until the instant. */
    leadMs: known,
    boundMicros: amount,
  }),
  section({
    kind: z.literal('growth'),
    seat,
    turn,
    /** Of each thread: when it looked, whether all workers had a connection, when a pool last grew (0: none did). */
    threads: list(z.tuple([instant, yesOrNo, instant]), limits.threads),
  }),
  section({
    kind: z.literal('progress'),
    seat,
    turn,
    /** Of each thread: the figures of `ThreadProgress`, in the order of its table; null: not known. */
    threads: list(list(known.nullable(), 32), limits.threads),
    failures: list(z.record(z.string(), amount), limits.threads),
  }),
  section({ kind: z.literal('left'), seat, reason: text(maxReason) }),
]);
export type AgentMessage = z.output<typeof agentMessage>;
export type Phase = (typeof phases)[number];

/** A job in the run's back queue: a small envelope with packed content. */
const backJob = section({ seat, turn, packed: text() });
export type BackJob = z.output<typeof backJob>;

/** The message; or its fault: the key, what was expected, and what was found. */
export type Reading<Message> =
  | { readonly message: Message; readonly fault?: undefined }
  | { readonly message?: undefined; readonly fault: string };

/** Never throws, whatever the text is. */
function read<Schema extends z.ZodType>(schema: Schema, found: unknown): Reading<z.output<Schema>> {
  try {
    const { data, error } = schema.safeParse(found);
    if (error === undefined) return { message: data as z.output<Schema> };
    const faults = faultsOf(error.issues, found).slice(0, maxFaults);
    return { fault: cutReason(faults.map(({ text }) => text).join('; ')) };
  } catch {
    return { fault: 'expected a message, found a structure that is too deep' };
  }
}

/** As {@link read}, of JSON. */
export function readText<Schema extends z.ZodType>(
  schema: Schema,
  json: string,
  maxCharacters = maxMessageCharacters,
): Reading<z.output<Schema>> {
  if (json.length > maxCharacters)
    return { fault: `expected a message of at most ${maxCharacters} characters, found ${json.length}` };
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch {
    return { fault: 'expected JSON, found other text' };
  }
  return read(schema, found);
}

/** A reason, cut to the length that a message may have. */
export function cutReason(reason: string): string {
  return reason.slice(0, maxReason);
}

export const readCoordinatorMessage = (json: string) =>
  readText(coordinatorMessage, json) as Reading<CoordinatorMessage>;
export const readAgentMessage = (json: string) => readText(agentMessage, json);
export const readSeatJob = (found: unknown) => read(seatJob, found);
export const readBackJob = (found: unknown) => read(backJob, found);

/** Every key and channel on the control server begins with it, so that one ACL rule covers them: `~poolbench:*`. */
export const prefix = 'poolbench';

/** Messages to all agents of a run, those to one of them, and those from them. */
export const channels = {
  toAll: (run: string) => `${prefix}:run:${run}`,
  toSeat: (run: string, seat: number) => `${prefix}:run:${run}:${seat}`,
  fromAll: (run: string) => `${prefix}:run:${run}:up`,
} as const;

/** Samples of a run come back in this queue. */
export const backQueue = (run: string) => `back-${run}`;
