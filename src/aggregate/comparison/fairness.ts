import { isDeepStrictEqual } from 'node:util';
import type { Result } from '../result.ts';
import { armKey } from '../scenario/scenario.ts';
import { withoutControls } from '../stats/control.ts';
import { formatPlural } from '../text/format.ts';
import { formatMemory, wasRunning } from '../text/target-words.ts';
import type { FairnessCheck } from './schema.ts';

/** Whether results can be compared at all, and how fair that is. */

/** What two measurements must share to be compared at all. */
interface Comparable {
  readonly name: string;
  /** The workload section of the config. */
  readonly workload: unknown;
  /** Ids of the scenarios. */
  readonly scenarios: readonly string[];
}

/** Why these cannot be compared, as what was expected and found; null if they can. */
export function whyNotComparable(sides: readonly Comparable[]): string | null {
  const [first, ...others] = sides;
  if (first === undefined) return null;
  for (const other of others) {
    if (!isDeepStrictEqual(withoutDefaults(first.workload), withoutDefaults(other.workload)))
      return `expected equal workloads, found ${describeDifference(first, other)}`;
    if (!other.scenarios.some(id => first.scenarios.includes(id)))
      return `expected scenarios in common, found none in ${other.name} (${other.scenarios[0] ?? 'nothing'} against ${first.scenarios[0] ?? 'nothing'} in ${first.name})`;
  }
  return null;
}

/** Defaults of the keys that workloads of earlier versions do not have. */
const laterDefaults: Readonly<Record<string, unknown>> = {
  keyChoice: { kind: 'uniform' },
  valueContent: { kind: 'random' },
  commands: [],
  functions: [],
  hitShare: 1,
  members: 10,
  ycsb: null,
  script: null,
};

/** A workload without those keys where they have their defaults, so that results of all versions compare. */
export function withoutDefaults(workload: unknown): unknown {
  if (typeof workload !== 'object' || workload === null) return workload;
  return Object.fromEntries(
    Object.entries(workload).filter(([key, value]) => !isDeepStrictEqual(laterDefaults[key], value)),
  );
}

function describeDifference(first: Comparable, other: Comparable): string {
  const [a, b] = [entriesOf(first), entriesOf(other)];
  const differing = [...new Set([...a.keys(), ...b.keys()])].filter(
    key => !isDeepStrictEqual(a.get(key), b.get(key)),
  );
  if (differing.length === 0) return `${formatValue(first.workload)} and ${formatValue(other.workload)}`;
  return differing
    .map(
      key =>
        `${key} ${formatValue(a.get(key))} in ${first.name} and ${formatValue(b.get(key))} in ${other.name}`,
    )
    .join(', ');
}

function entriesOf({ workload }: Comparable): Map<string, unknown> {
  return new Map(
    typeof workload === 'object' && workload !== null
      ? Object.entries(withoutDefaults(workload) as object)
      : [],
  );
}

/** A value as text: short, and on one line. */
export function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Checks that a new run and its baseline may fail: what is changed is what is tested, and the rest shifts no figure. */
const mayDiffer: ReadonlySet<string> = new Set([
  ...['measured in turn', 'persistence off', 'server threads', 'seed', 'client not saturated'],
]);

/** Why runs that were made apart were not made alike, by the same machine and config, as a clause; null if they were. */
export function whyNotAlike(results: readonly Result[]): string | null {
  const unlike = checkFairness(results).find(({ name, state }) => state === 'not ok' && !mayDiffer.has(name));
  if (unlike === undefined) return null;
  return `the runs are not all of the same machine and config: ${unlike.name} (${[...new Set(unlike.values)].join('; ')})`;
}

/** Limits that are not the server's: a scenario with one of them measures poolbench. */
export const limitedByClient: ReadonlySet<string> = new Set(['client', 'machine', 'pool']);

/** Whether these results can be compared fairly, point by point. */
export function checkFairness(results: readonly Result[]): FairnessCheck[] {
  /** @param note the effect of a difference on the figures */
  const same = (name: string, value: (result: Result) => unknown, note = ''): FairnessCheck => {
    const values = results.map(value);
    return check(
      name,
      values.every(one => isDeepStrictEqual(one, values[0])),
      values.map(formatValue),
      note,
    );
  };
  return [
    checkStandIns(results),
    checkTurns(results),
    same('machine', ({ environment: { cpu, cores, memoryBytes, os } }) =>
      [cpu, formatPlural(cores, 'core'), formatMemory(memoryBytes), os].join(', '),
    ),
    same('runtime', ({ environment, tool }) => `Node ${environment.node}, ${tool.name} ${tool.version}`),
    same(
      'place of the server',
      ({ target }) => (target.local ? 'shares the machine' : 'elsewhere'),
      'a server that shares the machine competes for its cores, while one elsewhere has the network in its latencies',
    ),
    same(
      'start of the server',
      ({ target }) => (wasRunning(target) ? 'was running before' : 'by poolbench'),
      'Linux divides the CPU time of a busy machine by session first, and a server that poolbench starts has a session of its own; let poolbench start all servers, or none',
    ),
    same('connections', describeConnections, 'the cost of the connection is part of the ratios'),
    checkPersistence(results),
    checkThreads(results),
    same('workload', ({ config }) => withoutDefaults(config.workload)),
    checkScenarios(results),
    same('rounds', ({ config }) => config.rounds),
    same('time of a measurement', describeTimes),
    same('seed', ({ seed }) => seed),
    check(
      'measured to the end',
      results.every(({ complete }) => complete),
      results.map(({ complete }) => (complete ? 'yes' : 'ended early')),
    ),
    checkClient(results),
  ];
}

