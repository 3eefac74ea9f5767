import { z } from 'zod';
import { maxStages, stageSchema } from '../../aggregate/scenario/arrival.ts';
import { rows, type ThreadPart } from '../../aggregate/scenario/scenario.ts';
import { numberBetween, oneOf, wholeNumber } from '../../aggregate/scenario/schema-parts.ts';
import type { Address } from '../../pool/client/address.ts';
import { keptOptions } from '../../pool/client/ioredis-options.ts';
import { bundledClients } from '../../pool/client/libraries.ts';
import type { Arrivals, ThreadTask, WorkloadTask } from '../../workers/contract.ts';
import { parseCommand } from '../../workers/workload/command-templates.ts';
import { runPrefix } from '../server/key-space.ts';

/**
 * Everything that coordinator and agents send each other, as JSON. Whoever can write to the control server can send it,
 * too, so a message is accepted only if it has exactly this form, with the limits of a config.
 */

export const maxThreads = 1024;
/** Longer messages are not read. A prepared turn of 1,024 pools has about 200 kB. */
const maxMessageBytes = 8 * 2 ** 20;
/** Of all values of a workload together, as in a config. */
const maxValueBytes = 64 * 2 ** 20;

/** A schema for every key of a type, optional ones included, so that none is forgotten on the way between processes. */
export type ShapeOf<T> = { readonly [Key in keyof T]-?: z.ZodType<T[Key]> };

export const text = (max: number) => z.string().max(max);
export const count = z.int().nonnegative();
export const amount = z.number().nonnegative();
const runId = z.string().regex(/^[\da-f-]{36}$/);
const seat = wholeNumber(0, maxThreads - 1);
const turn = count;
/** An instant of the control server's clock. */
const instant = z.number();

