import { describe, expect, test } from 'vitest';
import { mergeLatencies } from '../../../src/aggregate/stats/histogram.ts';
import { PoolbenchError } from '../../../src/main/errors.ts';
import type { Control } from '../../../src/main/server/control.ts';
import { DataSet } from '../../../src/main/server/data-set.ts';
import type { KeySpace } from '../../../src/main/server/key-space.ts';
import { requireCommands } from '../../../src/main/server/required-commands.ts';
import type { WorkloadTask } from '../../../src/workers/contract.ts';
import { type Running, startBothServers } from '../../support/both-servers.ts';
import { type AnyClient, answeringClients, loadedNames, loopback } from '../../support/connections.ts';
import { plainWorkload } from '../../support/plain-workload.ts';
import { accounted, runOne, stopAfter } from '../../support/threads.ts';

const keys = 60;

function workloadOf(commands: readonly string[], changes: Partial<WorkloadTask> = {}): WorkloadTask {
  return {
    ...plainWorkload({ keys, valueBytes: 16, readShare: 0.5 }),
    commands: commands.map(command => ({ command, weight: 1 })),
    apart: true,
    ...changes,
  };
}

const library = `#!lua name=poolbench_test
redis.register_function('poolbench_get', function(keys) return redis.call('GET', keys[1]) end)`;

const running = startBothServers();

interface Arm {
  readonly name: string;
  readonly client: AnyClient;
  readonly pipeline: number;
}

/** Covers every pair of server and client, server and batch size, and client and batch size. */
const arms: readonly Arm[] = [
  { name: 'redis', client: 'wire', pipeline: 1 },
  { name: 'redis', client: 'ioredis', pipeline: 10 },
  { name: 'valkey', client: 'wire', pipeline: 10 },
  { name: 'valkey', client: 'ioredis', pipeline: 1 },
];

/** So many that each of ten commands is among them. */
const usualOperations = 250;

/** Runs commands on data that was written before. */
async function load(
  { name, client, pipeline }: Arm,
  workload: WorkloadTask,
  {
    functions = [],
    operations = usualOperations,
  }: { functions?: readonly string[]; operations?: number } = {},
) {
  const { server, control } = running.get(name) as Running;
  const prefix = `${client}-${pipeline}:`;
  const space: KeySpace = { prefix, keys: 0, token: 'a token', claimed: true, warnings: [] };
  const warnings: string[] = [];
  const data = new DataSet(control, space, {
    seed: 1,
    workload,
    functions,
    warn: line => warnings.push(line),
  });
  await control.call('FLUSHALL');
  await data.write();
  expect(warnings).toEqual([]);
  await control.call('CONFIG', 'RESETSTAT');
  const pools = [{ workers: 4, keys }];
  const task = { client, pipeline, pools, keyPrefix: prefix, workload, seconds: 10 };
  const sample = await runOne(server.port, task, stopAfter(operations));
  const stats = await control.info('commandstats');
  expect(accounted(sample)).toBe(sample.issued);
  const callsOf = (command: string) =>
    Number(/calls=(\d+)/.exec(stats.get(`cmdstat_${command.toLowerCase()}`) ?? '')?.[1] ?? 0);
  const of = (command: string) => sample.commands.find(one => one.name === command);
  return { sample, of, callsOf, control, prefix, data };
}

