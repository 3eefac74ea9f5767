import { isDeepStrictEqual } from 'node:util';
import type { Result } from '../result.ts';
import { armKey } from '../scenario/scenario.ts';
import { formatPlural } from '../text/format.ts';
import { formatMemory } from '../text/target-words.ts';
import type { FairnessCheck } from './schema.ts';

/** What two measurements must share to be compared at all. */
export interface Comparable {
  readonly name: string;
  /** The workload section of the config. */
  readonly workload: unknown;
  /** Ids of the scenarios. */
  readonly scenarios: readonly string[];
}

/** The usual values of the keys that workloads of version 0.2 and before do not have. */
const laterKeys: Readonly<Record<string, unknown>> = {
  keyChoice: { kind: 'uniform' },
  valueContent: { kind: 'random' },
  commands: [],
  hitShare: 1,
  ycsb: null,
};

/** A workload without those keys where they say the usual: what earlier versions did not say of theirs. */
export function withoutUsual(workload: unknown): unknown {
  if (typeof workload !== 'object' || workload === null) return workload;
  return Object.fromEntries(
    Object.entries(workload).filter(([key, value]) => !isDeepStrictEqual(laterKeys[key], value)),
  );
}

/** Why these cannot be compared, as what was expected and found; null if they can. */
export function whyNotComparable(sides: readonly Comparable[]): string | null {
  const [first, ...others] = sides;
  if (first === undefined) return null;
  for (const other of others) {
    if (!isDeepStrictEqual(withoutUsual(first.workload), withoutUsual(other.workload))) {
      return `expected equal workloads, found ${describeDifference(first, other)}`;
    }
    if (!other.scenarios.some(id => first.scenarios.includes(id))) {
      return `expected scenarios in common, found none in ${other.name} that ${first.name} has, too (${other.scenarios[0] ?? 'nothing'} against ${first.scenarios[0] ?? 'nothing'})`;
    }
  }
  return null;
}

/** A value for a reader: short, and on one line. */
export function shownValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function describeDifference(first: Comparable, other: Comparable): string {
  const [a, b] = [entriesOf(withoutUsual(first.workload)), entriesOf(withoutUsual(other.workload))];
  const differing = [...new Set([...a.keys(), ...b.keys()])].filter(
    key => !isDeepStrictEqual(a.get(key), b.get(key)),
  );
  if (differing.length === 0) return `${shownValue(first.workload)} and ${shownValue(other.workload)}`;
  return differing
    .map(
      key =>
        `${key} ${shownValue(a.get(key))} in ${first.name} and ${shownValue(b.get(key))} in ${other.name}`,
    )
    .join(', ');
}

function entriesOf(value: unknown): Map<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

/** What limits a scenario where its figures tell of poolbench, and not of the server. */
export const limitedByClient: ReadonlySet<string> = new Set(['client', 'machine', 'pool']);

/** Whether these results can be compared fairly, point by point. */
export function checkFairness(results: readonly Result[]): FairnessCheck[] {
  const same = (name: string, value: (result: Result) => unknown, note = ''): FairnessCheck => {
    const values = results.map(value);
    const equal = values.every(one => isDeepStrictEqual(one, values[0]));
    return { name, state: equal ? 'ok' : 'not ok', values: values.map(shownValue), note: equal ? '' : note };
  };
  return [
    checkStandIns(results),
    checkTurns(results),
    same('machine', describeMachine),
    same('runtime', ({ environment, tool }) => `Node ${environment.node}, ${tool.name} ${tool.version}`),
    same(
      'place of the server',
      ({ target }) => (target.local ? 'shares the machine' : 'elsewhere'),
      'a server that shares the machine competes for its cores, one elsewhere has the network in its latencies',
    ),
    checkConnections(results),
    checkPersistence(results),
    checkThreads(results),
    same('workload', ({ config }) => withoutUsual(config.workload)),
    checkScenarios(results),
    same('rounds', ({ config }) => config.rounds),
    same(
      'time of a measurement',
      ({ config }) => `${shownValue(config.seconds)} s after ${shownValue(config.warmupSeconds)} s`,
    ),
    same('seed', ({ seed }) => seed),
    checkComplete(results),
    checkClient(results),
  ];
}

function describeMachine({ environment }: Result): string {
  const { cpu, cores, memoryBytes, os } = environment;
  return `${cpu}, ${formatPlural(cores, 'core')}, ${formatMemory(memoryBytes)}, ${os}`;
}

function checkStandIns(results: readonly Result[]): FairnessCheck {
  const found = results.some(({ target }) => target.standIn);
  return {
    name: 'no stand-in',
    state: found ? 'not ok' : 'ok',
    values: results.map(({ target }) =>
      target.standIn ? `${target.detected.server} stood in for ${target.declared.server}` : 'the real one',
    ),
    note: found ? 'nothing here tells of a server that another one stood in for' : '',
  };
}