/** @param note its effect on the figures if it is not ok */
function check(name: string, isOk: boolean, values: string[], note = ''): FairnessCheck {
  return { name, state: isOk ? 'ok' : 'not ok', values, note: isOk ? '' : note };
}

function checkStandIns(results: readonly Result[]): FairnessCheck {
  return check(
    'no stand-in',
    results.every(({ target }) => !target.standIn),
    results.map(({ target }) =>
      target.standIn ? `${target.detected.server} stood in for ${target.declared.server}` : 'the real one',
    ),
    'these figures say nothing about a declared server that another one stood in for',
  );
}

/** Rounds of one session were measured in turn. The id of the session is not shown. */
function checkTurns(results: readonly Result[]): FairnessCheck {
  const first = results[0]?.session;
  return check(
    'measured in turn',
    first !== undefined && results.every(({ session }) => session === first),
    results.map(({ session }) =>
      session === undefined ? 'a run of its own' : session === first ? 'yes' : 'in another run',
    ),
    'what drifted between the runs is part of the ratios, and no interval covers it',
  );
}

/** "0.25 s after 0.25 s". */
export function describeTimes({ config }: Result): string {
  return `${formatValue(config.seconds)} s after ${formatValue(config.warmupSeconds)} s`;
}

/** Encryption costs both sides CPU, and so does another protocol. */
export function describeConnections({ target, config }: Result): string {
  const [scheme = ''] = target.declared.url.toLowerCase().split(':', 1);
  const { tls } = (config.target ?? {}) as { tls?: { rejectUnauthorized?: unknown } };
  const unchecked = tls?.rejectUnauthorized === false ? ', certificate not checked' : '';
  const transport = { rediss: 'TLS', valkeys: 'TLS', unix: 'unix socket' }[scheme] ?? 'TCP';
  return `${transport}${unchecked}${target.detected.protocol === 2 ? ', RESP2' : ''}`;
}

function checkPersistence(results: readonly Result[]): FairnessCheck {
  const found = results.map(({ target }) => target.detected.persistence ?? null);
  const checked = check(
    'persistence off',
    !found.some(one => one !== null && one.length > 0),
    found.map(one => (one === null ? 'unknown' : one.length === 0 ? 'off' : one.join(', '))),
    'writing to disk is part of the figures',
  );
  return checked.state === 'ok' && found.includes(null) ? { ...checked, state: 'unknown' } : checked;
}

/** Different numbers of threads are fair if they are what the run was to compare. */
function checkThreads(results: readonly Result[]): FairnessCheck {
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
    name: 'server threads',
    state: found.includes(null) ? 'unknown' : equal || asked ? 'ok' : 'not ok',
    values: found.map(threads => (threads === null ? 'unknown' : String(threads))),
    note: equal ? '' : note,
  };
}

function checkScenarios(results: readonly Result[]): FairnessCheck {
  const arms = results.map(result => new Map(withoutControls(result).map(one => [one.id, armKey(one)])));
  const [first = new Map<string, string>()] = arms;
  const partial = [...new Set(arms.flatMap(side => [...side.keys()]))].filter(
    id => !arms.every(side => side.has(id) && side.get(id) === first.get(id)),
  );
  const more = partial.length > 5 ? ` and ${partial.length - 5} more` : '';
  return check(
    'scenarios',
    partial.length === 0,
    arms.map(side => String(side.size)),
    `not on all sides: ${partial.slice(0, 5).join(', ')}${more}`,
  );
}

function checkClient(results: readonly Result[]): FairnessCheck {
  const arms = results.map(withoutControls);
  const limited = arms.map(
    scenarios => scenarios.filter(({ limitedBy }) => limitedByClient.has(limitedBy.resource)).length,
  );
  return check(
    'client not saturated',
    limited.every(count => count === 0),
    arms.map(
      (scenarios, index) =>
        `${limited[index]} of ${formatPlural(scenarios.length, 'scenario')} limited by client, machine or pool`,
    ),
    'those scenarios measure the client, so servers that look alike there may differ',
  );
}