describe.each(arms)('$name, $client, batches of $pipeline', arm => {
  test('scripts, functions and commands that count their keys are answered, and counted by the server as here', async () => {
    const workload = workloadOf([
      `EVAL "return redis.call('GET', KEYS[1])" 1 {key}`,
      `EVALSHA "return {{KEYS[1], redis.call('STRLEN', KEYS[2])}}" 2 {key} {key}`,
      'FCALL poolbench_get 1 {key}',
      'LCS {key} {key} LEN',
      'ZUNION 2 {key} {key} WITHSCORES',
      'ZUNIONSTORE {key} 2 {key} {key}',
      'LMPOP 2 {key} {key} LEFT',
      'SORT {key} ALPHA LIMIT 0 2',
      'SORT_RO {key} BY {key:*} GET # GET {key:*} LIMIT 0 2',
      'HINCRBY {key} counter 1',
      'SET {key} "\\xff\\x00{{}}"',
    ]);
    const { sample, of, callsOf, control, data } = await load(arm, workload, { functions: [library] });
    expect(sample.failed).toEqual({});
    for (const command of [
      'EVAL',
      'EVALSHA',
      'FCALL',
      'LCS',
      'ZUNION',
      'ZUNIONSTORE',
      'LMPOP',
      'SORT',
      'SORT_RO',
      'HINCRBY',
      'SET',
    ]) {
      expect(of(command)?.completed, command).toBeGreaterThan(0);
      expect([command, callsOf(command)]).toEqual([command, of(command)?.completed]);
    }
    await data.removeFunctions();
    expect(await control.call('FUNCTION', 'LIST')).toEqual([]);
  });

  test('a transaction is one operation, and one that is aborted counts apart from errors and misses', async () => {
    const done = 'MULTI; SET {key:a} {value}; HGET {key:b} nothing; APPEND {key:a} {counter}; EXEC';
    const { sample, of, callsOf } = await load(arm, workloadOf([done, 'LLEN {key}']));
    expect(sample.failed).toEqual({});
    expect(of('MULTI')?.completed).toBeGreaterThan(0);
    expect(of('MULTI')?.aborted).toBe(0);
    expect(sample.completed).toBe((of('MULTI')?.completed ?? 0) + (of('LLEN')?.completed ?? 0));
    for (const command of ['MULTI', 'EXEC', 'SET', 'HGET', 'APPEND'])
      expect([command, callsOf(command)]).toEqual([command, of('MULTI')?.completed]);

    // Its own write makes the server abort it.
    const aborted = 'WATCH {key:a}; SET {key:a} {value}; MULTI; GET {key:a}; EXEC';
    const second = await load(arm, workloadOf([aborted]));
    const completed = second.of('MULTI')?.completed ?? 0;
    expect(completed).toBeGreaterThan(0);
    expect(second.of('MULTI')).toMatchObject({ aborted: completed, misses: 0, failed: {} });
    expect(second.sample).toMatchObject({ completed, misses: 0, failed: {} });
    expect([second.callsOf('EXEC'), second.callsOf('GET')]).toEqual([completed, 0]);
  });

  test('a transaction fails once, by its first error, whether in the queue or inside the reply of EXEC', async () => {
    for (const [inside, calls] of [
      ['SET {key:a} text; INCR {key:a}; LPUSH {key:a} 1', 1],
      ['SET {key:a} {value}; GET {key:a} too many', 0],
      ['SET {key:a} {value}; EVAL "return {{{{redis.error_reply(\'ERR nested\')}}}}" 0', 1],
    ] as const) {
      const { sample, callsOf } = await load(arm, workloadOf([`MULTI; ${inside}; EXEC`, 'PING']));
      const { PING, MULTI } = Object.fromEntries(sample.commands.map(command => [command.name, command]));
      expect(PING).toMatchObject({ failed: {} });
      expect(MULTI?.completed).toBe(0);
      expect(MULTI?.failed).toEqual({ ERR: sample.failed.ERR });
      expect(callsOf('SET')).toBe(calls * (sample.failed.ERR ?? 0));
      expect(sample.completed).toBe(PING?.completed);
    }
  });

  test('streams are read, and a group that was made before acknowledges what it has read', async () => {
    const workload = workloadOf(
      [
        'XADD {key} MAXLEN 1000 * field {value}',
        'XREAD COUNT 2 STREAMS {key} {key} 0 0-1',
        'XREADGROUP GROUP readers one COUNT 5 STREAMS {key} >; XACK',
        'XLEN {key}',
      ],
      { members: 3 },
    );
    const { sample, of, callsOf, control, prefix } = await load(arm, workload);
    expect(sample.failed).toEqual({});
    for (const command of ['XADD', 'XREAD', 'XREADGROUP', 'XLEN']) {
      expect(of(command)?.completed, command).toBeGreaterThan(0);
      expect([command, callsOf(command)]).toEqual([command, of(command)?.completed]);
    }
    expect(callsOf('XACK')).toBeGreaterThan(0);
    expect((await pendingOf(control, prefix)).filter(pending => pending > 0)).toEqual([]);
  });
});

