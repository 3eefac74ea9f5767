import type { z } from 'zod';
import { clientsWith, hasAbility } from '../../aggregate/scenario/clients.ts';
import { formatList, formatMs } from '../../aggregate/text/format.ts';
import type { KeyChoice, WorkloadTask } from '../../workers/contract.ts';
import { isPublish, keysOf, parseCommand } from '../../workers/workload/command-templates.ts';
import { replicaCanAnswer, typeName } from '../../workers/workload/families.ts';
import { keyRanges, maxRecords } from '../../workers/workload/keys.ts';
import { minSpread } from '../../workers/workload/samplers.ts';
import { checkRecorded } from './recorded-arrivals.ts';
import { judgeEach, type Refuse, type Rule } from './rules.ts';
import type { scenarioGroup } from './scenario-group.ts';
import { sizesOf } from './value-variants.ts';
import { type WorkloadConfig, workloadTask } from './workload.ts';

type ScenarioGroup = z.output<typeof scenarioGroup>;

interface Parts {
  readonly target: { readonly cluster: boolean; readonly sentinel: { readonly master: string | null } };
  readonly workload: WorkloadConfig;
  readonly scenarios: readonly ScenarioGroup[];
  readonly timeoutMs: number;
}

/** What a change of the target can break. */
type ForTarget = Omit<Parts, 'timeoutMs'>;

/** The most that a request has in addition to its value. */
const requestOverheadBytes = 128;
/** Requests are held in memory while in flight: more than this would end the process without an error message. */
export const maxBytesInFlight = 2 ** 30;
/** Key numbers have 8 digits. */
const maxKeyNumbers = 100_000_000;

/** Max memory of this many requests. */
export function bytesInFlight(requests: number, values: WorkloadTask['values']): number {
  return requests * (sizesOf(values).max + requestOverheadBytes);
}

/** Rules on values that are valid alone, but not with these scenarios. */
export const workloadRules: readonly Rule<Parts>[] = [
  checkKeysOfPools,
  checkKeysOfWorkers,
  checkKeyNumbers,
  checkTypes,
  checkSpread,
  checkBlocking,
  checkPublished,
  checkSubscribers,
  checkScript,
  checkRecorded,
  checkInserts,
  checkInFlight,
];

/** Rules on settings for single servers, if the target consists of several, and for replicas. */
export const targetRules: readonly Rule<ForTarget>[] = [
  checkClusterScript,
  checkClusterRecords,
  checkClusterCommands,
  checkReadFrom,
  checkSilentCuts,
];

function checkInserts({ workload, scenarios }: Parts, refuse: Refuse): void {
  const { ycsb } = workload;
  if (workloadTask(workload).growth === null) return;
  judgeEach(scenarios, ({ batch }, index) => {
    if (batch.every(({ pool }) => pool !== 'separate')) return;
    const expected = `no batch workers with separate pools, as workload.ycsb is ${JSON.stringify(ycsb)} (both pools would insert the same records)`;
    refuse(['scenarios', index, 'batch'], expected, batch);
  });
}

function checkInFlight({ workload, scenarios }: Parts, refuse: Refuse): void {
  const { values } = workloadTask(workload);
  judgeEach(scenarios, ({ workers, pipeline, batch }, index) => {
    const commands =
      Math.max(...workers) * Math.max(...pipeline) +
      Math.max(...batch.map(beside => (beside.pool === 'none' ? 0 : beside.workers * beside.pipeline)));
    const bytes = bytesInFlight(commands, values);
    if (bytes <= maxBytesInFlight) return;
    const inFlight = `${(bytes / 2 ** 30).toFixed(1)} GiB here`;
    const expected = `at most 1 GiB in flight at once (workers × pipeline × valueBytes, ${inFlight})`;
    refuse(['scenarios', index, 'pipeline'], expected, pipeline);
  });
}

function checkSilentCuts({ target, scenarios }: ForTarget, refuse: Refuse): void {
  if (!target.cluster && target.sentinel.master === null) return;
  const why = target.cluster ? 'target.cluster is true' : 'target.sentinel.master is set';
  judgeEach(scenarios, ({ cut, cutEveryMs }, index) => {
    if (!cut.includes('silent') || cutEveryMs.every(every => every === 0)) return;
    const expected = `"close", as ${why} (silent cuts go through a proxy, which leads to a single server)`;
    refuse(['scenarios', index, 'cut'], expected, cut);
  });
}

/** Refuses reads from replicas if the target has none that poolbench knows, or if a command or a client cannot use them. */
function checkReadFrom({ target, workload, scenarios }: ForTarget, refuse: Refuse): void {
  judgeEach(scenarios, ({ client, readFrom, autoPipelining }, index) => {
    const place = readFrom.findIndex(source => source !== 'primary');
    if (place < 0) return;
    const ofAll = whyOnlyFromPrimary(target, workload);
    const refuseReads = (why: string) =>
      refuse(['scenarios', index, 'readFrom', place], `"primary", because ${why}`, readFrom[place]);
    const other = client.find(one => !hasAbility(one, 'replicas'));
    if (ofAll !== undefined) refuseReads(ofAll);
    else if (other !== undefined)
      refuseReads(
        `client has ${JSON.stringify(other)} (only ${formatList(clientsWith('replicas'))} read from replicas; put it in a separate group)`,
      );
    else if (target.cluster && client.includes('ioredis') && autoPipelining.includes(true))
      refuseReads('autoPipelining is true (in a cluster, ioredis would send joined writes to replicas)');
  });
}

