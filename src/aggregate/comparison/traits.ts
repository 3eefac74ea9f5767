import { isDeepStrictEqual } from 'node:util';
import type { Result } from '../result.ts';
import { armKey } from '../scenario/scenario.ts';
import { withoutControls } from '../stats/control.ts';
import { describeHosts } from '../stats/hosts.ts';
import { formatPlural } from '../text/format.ts';
import { describeClients, describeMasters, describeSocket, wasRunning } from '../text/target-words.ts';
import type { FairnessCheck } from './schema.ts';

/**
 * Traits of results: one row for each, with its uses. `comparison`: the report of a comparison checks it. `baseline`: a
 * new run and its separate baseline runs must agree in it, because a difference would shift the figures and is not what
 * is tested. `trend`: runs that differ in it belong to different trends; versions may differ, because showing their
 * effect is the purpose of a trend.
 */

type Use = 'comparison' | 'baseline' | 'trend';

interface Trait {
  readonly uses: readonly Use[];
  /** As text, equal for results that are alike in it. Of a trend every trait has one. */
  readonly of?: (result: Result) => string;
  /** Whether it is checked at all. @default always */
  readonly matters?: (results: readonly Result[]) => boolean;
  /** Effect of a difference on the figures. */
  readonly note?: string;
  /** How it is checked if equality is not the right criterion. */
  readonly check?: (results: readonly Result[]) => Checked;
}

type Checked = Omit<FairnessCheck, 'name'>;

const everywhere = ['comparison', 'baseline', 'trend'] as const;
const ofPairs = ['comparison', 'baseline'] as const;

/** Every trait, in the order of the checks. */
const traits = {
  config: { uses: ['trend'], of: ({ name }) => name },
  'no stand-in': { uses: ofPairs, check: checkStandIns },
  'measured in turn': { uses: ['comparison'], check: checkTurns },
  machine: {
    uses: everywhere,
    of: ({ environment: { cpu, cores, memoryBytes } }) =>
      `${cpu}, ${formatPlural(cores, 'core')}, ${Math.round(memoryBytes / 2 ** 30)} GiB`,
  },
  agents: {
    uses: everywhere,
    of: ({ hosts }) => (hosts === undefined ? 'none' : describeHosts(hosts)),
    matters: results => results.some(({ hosts }) => hosts !== undefined),
  },
  'operating system': { uses: ofPairs, of: ({ environment }) => environment.os },
  runtime: {
    uses: ofPairs,
    of: ({ environment, tool }) => `Node ${environment.node}, ${tool.name} ${tool.version}`,
  },
  clients: {
    uses: ofPairs,
    of: ({ clients = [] }) => describeClients(clients),
    // Versions before 0.9 did not write them.
    matters: results => results.every(({ clients }) => clients !== undefined),
    note: 'the ratios include the difference between these clients or their versions',
  },
  'place of the server': {
    uses: everywhere,
    of: ({ target }) => (target.local ? 'shares the machine' : 'elsewhere'),
    note: 'a server on the same machine competes for its cores, and a server elsewhere has the network in its latencies',
  },
  'address of the server': {
    uses: ['trend'],
    of: ({ target }) => (target.local ? 'local' : target.declared.url),
  },
  'start of the server': {
    uses: ofPairs,
    of: ({ target }) => (wasRunning(target) ? 'was running before' : 'by poolbench'),
    note: 'Linux divides the CPU time of a busy machine by session, and a server that poolbench starts has its own session; let poolbench start all servers, or none',
  },
  connections: {
    uses: everywhere,
    of: describeConnections,
    note: 'the ratios include the cost of the connection',
  },
  'number of servers': {
    uses: everywhere,
    of: ({ target }) => describeMasters(target.detected),
    matters: results => results.some(({ target }) => target.detected.masters != null),
    note: 'the masters of a cluster share the load, each with threads of its own',
  },
  'persistence off': { uses: ['comparison'], check: checkPersistence },
  server: {
    uses: ['trend'],
    of: ({ target: { declared, detected, standIn } }) =>
      `${detected.server}${standIn ? `, stand-in for ${declared.server}` : ''}`,
  },
  'server threads': { uses: ['comparison', 'trend'], of: describeThreads, check: checkThreads },
  workload: {
    uses: everywhere,
    of: ({ config }) => JSON.stringify(sorted(withoutDefaults(config.workload))) ?? 'none',
  },
  'files of the workload': {
    uses: everywhere,
    of: describeFiles,
    // Versions before 0.10 did not write them.
    matters: results => results.some(hasScript) || results.every(({ files }) => files !== undefined),
    note: 'the operations can differ; results from before version 0.10 have no hashes of the files',
  },
  populations: {
    uses: everywhere,
    of: ({ config: { populations } }) =>
      isFilled(populations) ? JSON.stringify(sorted(populations.map(withoutDefaults))) : 'none',
    matters: results => results.some(({ config }) => isFilled(config.populations)),
  },
  scenarios: { uses: ofPairs, check: checkScenarios },
  rounds: { uses: ofPairs, of: ({ config }) => JSON.stringify(sorted(config.rounds)) ?? 'none' },
  'time of a measurement': {
    uses: everywhere,
    of: ({ config }) => `${formatValue(config.seconds)} s after ${formatValue(config.warmupSeconds)} s`,
  },
  seed: { uses: ['comparison'], of: ({ seed }) => String(seed) },
  'measured to the end': { uses: ofPairs, check: checkEnds },
  'client not saturated': { uses: ['comparison'], check: checkClient },
} as const satisfies Readonly<Record<string, Trait>>;