/** What an agent reports of its machine. */
const host = z.strictObject({
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
const seatJob = z.strictObject({
  run: runId,
  seat,
  seats: wholeNumber(1, maxThreads),
  /** The name of the run, for whoever looks. */
  name: text(200),
});
export type SeatJob = z.output<typeof seatJob>;

const place = z.strictObject({ host: z.string().regex(/^[^@/?#\s]{1,253}$/), port: wholeNumber(1, 65_535) });

/** An address without its secrets: passwords and keys come from the agent's own environment. */
const address = z.strictObject({
  ...place.shape,
  tls: z.boolean(),
  servername: text(253).optional(),
  username: text(256).optional(),
  database: wholeNumber(0, 999_999_999),
  protocol: z.literal([2, 3]).optional(),
  natMap: z.record(z.string(), place).optional(),
  unnamed: z.boolean().optional(),
  sentinel: z
    .strictObject({ master: text(256), others: z.array(place).max(64), username: text(256).optional() })
    .optional(),
  trust: z.strictObject({ servername: text(253) }).optional(),
});

/** Where the load goes. */
const subject = z.strictObject({ address, cluster: z.array(address).min(1).max(maxThreads).optional() });
export type Subject = { readonly address: Address; readonly cluster?: readonly Address[] };

const keyChoice = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['uniform', 'sequential', 'partitioned']) }),
  z.strictObject({ kind: z.literal('zipfian'), exponent: numberBetween(0.01, 10) }),
  z.strictObject({ kind: z.literal('gaussian'), spread: numberBetween(0.0001, 10) }),
  z.strictObject({
    kind: z.literal('hotSet'),
    operationShare: numberBetween(0, 1),
    keyShare: numberBetween(0, 1),
  }),
]);

const value = z.union([
  z.strictObject({ bytes: wholeNumber(0, 16 * 2 ** 20) }),
  z.strictObject({ text: text(16 * 2 ** 20) }),
]);

const workload = z
  .strictObject({
    keys: wholeNumber(1, 100_000_000),
    members: wholeNumber(1, 100_000),
    keyChoice,
    values: z
      .array(z.strictObject({ weight: amount, value }))
      .min(1)
      .max(128),
    compressibleRatio: numberBetween(0, 1),
    commands: z
      .array(
        z.strictObject({
          // The same rules as in a config: no command that changes the server, no keys but the placeholder.
          command: text(10_000).refine(isCommand),
          weight: amount,
          inserts: z.literal(true).exactOptional(),
        }),
      )
      .min(1)
      .max(64),
    hitShare: numberBetween(0, 1),
    growth: z.enum(['latest', 'index']).nullable(),
    apart: z.boolean(),
    // An agent runs no code of others.
    script: z.never().exactOptional(),
  } satisfies ShapeOf<WorkloadTask>)
  .refine(({ values }) => values.reduce((sum, { value }) => sum + bytesOf(value), 0) <= maxValueBytes);

function isCommand(command: string): boolean {
  try {
    parseCommand(command);
    return true;
  } catch {
    return false;
  }
}

function bytesOf(value: { readonly bytes: number } | { readonly text: string }): number {
  return 'bytes' in value ? value.bytes : Buffer.byteLength(value.text);
}

const pool = z.strictObject({
  groups: z
    .array(z.strictObject({ workers: wholeNumber(0, 100_000), pipeline: wholeNumber(1, 10_000) }))
    .min(1)
    .max(2),
  connections: wholeNumber(0, 100_000),
  minIdle: wholeNumber(0, 100_000),
  firstKey: wholeNumber(0, 100_000_000),
  keys: wholeNumber(0, 100_000_000),
});

/** As in a config, but as short as the warm-up of the threads makes it. */
export const stage = stageSchema.extend({ seconds: z.number().positive().max(3600) });

const openLoop = z.strictObject({
  arrivals: z.strictObject({
    kind: z.enum(['constant', 'poisson', 'burst']),
    // The mean of stages can be lower than any rate of a config.
    rate: z.number().positive().max(10_000_000),
    size: wholeNumber(1, 1_000_000),
    stages: z.array(stage).min(1).max(maxStages).exactOptional(),
  } satisfies ShapeOf<Arrivals>),
  pools: wholeNumber(1, 1024),
  firstPool: wholeNumber(0, 1023),
});

/** What the dimensions of a scenario give to a thread, each with the limits that its row has in a config. */
const threadPart = Object.fromEntries(
  rows.flatMap(([key, { thread, config }]) =>
    thread === false || config === null ? [] : [[key, config.item]],
  ),
);

/** A thread's task without what all of them share, and what each process has of its own: the shared memory, and where it connects to. */
const task = z.strictObject({
  ...threadPart,
  ...({
    thread: wholeNumber(0, maxThreads - 1),
    pools: z.array(pool).min(1).max(2048),
    // Keys of the load begin with what a run has claimed, so that no message can name those of others.
    keyPrefix: z.string().regex(runPrefix),
    seed: count,
    valueSeed: count,
    warmupSeconds: numberBetween(0, 600),
    seconds: numberBetween(0.05, 3600),
    openLoop: openLoop.nullable(),
    timeoutMs: wholeNumber(10, 600_000),
  } satisfies ShapeOf<Omit<AgentTask, keyof ThreadPart>>),
  // No code crosses: an agent has the clients that come with poolbench, whose options cannot lead to another server.
  client: oneOf(bundledClients),
  clientOptions: z
    .record(z.string(), z.unknown())
    .refine(options => !Object.keys(options).some(key => keptOptions.includes(key))),
});
export type AgentTask = Omit<ThreadTask, 'shared' | 'workload' | 'clientFile' | keyof Subject>;

/** From the coordinator to one agent, or all of them. */
const coordinatorMessage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('heartbeat') }),
  z.strictObject({ kind: z.literal('meet'), subject }),
  z.strictObject({
    kind: z.literal('prepare'),
    turn,
    /** Threads are kept as long as this stays the same, so that they stay warm. */
    pool: count,
    threads: wholeNumber(1, maxThreads),
    subject,
    workload,
    tasks: z.array(task).min(1).max(maxThreads),
    /** The number of each task's thread. */
    placement: z.array(wholeNumber(0, maxThreads - 1)),
  }),
  z.strictObject({ kind: z.literal('go'), turn, at: instant }),
  z.strictObject({ kind: z.literal('window'), turn, at: instant }),
  z.strictObject({ kind: z.literal('stop'), turn }),
  z.strictObject({ kind: z.literal('end') }),
]);
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
  z.strictObject({ kind: z.literal('seated'), seat, host }),
  /** A heartbeat, so that neither a lost message nor a lost agent stays unnoticed. */
  z.strictObject({ kind: z.literal('here'), seat, turn, phase: oneOf(phases) }),
  z.strictObject({
    kind: z.literal('met'),
    seat,
    life: text(10_000).nullable(),
    roundTripMs: amount.nullable(),
    local: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('refused'), seat, reason: text(10_000) }),
  z.strictObject({
    kind: z.literal('acknowledged'),
    seat,
    turn,
    what: z.enum(['go', 'window']),
    /** Time that was left until the instant. */
    leadMs: z.number(),
    boundMicros: amount,
  }),
  z.strictObject({
    kind: z.literal('growth'),
    seat,
    turn,
    /** Of each thread: when it looked, whether all workers had a connection, when a pool last grew (0: none did). */
    threads: z.array(z.tuple([instant, z.boolean(), instant])).max(maxThreads),
  }),
  z.strictObject({
    kind: z.literal('progress'),
    seat,
    turn,
    /** Of each thread: the figures of `ThreadProgress`, in the order of its table; null: not known. */
    threads: z.array(z.array(z.number().nullable()).max(32)).max(maxThreads),
    failures: z.array(z.record(z.string(), amount)).max(maxThreads),
  }),
  z.strictObject({ kind: z.literal('left'), seat, reason: text(1000) }),
]);
export type AgentMessage = z.output<typeof agentMessage>;
export type Phase = (typeof phases)[number];

/** What travels as a job of the run's back queue: its envelope is small, what it holds is packed. */
const backJob = z.strictObject({ seat, turn, packed: z.string() });
export type BackJob = z.output<typeof backJob>;

/** Undefined for whatever is no message. It never throws, whatever somebody has written. */
function read<Schema extends z.ZodType>(schema: Schema, found: unknown): z.output<Schema> | undefined {
  try {
    return schema.safeParse(found).data;
  } catch {
    // A structure too deep for the stack.
    return undefined;
  }
}

/** As {@link read}, of JSON. */
export function readText<Schema extends z.ZodType>(
  schema: Schema,
  json: string,
  maxBytes = maxMessageBytes,
): z.output<Schema> | undefined {
  if (json.length > maxBytes) return undefined;
  try {
    return read(schema, JSON.parse(json));
  } catch {
    return undefined;
  }
}

export const readCoordinatorMessage = (json: string) =>
  readText(coordinatorMessage, json) as CoordinatorMessage | undefined;
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