/** Why all commands must go to the primary, as a clause; undefined if some can go to replicas. */
function whyOnlyFromPrimary(target: Parts['target'], workload: WorkloadConfig): string | undefined {
  if (!target.cluster && target.sentinel.master === null)
    return 'the target is a single server (set target.cluster or target.sentinel.master to read from its replicas)';
  if (workload.script !== null) return 'workload.script is set (a session has one connection)';
  const commands = workloadTask(workload).commands.map(({ command }) => parseCommand(command));
  if (commands.some(({ requests }) => requests.length > 1))
    return 'the workload has a transaction (remove it to read from replicas)';
  if (commands.some(({ requests }) => requests.some(({ blocksMs }) => blocksMs !== undefined)))
    return 'the workload has a blocking command (remove it to read from replicas)';
  return commands.some(({ name }) => replicaCanAnswer(name))
    ? undefined
    : 'no command of the workload only reads (add one, such as "GET {key}")';
}

function checkKeysOfPools({ workload: { keys }, scenarios }: Parts, refuse: Refuse): void {
  const maxPools = Math.max(...scenarios.flatMap(({ pools }) => pools));
  if (keys >= maxPools) return;
  const expected = `at least as many keys as pools, ${maxPools} here (each pool has its own keys)`;
  refuse(['workload', 'keys'], expected, keys);
}

function checkKeysOfWorkers({ workload, scenarios }: Parts, refuse: Refuse): void {
  const { keys } = workload;
  if (workloadTask(workload).keyChoice.kind !== 'partitioned') return;
  const maxOwners = Math.max(...scenarios.map(maxOwnersOf));
  if (keys >= maxOwners) return;
  const expected = `at least ${maxOwners} keys (partitioned: each worker has its own keys)`;
  refuse(['workload', 'keys'], expected, keys);
}

function checkKeyNumbers({ workload }: Parts, refuse: Refuse): void {
  const { keys } = workload;
  const task = workloadTask(workload);
  const all = Math.max(keyRanges(task).all, maxRecords(task));
  if (all <= maxKeyNumbers) return;
  const max = Math.floor((maxKeyNumbers * keys) / all);
  const expected = `at most ${max} keys, as ${Number((all / keys).toFixed(1))} times as many are needed (one for each type of value, for reads that find nothing, and for records that are inserted)`;
  refuse(['workload', 'keys'], expected, keys);
}

/** A blocking command holds its connection, and all commands behind it. */
function checkBlocking({ workload, scenarios, timeoutMs }: Parts, refuse: Refuse): void {
  const maxPipeline = Math.max(
    ...scenarios.flatMap(({ pipeline, batch }) => [
      ...pipeline,
      ...batch.map(beside => (beside.pool === 'none' ? 0 : beside.pipeline)),
    ]),
  );
  const shared = scenarios.findIndex(({ pool }) => pool.includes('shared'));
  judgeEach(workload.commands, ({ command }, index) => {
    const blocksMs = parseCommand(command).requests.reduce(
      (sum, request) => sum + (request.blocksMs ?? 0),
      0,
    );
    if (blocksMs === 0) return;
    const refuseCommand = (expected: string) =>
      refuse(['workload', 'commands', index, 'command'], expected, command);
    if (blocksMs * maxPipeline >= timeoutMs)
      refuseCommand(
        `a command that waits for less than ${formatMs(timeoutMs / maxPipeline)} ms (${maxPipeline === 1 ? 'timeoutMs' : `timeoutMs, divided by the ${maxPipeline} commands of a batch`})`,
      );
    if (shared >= 0)
      refuseCommand(
        `no command that blocks, as scenarios[${shared}].pool is "shared" (others wait on the same connection)`,
      );
  });
}

/** Only a PUBLISH outside transactions is timed: inside one, its send has no separate time. */
function checkPublished({ workload }: Parts, refuse: Refuse): void {
  const { subscribers, commands } = workload;
  if (subscribers === 0) return;
  const refuseKey = (expected: string) => refuse(['workload', 'subscribers'], expected, subscribers);
  const published = commands.flatMap(({ command }) => {
    const { name, requests } = parseCommand(command);
    return isPublish(name) ? (requests[0]?.args[1] ?? []) : [];
  });
  if (published.length === 0) refuseKey('0, because no command of workload.commands is PUBLISH or SPUBLISH');
  if (published.some(({ kind }) => kind === 'bytes'))
    refuseKey(
      '0, because a message is not UTF-8 (poolbench writes the time of the send at its beginning, as text)',
    );
}