/** Characters of a hash that are enough to tell texts apart. */
const shownHashLength = 12;

type Traits = typeof traits;
/** The traits that all runs of a trend have in common. */
export type TrendTrait = {
  [Name in keyof Traits]: 'trend' extends Traits[Name]['uses'][number] ? Name : never;
}[keyof Traits];

const rows: readonly (readonly [name: string, trait: Trait])[] = Object.entries(traits);

const isFor =
  (use: Use) =>
  ([, { uses }]: (typeof rows)[number]) =>
    uses.includes(use);

/** What a result has of every trait of a trend. */
export function trendTraitsOf(result: Result): Readonly<Record<TrendTrait, string>> {
  const found = rows.filter(isFor('trend')).map(([name, { of }]) => [name, of?.(result) ?? '']);
  return Object.fromEntries(found) as Record<TrendTrait, string>;
}

/** Whether these results agree, trait by trait. */
export function checkTraits(use: 'comparison' | 'baseline', results: readonly Result[]): FairnessCheck[] {
  const checkedRows = rows.filter(isFor(use)).filter(([, { matters }]) => matters?.(results) ?? true);
  return checkedRows.map(([name, { of = () => '', note, check }]) => {
    if (check !== undefined) return { name, ...check(results) };
    const values = results.map(of);
    return { name, ...checked(new Set(values).size < 2, values.map(formatValue), note) };
  });
}

/** @param note its effect on the figures if it is not ok */
function checked(isOk: boolean, values: string[], note = ''): Checked {
  return { state: isOk ? 'ok' : 'not ok', values, note: isOk ? '' : note };
}

/** Defaults of the keys that workloads and populations of earlier versions do not have. */
const laterDefaults: Readonly<Record<string, unknown>> = {
  sharesThreads: false,
  keyChoice: { kind: 'uniform' },
  valueContent: { kind: 'random' },
  commands: [],
  functions: [],
  hitShare: 1,
  members: 10,
  types: {},
  ycsb: null,
  script: null,
  subscribers: 0,
  replay: null,
};

/** A workload or a population without those keys that have their defaults, so that results of all versions can be compared. */
export function withoutDefaults(workload: unknown): unknown {
  if (typeof workload !== 'object' || workload === null) return workload;
  return Object.fromEntries(
    Object.entries(workload).filter(([key, value]) => !isDeepStrictEqual(laterDefaults[key], value)),
  );
}

function isFilled(list: unknown): list is unknown[] {
  return Array.isArray(list) && list.length > 0;
}

/** The same value with the keys of its objects in alphabetical order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** A value as text: short, and on one line. */
export function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Encryption costs both sides CPU, and so does another protocol. */
function describeConnections({ target, config }: Result): string {
  const { tls } = (config.target ?? {}) as { tls?: { rejectUnauthorized?: unknown } };
  const unchecked = tls?.rejectUnauthorized === false ? ', certificate not checked' : '';
  return `${describeSocket(target)}${unchecked}${target.detected.protocol === 2 ? ', RESP2' : ''}`;
}

