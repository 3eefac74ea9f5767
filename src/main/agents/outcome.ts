import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { limits } from '../../aggregate/scenario/limits.ts';
import { type ShapeOf, section } from '../../aggregate/scenario/schema-parts.ts';
import type { PoolSnapshot, Utilization } from '../../pool/metrics.ts';
import type {
  CommandSample,
  DeliverySample,
  LoadSample,
  OpenLoopSample,
  Redirects,
  SecondSample,
  StageSample,
  ThreadLoadFigures,
  ThreadSample,
} from '../../workers/contract.ts';
import type { HostUse } from '../run/host-use.ts';
import { amount, count, list, type Reading, readText, stage, text, threadNumber } from './messages.ts';

/**
 * The outcome of a turn on an agent, with the samples of its threads: packed, because it is too large for a message.
 */

/** Outcomes that are longer when unpacked are not read. A thread has about 50 kB. */
const maxBytes = 256 * 2 ** 20;

type Cpu = HostUse['cpu'];
type CpuSets = NonNullable<Cpu['cpuSets']>;
const use = section({
  cpus: amount,
  busyShare: z.number().nullable(),
} satisfies ShapeOf<CpuSets['client']>);
/** What poolbench and the machine of an agent used in the measured window. */
const hostCpu = section({
  clientCores: z.number(),
  machineBusyShare: z.number().nullable(),
  cpuSets: section({ machine: amount, client: use, both: use } satisfies ShapeOf<CpuSets>).nullable(),
  throttling: section({
    periods: amount,
    throttledPeriods: amount,
    throttledMs: amount,
  } satisfies ShapeOf<NonNullable<Cpu['throttling']>>).nullable(),
  link: section({
    name: text(100),
    speedMbps: amount,
    busyShare: amount,
  } satisfies ShapeOf<NonNullable<Cpu['link']>>).nullable(),
} satisfies ShapeOf<Cpu>);

const codes = z.record(text(1000), amount);
const histogram = z.string();

const load = section({
  pipeline: count,
  issued: count,
  completed: count,
  failed: codes,
  unfinished: z.number(),
  misses: count,
  commands: z.array(
    section({
      name: z.string(),
      nullIsMiss: z.boolean(),
      completed: count,
      failed: codes,
      misses: count,
      aborted: count.exactOptional(),
      service: histogram,
      response: histogram,
    } satisfies ShapeOf<CommandSample>),
  ),
  warmupCompleted: count,
  service: histogram,
  response: histogram,
  failedWaits: section({
    service: histogram,
    response: histogram,
  } satisfies ShapeOf<LoadSample['failedWaits']>),
  overRange: count,
  series: z.array(
    section({
      second: count,
      completed: count,
      failed: count,
      response: histogram,
    } satisfies ShapeOf<SecondSample>),
  ),
  script: z.never().exactOptional(),
} satisfies ShapeOf<LoadSample>);

const snapshot = section({
  acquisitions: count,
  immediate: count,
  acquireWait: histogram,
  lockWaits: count,
  lockWaitMs: amount,
  healthChecksRun: count,
  healthChecksSkipped: count,
  healthCheckMs: amount,
  createdBefore: count,
  created: count,
  lastCreatedMs: z.number().nullable(),
  createdForWorkers: count,
  lastCreatedForWorkersMs: z.number().nullable(),
  connectTime: histogram,
  connectFailures: count,
  reconnects: count,
  peakWaiting: count,
  utilization: z.array(
    section({
      atMs: z.number(),
      active: z.number(),
      idle: z.number(),
      waiting: z.number(),
      total: z.number(),
    } satisfies ShapeOf<Utilization>),
  ),
} satisfies ShapeOf<PoolSnapshot>);

const sample = section({
  thread: threadNumber,
  seconds: amount,
  loads: z.array(load),
  allServedMs: z.number().nullable(),
  pools: z.array(snapshot),
  threadLoad: section({
    eventLoopUtilization: z.number(),
    cores: z.number().nullable(),
    waitShare: z.number().nullable(),
    gcPauses: amount,
    gcMs: amount,
    gcLongestMs: amount,
    loopDelayP99Ms: z.number(),
    loopDelayMaxMs: z.number(),
    spinShare: z.number().exactOptional(),
  } satisfies ShapeOf<ThreadLoadFigures>),
  openLoop: section({
    rate: amount,
    stages: z
      .array(
        section({
          stage,
          offered: count,
          largestBacklog: count,
          response: histogram,
        } satisfies ShapeOf<StageSample>),
      )
      .exactOptional(),
    offered: count,
    unsent: z.number(),
    completedInWindow: count,
    largestBacklog: count,
    oldestUnsentMs: amount,
    lag: histogram,
    lagOverRange: count,
    spinShare: z.number(),
  } satisfies ShapeOf<OpenLoopSample>).nullable(),
  deliveries: section({
    subscribers: count,
    closed: count,
    expected: count,
    received: count,
    latency: histogram,
  } satisfies ShapeOf<DeliverySample>).exactOptional(),
  redirects: section({ moved: count, ask: count } satisfies ShapeOf<Redirects>).nullable(),
  inserted: z.array(count),
} satisfies ShapeOf<ThreadSample>);

/** The outcome of a turn on one agent: the samples of its threads, or their failure. */
const outcome = z.discriminatedUnion('kind', [
  section({
    kind: z.literal('done'),
    samples: list(sample, limits.threads),
    /** Null if the turn was stopped before its window. */
    cpu: hostCpu.nullable(),
    /** From the start instant until the last thread had begun. */
    startLagMs: amount,
  } satisfies ShapeOf<Extract<TurnOutcome, { kind: 'done' }>>),
  section({
    kind: z.literal('failed'),
    /** `connect`: the target refused a connection; `thread`: a thread hung or ended; `other`: a defect. */
    why: z.enum(['connect', 'thread', 'other']),
    message: text(10_000),
  } satisfies ShapeOf<Extract<TurnOutcome, { kind: 'failed' }>>),
]);
export type TurnOutcome =
  | {
      readonly kind: 'done';
      readonly samples: readonly ThreadSample[];
      readonly cpu: HostUse['cpu'] | null;
      readonly startLagMs: number;
    }
  | { readonly kind: 'failed'; readonly why: 'connect' | 'thread' | 'other'; readonly message: string };

export function packOutcome(found: TurnOutcome): string {
  return gzipSync(JSON.stringify(found)).toString('base64');
}

/** Never throws, whatever the data is. */
export function unpackOutcome(packed: string): Reading<TurnOutcome> {
  try {
    const json = gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: maxBytes });
    return readText(outcome, json.toString(), maxBytes);
  } catch {
    return { fault: `expected at most ${maxBytes} bytes, packed by gzip, found other data` };
  }
}
