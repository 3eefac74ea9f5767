import { z } from 'zod';
import type { ClientName, ConnectPacing, Preset, Probe, ReadFrom, Transport } from '../../pool/presets.ts';
import { formatPlural } from '../text/format.ts';
import { safeName, shortHash } from '../text/safe-name.ts';
import {
  arrivalResult,
  arrivalSchema,
  describeArrival,
  describeArrivals,
  expandArrivals,
  labelArrival,
  labelStages,
} from './arrival.ts';
import { batchResult, batchSchema, describeBatch, expandBatches, labelBatch } from './batch.ts';
import { besideSchema, describeBeside, labelBeside } from './beside.ts';
import { clients, hasAbility } from './clients.ts';
import { type Basics, dimension } from './dimension.ts';
import { limits } from './limits.ts';
import {
  describeConnectionRatio,
  describeIdleRatio,
  isMutex,
  strategies,
  totalConnections,
  totalMinIdle,
  uses,
} from './pool-sizes.ts';
import { numberBetween, oneOf, wholeNumber } from './schema-parts.ts';

/**
 * What a scenario is: one row for each of its keys, with everything that is known about the key. From it come the schemas
 * of a config and of a result, ids, the task of a thread, which arms may be paired, headings, columns and names
 * (`scenario.ts`, `setting.ts`). The matrix, and the labels in an id, are in the order of the rows.
 */

const clientWords = Object.fromEntries(Object.entries(clients).map(([name, { words }]) => [name, words]));

/** A client by name, or the path of a user's module. */
const clientItem = z.union([
  oneOf(
    Object.keys(clients) as ClientName[],
    found => ` or the path of a module, such as "./${isModuleName(found) ? found : 'my-client.mjs'}"`,
  ),
  z.templateLiteral([z.enum(['./', '../', '/']), z.string().min(1)]),
]);

/** Whether it is the file name of a module, as a path without its "./". */
const isModuleName = (found: unknown) => typeof found === 'string' && /^[\w-][\w./-]*\.[cm]?js$/.test(found);

const clientOptions = z.record(z.string(), z.unknown(), {
  error: 'an object with options of the client, such as { "RESP": 2 }',
});
type ClientOptions = Readonly<z.output<typeof clientOptions>>;

const isEmpty = (options: ClientOptions) => Object.keys(options).length === 0;

const probes = {
  poll: 'looks at the socket',
  ping: 'asks the server',
} satisfies Record<Probe, string>;

const transports = {
  direct: "the socket below Node's stream",
  stream: "Node's stream",
  io_uring: 'an addon: docs/clients.md',
} satisfies Record<Transport, string>;

const pacings = {
  parallel: 'all at once',
  serial: 'one after another',
  jittered: 'spread at random',
} satisfies Record<ConnectPacing, string>;

const readSources = {
  primary: 'the primary of their key',
  replica: 'a replica of that primary',
  any: 'all of these in turn',
} satisfies Record<ReadFrom, string>;

const cuts = {
  close: 'the server closes it with CLIENT KILL',
  silent: 'a proxy, through which the load goes, keeps it open and passes nothing more',
} as const;

const trueOrFalse = z.boolean({ error: 'true or false' });

const always = () => true;

/** For a key that changes how much a thread does, or when, but not what. */
const noPath = () => '';