function hasScript({ config }: Result): boolean {
  return typeof (config.workload as { script?: unknown } | undefined)?.script === 'string';
}

/** By the hash: files of different names can have the same text. */
function describeFiles(result: Result): string {
  const { files } = result;
  if (files === undefined) return hasScript(result) ? 'not known' : 'none';
  return files.map(({ key, sha256 }) => `${key} ${sha256.slice(0, shownHashLength)}`).join(', ');
}

function describeThreads({ target: { detected } }: Result): string {
  return detected.threads === null ? 'unknown threads' : formatPlural(detected.threads, 'thread');
}

function checkStandIns(results: readonly Result[]): Checked {
  return checked(
    results.every(({ target }) => !target.standIn),
    results.map(({ target }) =>
      target.standIn
        ? `${target.detected.server} stood in for ${target.declared.server}`
        : 'the declared server',
    ),
    'figures of a stand-in say nothing about the declared server',
  );
}

/** Rounds of one session were measured in turn. The id of the session is not shown. */
function checkTurns(results: readonly Result[]): Checked {
  const first = results[0]?.session;
  return checked(
    first !== undefined && results.every(({ session }) => session === first),
    results.map(({ session }) =>
      session === undefined ? 'a separate run' : session === first ? 'yes' : 'in another run',
    ),
    'the ratios include what drifted between the runs, and no interval covers it',
  );
}

function checkPersistence(results: readonly Result[]): Checked {
  const found = results.map(({ target }) => target.detected.persistence ?? null);
  const known = checked(
    !found.some(one => one !== null && one.length > 0),
    found.map(one => (one === null ? 'unknown' : one.length === 0 ? 'off' : one.join(', '))),
    'writing to disk is part of the figures',
  );
  return known.state === 'ok' && found.includes(null) ? { ...known, state: 'unknown' } : known;
}

/** Different numbers of threads are fair if the run was meant to compare them. */
function checkThreads(results: readonly Result[]): Checked {
  const found = results.map(({ target }) => target.detected.threads);
  const asked = results.every(({ config, target }) => {
    const threads = (config.target as { threads?: unknown } | undefined)?.threads;
    return target.detected.threads !== null && isDeepStrictEqual(threads, [target.detected.threads]);
  });
  const equal = found.every(threads => threads === found[0]);
  const note = asked
    ? 'as target.threads asked for'
    : 'set target.threads to give each server the same, or a list to sweep them';
  return {
    state: found.includes(null) ? 'unknown' : equal || asked ? 'ok' : 'not ok',
    values: found.map(threads => (threads === null ? 'unknown' : String(threads))),
    note: equal ? '' : note,
  };
}

function checkScenarios(results: readonly Result[]): Checked {
  const arms = results.map(result => new Map(withoutControls(result).map(one => [one.id, armKey(one)])));
  const [first = new Map<string, string>()] = arms;
  const partial = [...new Set(arms.flatMap(side => [...side.keys()]))].filter(
    id => !arms.every(side => side.has(id) && side.get(id) === first.get(id)),
  );
  const more = partial.length > 5 ? ` and ${partial.length - 5} more` : '';
  return checked(
    partial.length === 0,
    arms.map(side => String(side.size)),
    `not on all sides: ${partial.slice(0, 5).join(', ')}${more}`,
  );
}

function checkEnds(results: readonly Result[]): Checked {
  return checked(
    results.every(({ complete }) => complete),
    results.map(({ complete }) => (complete ? 'yes' : 'ended early')),
  );
}

/** Limits other than the server: a scenario with one of these measures poolbench. */
export const limitedByClient: ReadonlySet<string> = new Set(['client', 'machine', 'pool']);

function checkClient(results: readonly Result[]): Checked {
  const arms = results.map(withoutControls);
  const limited = arms.map(
    scenarios => scenarios.filter(({ limitedBy }) => limitedByClient.has(limitedBy.resource)).length,
  );
  return checked(
    limited.every(count => count === 0),
    arms.map(
      (scenarios, index) =>
        `${limited[index]} of ${formatPlural(scenarios.length, 'scenario')} limited by client, machine or pool`,
    ),
    'those scenarios measure the client, so servers with equal figures there may still differ',
  );
}