/** Rounds of one session were measured in turn. Its id would tell a reader nothing. */
function checkTurns(results: readonly Result[]): FairnessCheck {
  const first = results[0]?.session;
  const inTurn = first !== undefined && results.every(({ session }) => session === first);
  return {
    name: 'measured in turn',
    state: inTurn ? 'ok' : 'not ok',
    values: results.map(({ session }) =>
      session === undefined ? 'a run of its own' : session === first ? 'yes' : 'in another run',
    ),
    note: inTurn ? '' : 'what drifted between the runs is part of the ratios, and no interval covers it',
  };
}

/** Encryption costs both sides, and so does another protocol. */
function checkConnections(results: readonly Result[]): FairnessCheck {
  const ways = results.map(({ target, config }) => {
    const [scheme = ''] = target.declared.url.toLowerCase().split(':', 1);
    const { tls } = (config.target ?? {}) as { tls?: { rejectUnauthorized?: unknown } };
    const unchecked = tls?.rejectUnauthorized === false ? ', certificate not checked' : '';
    const way = { rediss: 'TLS', unix: 'unix socket' }[scheme] ?? 'TCP';
    return `${way}${unchecked}${target.detected.protocol === 2 ? ', RESP2' : ''}`;
  });
  const equal = ways.every(way => way === ways[0]);
  return {
    name: 'connections',
    state: equal ? 'ok' : 'not ok',
    values: ways,
    note: equal ? '' : 'what the connection costs is part of the ratios',
  };
}

function checkPersistence(results: readonly Result[]): FairnessCheck {
  const found = results.map(({ target }) => target.detected.persistence ?? null);
  const writes = found.some(one => one !== null && one.length > 0);
  const untold = found.some(one => one === null);
  return {
    name: 'persistence off',
    state: writes ? 'not ok' : untold ? 'unknown' : 'ok',
    values: found.map(one => (one === null ? 'unknown' : one.length === 0 ? 'off' : one.join(', '))),
    note: writes ? 'writing to disk is part of the figures' : '',
  };
}

/** Different numbers of threads are fair where they are what the run was to compare. */
function checkThreads(results: readonly Result[]): FairnessCheck {
  const found = results.map(({ target }) => target.detected.threads);
  const asked = results.every(({ config, target }) => {
    const threads = (config.target as { threads?: unknown } | undefined)?.threads;
    return target.detected.threads !== null && isDeepStrictEqual(threads, [target.detected.threads]);
  });
  const equal = found.every(threads => threads === found[0]);
  const state = found.includes(null) ? 'unknown' : equal || asked ? 'ok' : 'not ok';
  return {
    name: 'server threads',
    state,
    values: found.map(threads => (threads === null ? 'unknown' : String(threads))),
    note: equal
      ? ''
      : asked
        ? 'as target.threads asked for'
        : 'set target.threads to give each server the same, or a list to sweep them',
  };
}

function checkScenarios(results: readonly Result[]): FairnessCheck {
  const arms = results.map(({ scenarios }) => new Map(scenarios.map(one => [one.id, armKey(one)])));
  const [first = new Map<string, string>()] = arms;
  const partial = [...new Set(arms.flatMap(side => [...side.keys()]))].filter(
    id => !arms.every(side => side.has(id) && side.get(id) === first.get(id)),
  );
  const shown = partial.slice(0, 5).join(', ');
  return {
    name: 'scenarios',
    state: partial.length === 0 ? 'ok' : 'not ok',
    values: arms.map(side => String(side.size)),
    note:
      partial.length === 0
        ? ''
        : `not on all sides: ${shown}${partial.length > 5 ? ` and ${partial.length - 5} more` : ''}`,
  };
}

function checkComplete(results: readonly Result[]): FairnessCheck {
  return {
    name: 'measured to the end',
    state: results.every(({ complete }) => complete) ? 'ok' : 'not ok',
    values: results.map(({ complete }) => (complete ? 'yes' : 'ended early')),
    note: '',
  };
}

function checkClient(results: readonly Result[]): FairnessCheck {
  const limited = results.map(
    ({ scenarios }) => scenarios.filter(({ limitedBy }) => limitedByClient.has(limitedBy.resource)).length,
  );
  const saturated = limited.some(count => count > 0);
  return {
    name: 'client not saturated',
    state: saturated ? 'not ok' : 'ok',
    values: limited.map(
      (count, index) =>
        `${count} of ${formatPlural(results[index]?.scenarios.length ?? 0, 'scenario')} limited by client, machine or pool`,
    ),
    note: saturated ? 'those scenarios measure the client: servers that look alike there need not be' : '',
  };
}