describe.each(loadedNames)('%s', client => {
  test('scripts, functions, transactions, streams and bytes in one mix are counted by the server as here', async () => {
    const { sample, of, callsOf, control, prefix } = await load(
      { name: 'redis', client, pipeline: 10 },
      workloadOf(
        [
          `EVALSHA "return {{KEYS[1], redis.call('STRLEN', KEYS[2])}}" 2 {key} {key}`,
          'FCALL poolbench_get 1 {key}',
          'WATCH {key:a}; INCR {key:a}; MULTI; INCR {key:a}; EXEC',
          'SET {key} "\\xff\\x00{{}}"',
          'XADD {key} MAXLEN 1000 * field {value}',
          'XREADGROUP GROUP readers one COUNT 5 STREAMS {key} >; XACK',
        ],
        { members: 3 },
      ),
      { functions: [library] },
    );
    expect(sample.failed).toEqual({});
    for (const command of ['EVALSHA', 'FCALL', 'SET', 'XADD', 'XREADGROUP']) {
      expect(of(command)?.completed, command).toBeGreaterThan(0);
      expect([command, callsOf(command)]).toEqual([command, of(command)?.completed]);
    }
    expect(of('MULTI')?.completed).toBeGreaterThan(0);
    // Its own INCR makes the server abort it.
    expect(of('MULTI')?.aborted).toBe(of('MULTI')?.completed);
    expect(callsOf('INCR')).toBe(of('MULTI')?.completed);
    expect(callsOf('XACK')).toBeGreaterThan(0);
    expect((await pendingOf(control, prefix)).filter(pending => pending > 0)).toEqual([]);
  });

  test('a transaction fails by an error inside the reply of EXEC, and a command that blocks holds its connection', async () => {
    const { sample, of, callsOf } = await load(
      { name: 'redis', client, pipeline: 1 },
      workloadOf(['MULTI; SET {key:a} text; INCR {key:a}; EXEC', 'XREAD BLOCK 20 STREAMS {key} $']),
      { operations: 40 },
    );
    expect(of('MULTI')).toMatchObject({ completed: 0, failed: { ERR: callsOf('SET') } });
    expect(sample.failed).toEqual({ ERR: callsOf('SET') });
    expect(of('XREAD')?.completed).toBeGreaterThan(0);
    expect(of('XREAD')).toMatchObject({ completed: callsOf('XREAD'), misses: callsOf('XREAD') });
    expect(mergeLatencies([of('XREAD')?.service ?? '']).summary.p50).toBeGreaterThanOrEqual(19);
  });
});

/** Entries of each stream that its group has delivered and nobody has acknowledged. */
async function pendingOf(control: Control, prefix: string): Promise<number[]> {
  const found = await control.call('SCAN', '0', 'MATCH', `${prefix}*`, 'TYPE', 'stream', 'COUNT', '10000');
  const [, streams] = found as [string, string[]];
  const answers = await control.pipeline(streams.map(key => ['XPENDING', key, 'readers'] as const));
  expect(answers).toHaveLength(keys);
  return answers.map(answer => Number('value' in answer ? (answer.value as unknown[])[0] : Number.NaN));
}

test.each(arms.filter(({ pipeline }) => pipeline === 1))(
  '$name, $client: a command that blocks holds its connection as long as its time, and nothing in that time is a miss',
  async arm => {
    const workload = workloadOf(['BLPOP {key} {key} 0.02', 'XREAD BLOCK 20 STREAMS {key} $'], { members: 1 });
    const { sample, of, callsOf } = await load(arm, workload, { operations: 30 });
    expect(sample.failed).toEqual({});
    for (const command of ['BLPOP', 'XREAD']) {
      expect(of(command)?.completed, command).toBeGreaterThan(0);
      expect([command, callsOf(command)]).toEqual([command, of(command)?.completed]);
    }
    expect(of('XREAD')?.misses).toBe(of('XREAD')?.completed);
    expect(mergeLatencies([of('XREAD')?.service ?? '']).summary.p50).toBeGreaterThanOrEqual(19);
  },
);

test('an acknowledgement that is refused fails its operation', async () => {
  for (const client of answeringClients) {
    const workload = workloadOf(['XREADGROUP GROUP readers one STREAMS {key} >; XACK', 'PING']);
    const { server, control } = running.get('redis') as Running;
    const prefix = `refused-${client}:`;
    const space: KeySpace = { prefix, keys: 0, token: 'a token', claimed: true, warnings: [] };
    await new DataSet(control, space, { seed: 1, workload, warn: () => {} }).write();
    await control.call('ACL', 'SETUSER', 'reader', 'on', '>s3cret', '~*', '+@all', '-xack');
    const address = loopback(server.port, { username: 'reader', password: 's3cret' });
    const pools = [{ workers: 2, keys }];
    const task = { client, address, pools, keyPrefix: prefix, workload, seconds: 10, pipeline: 3 };
    const sample = await runOne(server.port, task, stopAfter(usualOperations));
    expect(accounted(sample)).toBe(sample.issued);
    // All entries of a stream are delivered at once, so each stream is refused once.
    const streams = (await pendingOf(control, prefix)).filter(pending => pending > 0).length;
    expect(streams).toBeGreaterThan(0);
    expect(sample.failed).toEqual({ NOPERM: streams });
    await control.call('ACL', 'DELUSER', 'reader');
  }
});

test.each(['redis', 'valkey'])('commands that %s lacks are named before the load', async name => {
  const { control } = running.get(name) as Running;
  const commands = (...all: string[]) => all.map(command => ({ command, weight: 1 }));
  await requireCommands(control, commands('GET {key}', 'MULTI; SET {key} {value}; EXEC', 'PING'));
  const error: unknown = await requireCommands(
    control,
    commands('GET {key}', 'NO.SUCH {key}', 'MULTI; FOO.BAR {key}; EXEC'),
  ).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(PoolbenchError);
  expect(error).toMatchObject({
    code: 'TARGET_NOT_AVAILABLE',
    message: expect.stringMatching(/NO\.SUCH and FOO\.BAR;/),
  });
});