function checkSubscribers({ workload: { subscribers }, scenarios, target }: Parts, refuse: Refuse): void {
  if (subscribers === 0) return;
  const refuseKey = (expected: string) => refuse(['workload', 'subscribers'], expected, subscribers);
  if (target.cluster) refuseKey('0, because target.cluster is true (subscribers need a single server)');
  const maxPools = Math.max(...scenarios.flatMap(({ pools }) => pools));
  if (subscribers < maxPools)
    refuseKey(`at least as many subscribers as pools, ${maxPools} here (each pool has its own channels)`);
}

/** Types that the commands use, and choices in which all pools can have all keys. */
function checkTypes({ workload }: Parts, refuse: Refuse): void {
  const { types, subscribers, replay } = workload;
  const task = workloadTask(workload);
  const { families, prefilled } = keyRanges(task);
  const written = families.filter(({ firstKey }) => firstKey < prefilled);
  const used = task.growth === null ? written.map(({ family }) => typeName(family)) : [];
  judgeEach(Object.keys(types), name => {
    const path = ['workload', 'types', name];
    const type = types[name] ?? {};
    if (!used.includes(name))
      refuse(path, `only types of keys that the load uses (${formatList(used) || 'none here'})`, type);
    if (name === 'strings' && subscribers > 0)
      refuse(path, 'nothing, as workload.subscribers is set (each pool has its own channels)', type);
    const { keyChoice } = type;
    if (keyChoice === undefined) return;
    if (replay !== null)
      refuse([...path, 'keyChoice'], 'no keyChoice, because replay has the keys', keyChoice);
    if (keyChoice.kind === 'sequential' || keyChoice.kind === 'partitioned')
      refuse(
        [...path, 'keyChoice', 'kind'],
        '"uniform", "zipfian", "gaussian" or "hotSet" (every pool draws from all keys of this type)',
        keyChoice.kind,
      );
  });
}

/** Every pool draws from all keys, so the spread must fit their number, however they are split. */
function checkSpread({ workload: { keys, keyChoice, types } }: Parts, refuse: Refuse): void {
  const check = (choice: KeyChoice | undefined, keys: number, path: readonly string[]) => {
    if (choice?.kind !== 'gaussian' || choice.spread >= minSpread(keys)) return;
    const enough = Math.ceil(minSpread(keys) * 10_000) / 10_000;
    const expected = `a spread of at least ${enough} for ${keys} keys (a smaller one, of less than half a key, puts nearly all operations on the key in the middle)`;
    refuse([...path, 'keyChoice', 'spread'], expected, choice.spread);
  };
  check(keyChoice, keys, ['workload']);
  judgeEach(Object.keys(types), name => {
    const { keyChoice: own, keys: ofType = keys } = types[name] ?? {};
    if (own === undefined) check(keyChoice, ofType, ['workload']);
    else check(own, ofType, ['workload', 'types', name]);
  });
}

/** A session has its own connection of such a client, and is one operation. */
function checkScript({ workload, scenarios }: Parts, refuse: Refuse): void {
  if (workload.script === null) return;
  judgeEach(scenarios, ({ client, pool, pipeline, batch }, index) => {
    const refuseKey = (key: string, expected: string, found: unknown) =>
      refuse(['scenarios', index, key], `${expected}, because workload.script is set`, found, found);
    const other = client.find(one => !hasAbility(one, 'scripts'));
    if (other !== undefined)
      refuseKey(
        'client',
        `${clientsWith('scripts')
          .map(name => JSON.stringify(name))
          .join(' or ')} (poolbench cannot check the commands of other clients)`,
        other,
      );
    if (pool.includes('shared'))
      refuseKey('pool', 'a pool other than "shared" (each session needs a connection to itself)', 'shared');
    if (pipeline.some(size => size > 1)) refuseKey('pipeline', '1 (a session is one operation)', pipeline);
    if (batch.some(beside => beside.pool !== 'none')) refuseKey('batch', 'no batch workers', batch);
  });
}

/** Workers that keys are divided among, and as many more as remainders of the division by pools can take. */
function maxOwnersOf({ workers, batch, pools }: ScenarioGroup): number {
  const beside = Math.max(...batch.map(group => (group.pool === 'none' ? 0 : group.workers)));
  return Math.max(...workers) + beside + Math.max(...pools);
}

function checkClusterScript({ target, workload: { script } }: ForTarget, refuse: Refuse): void {
  if (!target.cluster || script === null) return;
  const expected = 'null, because target.cluster is true (a session has one connection)';
  refuse(['workload', 'script'], expected, script);
}

function checkClusterRecords({ target, workload }: ForTarget, refuse: Refuse): void {
  if (!target.cluster || workloadTask(workload).growth !== 'index') return;
  const expected = 'another one, as target.cluster is true (its records are one sorted set, so on one node)';
  refuse(['workload', 'ycsb'], expected, workload.ycsb);
}

function checkClusterCommands({ target, workload: { commands } }: ForTarget, refuse: Refuse): void {
  if (!target.cluster) return;
  judgeEach(commands, ({ command }, index) => {
    if (keysOf(parseCommand(command)) <= 1) return;
    const expected =
      'a command of one key at most, as target.cluster is true (the keys of one command would be on several nodes)';
    refuse(['workload', 'commands', index, 'command'], expected, command);
  });
}