export const dimensions = {
  client: dimension({
    config: {
      item: clientItem,
      usual: 'ioredis',
      since: null,
      description: `Library behind each connection: ${inWords(clientWords)}; or the path of your own module. Only the first two are installed with poolbench`,
      // Without the ending of a module, which is a path.
      label: client => safeName(client.replace(/^\.\/|\.[cm]?js$/g, '')),
      inEveryId: true,
    },
    result: z.string(),
    thread: true,
    path: client => client,
    words: client => client,
    describeShared: always,
    setting: true,
    inEveryHeading: true,
  }),

  preset: dimension({
    config: {
      name: 'pool',
      item: oneOf(Object.keys(strategies) as Preset[]),
      usual: 'optimized',
      since: null,
      description: 'Preset of the pool: which of its strategies are on',
      label: preset => preset,
      inEveryId: true,
    },
    fileKey: 'pool',
    result: z.string(),
    thread: true,
    path: preset => `${strategies[preset].acquisition} ${strategies[preset].health}`,
    words: preset => preset,
    describeShared: always,
    setting: true,
    heading: preset => `${preset} pool`,
    inEveryHeading: true,
  }),

  pools: dimension({
    config: {
      item: wholeNumber(1, limits.pools),
      usual: 1,
      since: null,
      description: 'Number of pools that the workers, connections and keys are split over',
      unit: 'pools',
      label: pools => `${pools}${pools === 1 ? 'pool' : 'pools'}`,
      inEveryId: true,
    },
    result: z.number(),
    thread: false,
    path: noPath,
    words: (_, scenario) => namePools(scenario),
    setting: false,
  }),

  workers: dimension({
    config: {
      item: wholeNumber(1, limits.workers),
      usual: 50,
      since: null,
      description: 'Number of concurrent callers, over all pools',
      unit: 'workers',
      label: workers => `${workers}${workers === 1 ? 'worker' : 'workers'}`,
      inEveryId: true,
    },
    result: z.number(),
    thread: false,
    path: noPath,
    words: workers => formatPlural(workers, 'worker'),
    describeShared: always,
    setting: false,
  }),

  pipeline: dimension({
    config: {
      item: wholeNumber(1, limits.pipeline),
      usual: 1,
      since: null,
      description: 'Number of commands that a worker sends and awaits together',
      unit: 'commands',
      label: depth => `depth${depth}`,
    },
    result: z.number(),
    thread: false,
    path: depth => (depth > 1 ? 'batches' : ''),
    words: depth => `pipeline ${depth}`,
    describeShared: depth => depth > 1,
    setting: true,
    inEveryHeading: true,
  }),

  poolsPerThread: dimension({
    config: {
      item: wholeNumber(1, limits.pools),
      usual: 1,
      since: null,
      description: 'Number of pools in each thread; the last thread gets the rest',
      unit: 'pools',
      label: pools => `${pools}perThread`,
      clamp: (perThread, { pools }) => Math.min(perThread, pools),
    },
    result: z.number(),
    thread: false,
    // The words of `pools` include the threads.
    path: noPath,
    words: () => '',
    setting: false,
  }),

  threads: dimension({
    config: null,
    measure: (_, { pools, poolsPerThread }) => Math.ceil(pools / poolsPerThread),
    result: z.number(),
    thread: false,
    path: noPath,
    words: () => '',
    setting: false,
  }),

  connections: dimension({
    config: {
      name: 'connectionsPerWorker',
      item: numberBetween(0.01, limits.connectionsPerWorker),
      usual: 2,
      since: null,
      description: 'Max connections per worker; the total is rounded, and every pool has at least one',
      unit: 'connections per worker',
      label: perWorker => `${perWorker}perWorker`,
    },
    measure: (_, cell) => totalConnections(cell),
    result: z.number(),
    thread: false,
    path: noPath,
    words: connections => formatPlural(connections, 'connection'),
    follows: ['workers', 'pool'],
    setting: true,
    heading: (_, scenario, among) => describeConnectionRatio(scenario, among),
  }),

  /** 0 where the preset does not warm. */
  minIdle: dimension({
    config: {
      name: 'minIdleShare',
      item: numberBetween(0, 1),
      usual: 0.25,
      since: null,
      description: 'Fraction of the connections that a warming pool opens before the load and maintains',
      unit: 'fraction, 0 to 1',
      label: share => `idle${share}`,
      applies: ({ preset }) => uses(preset).minIdle,
    },
    measure: totalMinIdle,
    result: z.number(),
    thread: false,
    path: noPath,
    words: minIdle => `minIdle ${minIdle}`,
    follows: ['workers', 'pool'],
    setting: true,
    heading: (_, scenario, among) => describeIdleRatio(scenario, among),
  }),

  /** 0 where the preset checks at every acquisition. */
  healthTtlMs: dimension({
    config: {
      item: wholeNumber(0, 3_600_000, 'milliseconds'),
      usual: 1000,
      since: null,
      description: 'How long a health check stays valid, if the preset caches it',
      unit: 'milliseconds',
      label: ttl => `ttl${ttl}ms`,
      applies: ({ preset }) => uses(preset).healthTtl,
    },
    measure: (ttl, { preset }) => (strategies[preset].health === 'cached' ? ttl : 0),
    result: z.number(),
    thread: true,
    path: noPath,
    words: ttl => `health TTL ${ttl} ms`,
    follows: ['workers', 'pool'],
    setting: true,
    heading: ttl => (ttl === 0 ? '' : `health TTL ${ttl} ms`),
  }),

  probe: dimension({
    config: {
      item: oneOf(Object.keys(probes) as Probe[]),
      usual: 'poll',
      since: null,
      description: 'What a health check does: poll looks at the socket, ping asks the server',
      label: probe => probe,
    },
    result: z.string(),
    thread: true,
    path: probe => probe,
    words: probe => `probe ${probe}`,
    setting: true,
  }),

  arrival: dimension({
    config: {
      item: arrivalSchema,
      usual: { kind: 'closed' },
      since: null,
      description: 'When work is due',
      expand: expandArrivals,
      label: labelArrival,
    },
    result: arrivalResult,
    // A thread gets its part of the schedule, which depends on its number.
    thread: false,
    path: arrival => {
      if (arrival.kind === 'closed') return '';
      return arrival.stages === undefined ? 'open loop' : 'open loop in stages';
    },
    words: describeArrival,
    describeShared: ({ kind }) => kind !== 'closed',
    setting: true,
    heading: describeArrivals,
    columns: [
      { name: 'arrival', value: ({ kind }) => kind },
      { name: 'rate', value: ({ rate }) => rate ?? null },
      { name: 'burstSize', value: ({ size }) => size ?? null },
      { name: 'speed', value: ({ speed }) => speed ?? null },
      { name: 'leg', value: ({ leg }) => leg ?? null },
      { name: 'stages', value: ({ stages }) => (stages === undefined ? null : labelStages(stages)) },
    ],
  }),

  /** `serial` where the preset opens connections inside the lock. */
  connects: dimension({
    config: {
      item: oneOf(Object.keys(pacings) as ConnectPacing[]),
      usual: 'parallel',
      since: '0.2',
      description:
        'How a pool without the lock opens connections when many are missing: all at once, one after another, or spread at random',
      label: pacing => pacing,
      applies: ({ preset }) => uses(preset).pacing,
    },
    measure: (pacing, { preset }) => (isMutex(preset) ? 'serial' : pacing),
    result: z.string(),
    // Version 0.1 did not write it.
    equalBy: (pacing, { pool }) => (isMutex(pool) ? 'serial' : pacing),
    // Under the lock, connections are opened one after another anyway; warming still opens them in parallel.
    thread: (pacing, { preset }) => (isMutex(preset) ? 'parallel' : pacing),
    path: noPath,
    words: pacing => `${pacing} connects`,
    follows: ['workers', 'pool'],
    setting: true,
    heading: (pacing, { pool }) => (uses(pool).pacing ? `${pacing} connects` : ''),
  }),

  /** Empty for a client that has none. */
  clientOptions: dimension({
    config: {
      item: clientOptions,
      usual: {},
      since: '0.9',
      description: "The client's own options; no effect on wire",
      label: labelOptions,
      clamp: (options, { client }) => (hasAbility(client, 'options') ? options : {}),
    },
    result: clientOptions,
    thread: true,
    path: options => (isEmpty(options) ? '' : JSON.stringify(options)),
    words: (options, { client }) => {
      if (!hasAbility(client, 'options')) return '';
      return isEmpty(options) ? 'no options' : `options ${JSON.stringify(options)}`;
    },
    setting: true,
    columns: [{ name: 'clientOptions', value: options => JSON.stringify(options) }],
  }),

  autoPipelining: dimension({
    config: {
      item: trueOrFalse,
      usual: false,
      since: '0.2',
      description: 'Whether ioredis joins commands sent in the same turn of the event loop',
      label: joins => (joins ? 'autopipelined' : 'unjoined'),
      clamp: (joins, { client }) => joins && hasAbility(client, 'auto-pipelining'),
    },
    result: z.boolean(),
    thread: true,
    path: joins => (joins ? 'auto-pipelining' : ''),
    words: (joins, { client }) =>
      hasAbility(client, 'auto-pipelining') ? (joins ? 'auto-pipelining' : 'no auto-pipelining') : '',
    setting: true,
  }),

  /** Whether there are replicas depends on the target. */
  readFrom: dimension({
    config: {
      item: oneOf(Object.keys(readSources) as ReadFrom[]),
      usual: 'primary',
      since: '0.10',
      description: `Which servers answer reads in a cluster or behind a Sentinel: ${inWords(readSources)}; writes go to the primary`,
      label: source => `${source}Reads`,
    },
    result: z.string(),
    thread: true,
    path: source => (source === 'primary' ? '' : 'replicas'),
    words: source => (source === 'any' ? 'reads from all nodes' : `reads from the ${source}`),
    describeShared: source => source !== 'primary',
    setting: true,
  }),

  /** `direct` for clients other than wire, which have no choice. */
  transport: dimension({
    config: {
      item: oneOf(Object.keys(transports) as Transport[]),
      usual: 'direct',
      since: '0.11',
      description: `How wire reaches its sockets: ${inWords(transports)}. With TLS direct uses the stream, and io_uring is refused`,
      label: transport => transport,
      applies: ({ client }) => client === 'wire',
    },
    result: z.string(),
    thread: true,
    path: transport => (transport === 'direct' ? '' : transport),
    words: (transport, { client }) => (client === 'wire' ? `transport ${transport}` : ''),
    describeShared: transport => transport !== 'direct',
    setting: true,
  }),

  batch: dimension({
    config: {
      item: batchSchema,
      usual: { pool: 'none' },
      since: '0.2',
      description: 'Additional workers that send larger batches',
      expand: expandBatches,
      label: labelBatch,
    },
    result: batchResult,
    // They are part of the split over pools.
    thread: false,
    path: ({ pool }) => (pool === 'none' ? '' : 'batch workers'),
    words: describeBatch,
    setting: true,
    columns: [
      { name: 'batchPool', value: ({ pool }) => pool },
      { name: 'batchWorkers', value: ({ workers }) => workers },
      { name: 'batchPipeline', value: ({ pipeline }) => pipeline },
    ],
  }),

  cutEveryMs: dimension({
    config: {
      item: wholeNumber(0, 60_000, 'milliseconds'),
      usual: 0,
      since: '0.2',
      description: 'Interval at which one connection of the load is cut; 0: never',
      unit: 'milliseconds',
      label: every => (every === 0 ? 'uncut' : `cut${every}ms`),
    },
    result: z.number(),
    thread: false,
    path: noPath,
    words: every => (every === 0 ? 'no cuts' : `a cut every ${every} ms`),
    setting: true,
  }),

  cut: dimension({
    config: {
      item: oneOf(Object.keys(cuts) as (keyof typeof cuts)[]),
      usual: 'close',
      since: '0.7',
      description: `How a connection is cut: ${inWords(cuts)}`,
      label: cut => (cut === 'silent' ? 'silent' : 'closed'),
      applies: ({ cutEveryMs }) => cutEveryMs > 0,
    },
    result: z.string(),
    thread: false,
    path: noPath,
    words: (cut, { cutEveryMs }) =>
      cutEveryMs === 0 ? '' : cut === 'silent' ? 'silent cuts through a proxy' : 'cuts by the server',
    setting: true,
  }),

  burst: dimension({
    config: {
      item: trueOrFalse,
      usual: false,
      since: '0.2',
      description:
        'Whether every worker keeps its first connection until all have one; with a warm-up this is always so',
      label: burst => (burst ? 'burst' : 'steady'),
    },
    result: z.boolean(),
    thread: true,
    path: noPath,
    words: burst => (burst ? 'a burst of first connections' : 'no burst of first connections'),
    setting: true,
  }),

  /** 0: all agents of the run, or this process. */
  hosts: dimension({
    config: {
      item: wholeNumber(0, limits.agents),
      usual: 0,
      since: '0.9',
      description: 'Number of agents that run the threads, with --agents; 0: all of them',
      unit: 'agents',
      label: hosts => (hosts === 0 ? 'allHosts' : `${hosts}${hosts === 1 ? 'host' : 'hosts'}`),
      // No host without a thread.
      clamp: (hosts, { pools, poolsPerThread }) => Math.min(hosts, Math.ceil(pools / poolsPerThread)),
    },
    result: z.number(),
    thread: false,
    path: noPath,
    words: hosts => (hosts === 0 ? '' : `on ${formatPlural(hosts, 'host')}`),
    setting: true,
  }),

  /** Names of populations; null: the scenario runs alone. */
  beside: dimension({
    config: {
      item: besideSchema,
      usual: null,
      since: '0.10',
      description:
        'Name of the population that runs at the same time as the scenario; "bulk+churn" names two; null: none. If no scenario has this key, each runs alone and with each population',
      label: labelBeside,
    },
    result: z.string().nullable(),
    thread: false,
    // Populations have paths of their own.
    path: noPath,
    words: describeBeside,
    setting: true,
  }),
};

/** "2 pools", "4 pools in 1 thread"; without the threads if each pool has its own. */
export function namePools({ pools, threads }: Pick<Basics, 'pools' | 'threads'>): string {
  return `${formatPlural(pools, 'pool')}${threads === pools ? '' : ` in ${formatPlural(threads, 'thread')}`}`;
}

/** Max length of options in an id; longer ones end in a hash. */
const labelLength = 40;

/** "RESP_2"; "plain" for none. Long and nested options end in a hash, as others can begin alike. */
function labelOptions(options: ClientOptions): string {
  if (isEmpty(options)) return 'plain';
  const text = JSON.stringify(options).replace(/\W+/g, '_').replace(/^_|_$/g, '');
  const isPlain = Object.values(options).every(
    value => typeof value === 'number' || typeof value === 'boolean',
  );
  if (isPlain && text.length <= labelLength) return text;
  return `${text.slice(0, labelLength)}_${shortHash(JSON.stringify(options))}`;
}

/** "ioredis (what an application pays), wire (…) or …". */
function inWords(names: Readonly<Record<string, string>>): string {
  const items = Object.entries(names).map(([name, meaning]) => `${name} (${meaning})`);
  return [items.slice(0, -1).join(', '), ...items.slice(-1)].join(' or ');
}
