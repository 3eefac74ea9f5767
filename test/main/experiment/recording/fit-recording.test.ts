import { expect, test } from 'vitest';
import { limits } from '../../../../src/aggregate/scenario/limits.ts';
import { experimentSchema } from '../../../../src/main/experiment/experiment.ts';
import { replayable } from '../../../../src/main/experiment/recording/command-forms.ts';
import { fitRecording } from '../../../../src/main/experiment/recording/fit-recording.ts';
import {
  curveDistance,
  fitPopularity,
  rankCurve,
} from '../../../../src/main/experiment/recording/key-popularity.ts';
import { literalReplay } from '../../../../src/main/experiment/recording/literal-replay.ts';
import { parseMonitorLine } from '../../../../src/main/experiment/recording/monitor-text.ts';
import { workloadTask } from '../../../../src/main/experiment/workload.ts';
import { recordMonitor } from '../../../../src/main/server/monitor.ts';
import { parseAddress } from '../../../../src/main/server/url.ts';
import { keyName } from '../../../../src/pool/client/batch.ts';
import type { KeyChoice, WorkloadTask } from '../../../../src/workers/contract.ts';
import { keyRanges, openKeyChooser } from '../../../../src/workers/workload/keys.ts';
import { parseReplay } from '../../../../src/workers/workload/replay-file.ts';
import { type Running, startBothServers } from '../../../support/both-servers.ts';
import { monitorLine } from '../../../support/monitor-lines.ts';
import { plainWorkload } from '../../../support/plain-workload.ts';
import { prefill } from '../../../support/prefill.ts';
import { notReplayed, recordedCommands } from '../../../support/recorded-commands.ts';
import { runOne, stopAfter } from '../../../support/threads.ts';

const textOf = (commands: readonly string[]) =>
  commands
    .map((command, index) => monitorLine(command.split(' '), { at: 1_700_000_000 + index / 100 }))
    .join('\n');

function fitted(text: string) {
  const found = fitRecording(text);
  if (found === undefined) throw new Error('nothing to replay');
  const experiment = experimentSchema.parse(found.config);
  return { ...found, task: workloadTask(experiment.workload), experiment };
}

const commandsOf = (text: string) => fitted(text).experiment.workload.commands;

test('every command that can be replayed has an example here, and of none of them a key or a value is kept', () => {
  const names = new Set(recordedCommands.map(command => command.split(' ')[0]?.toUpperCase()));
  const inTransactions = ['WATCH', 'MULTI', 'EXEC'];
  expect(replayable.filter(name => !names.has(name) && !inTransactions.includes(name))).toEqual([]);
  for (const command of recordedCommands) {
    const { config, recording } = fitted(textOf([command]));
    expect(recording.operations, command).toHaveLength(1);
    expect(recording.leftOut.size, command).toBe(0);
    expect(JSON.stringify(config), command).not.toMatch(/secret|471|170000/i);
  }
});

test('what could reach keys of others, or has arguments that cannot be made up, is left out', () => {
  for (const command of notReplayed) expect(fitRecording(textOf([command])), command).toBeUndefined();
  const { recording, config } = fitted(textOf(['PING', ...notReplayed]));
  expect([...recording.leftOut.values()].reduce((sum, { count }) => sum + count, 0)).toBe(notReplayed.length);
  expect(JSON.stringify(config)).not.toMatch(/secret/i);
});

test('forms have the proportions of the recording; numbers have their range, and points in time become times to live', () => {
  const lines = ['SET a 12345 EX 60', 'SET b 123 EX 90', 'GET a', 'SET c 1 EXAT 1700000100'];
  expect(commandsOf(textOf(lines))).toEqual([
    { command: 'SET {key} {value} EX {number:60-100}', weight: 75 },
    { command: 'GET {key}', weight: 25 },
  ]);
  const { workload, scenarios } = fitted(textOf(lines)).experiment;
  expect(workload.valueBytes).toEqual({
    kind: 'weighted',
    sizes: [1, 3, 5].map(bytes => ({ bytes, weight: 33.333 })),
  });
  // Four in three hundredths of a second.
  expect(scenarios[0]?.arrival).toMatchObject([{ kind: 'poisson', rate: [133.3] }]);
  const twice = fitRecording(textOf(lines), 2)?.config.scenarios[0]?.arrival;
  expect(twice).toEqual({ kind: 'poisson', rate: 266.7 });
});

test('a replay in order ends with the longest measured time that a config can have', () => {
  const gets = [0, 1, 5, 3000, 3600, 3601, 7200].map(at =>
    monitorLine(['GET', 'a'], { at: 1_700_000_000 + at }),
  );
  const found = fitRecording(gets.join('\n'));
  if (found === undefined) throw new Error('nothing to replay');
  for (const [speed, operations] of [
    [0.5, 3],
    [1, 5],
    [2, 7],
  ] as const) {
    const { text, ...replay } = literalReplay(found, 'a.replay', speed);
    expect(replay).toMatchObject({ operations, tooLate: gets.length - operations });
    const { instants } = parseReplay(Buffer.from(text));
    expect(instants?.at(-1)).toBeLessThanOrEqual(limits.seconds * speed * 1e6);
  }
});

test('commands on keys of any type follow those that show the type', () => {
  const lines = ['DEL h', 'HSET h f v', 'HSET h f v', 'GET s', 'DEL s', 'GET s', 'GET s', 'TTL unknown'];
  expect(commandsOf(textOf(lines)).map(({ command }) => command)).toEqual([
    'GET {key}',
    'DEL {key}',
    'TTL {key}',
    'HSET {key} f{number:0-0} {value}',
    'DEL {key}',
  ]);
});

test('a transaction is one operation; others are put together by address, and one without its end is left out', () => {
  const line = (source: string, ...words: string[]) => monitorLine(words, { source });
  const [a, b] = ['127.0.0.1:1', '[::1]:2'];
  const text = [
    line(a, 'WATCH', 'k'),
    line(b, 'MULTI'),
    line(a, 'GET', 'k'),
    line(a, 'MULTI'),
    line(b, 'INCR', 'n'),
    line('lua', 'GET', 'other'),
    line(a, 'SET', 'k', 'v'),
    line(b, 'EXEC'),
    line(a, 'EXEC'),
    // Not executed, as what it watched had changed.
    line(a, 'WATCH', 'k'),
    line(a, 'MULTI'),
    line(a, 'EXEC'),
    line(b, 'MULTI'),
    line(b, 'GET', 'alone'),
  ].join('\n');
  const { experiment, recording } = fitted(text);
  expect(experiment.workload.commands.map(({ command }) => command).sort()).toEqual([
    'GET {key}',
    'MULTI; INCR {key}; EXEC',
    'WATCH {key:1}; GET {key:1}; MULTI; SET {key:1} {value}; EXEC',
  ]);
  expect(recording.insideScripts).toBe(1);
  expect([...recording.leftOut].map(([name, { count }]) => [name, count])).toEqual([['MULTI', 2]]);
});

test('a mix has the most frequent forms, and rarer ones count as the nearest of their name', () => {
  const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`).join(' ');
  const lines = [
    ...Array.from({ length: 80 }, (_, index) =>
      Array.from({ length: 3 }, () => `MGET ${keys(index + 1)}`),
    ).flat(),
    'ZCARD z',
  ];
  const { experiment, tooRare } = fitted(textOf(lines));
  const { commands } = experiment.workload;
  expect(commands).toHaveLength(64);
  expect(tooRare).toBe(0);
  expect(commands.find(({ command }) => command === 'ZCARD {key}')?.weight).toBeCloseTo(100 / 241, 3);
  expect(commands.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(100, 1);
});

test('many sizes are put together, with their mean kept', () => {
  const lines = Array.from({ length: 400 }, (_, index) => `SET k ${'x'.repeat(index + 1)}`);
  const { values } = fitted(textOf(lines)).task;
  expect(values).toHaveLength(32);
  const weights = values.reduce((sum, { weight }) => sum + weight, 0);
  const mean = values.reduce(
    (sum, { weight, value }) => sum + (weight / weights) * ('bytes' in value ? value.bytes : 0),
    0,
  );
  expect(mean).toBeCloseTo(200.5, 0);
});

function draw(choice: KeyChoice, keys: number, draws: number): Uint32Array {
  const drawn = new Uint32Array(draws);
  openKeyChooser(choice, { firstKey: 0, keys }, keys, 77).drawInto(drawn, draws);
  return drawn;
}

const zipfian = (exponent: number) => ({ kind: 'zipfian', exponent }) as const;
const hotSet = { kind: 'hotSet', operationShare: 0.8, keyShare: 0.2 } as const;

test.each<[KeyChoice, number, number]>([
  [{ kind: 'uniform' }, 500, 20_000],
  // Not half of the keys are seen.
  [{ kind: 'uniform' }, 10_000, 5000],
  [zipfian(0.99), 1000, 20_000],
  [zipfian(0.6), 10_000, 20_000],
  [zipfian(1.3), 2000, 20_000],
  [hotSet, 1000, 20_000],
])('the popularity of keys is found again: %o over %i keys in %i accesses', (choice, keys, draws) => {
  const found = fitPopularity(draw(choice, keys, draws));
  expect(found.choice.kind).toBe(choice.kind);
  expect(found.distance).toBeLessThan(0.012);
  expect(Math.abs(found.keys / keys - 1)).toBeLessThan(0.12);
  const parameters = new Map(Object.entries(found.choice));
  for (const [name, value] of Object.entries(choice))
    if (typeof value === 'number') expect(Math.abs(Number(parameters.get(name)) - value)).toBeLessThan(0.05);
});

test('each type of keys has the number, the popularity and the elements of its own keys', () => {
  const users = draw(zipfian(0.9), 400, 3000);
  const sessions = draw({ kind: 'uniform' }, 60, 600);
  const lines = [
    ...Array.from(users, key => `GET user:${key}`),
    ...Array.from(sessions, (key, index) => `HGET session:${key} field-${index % 2}`),
    ...Array.from({ length: 90 }, (_, index) => `ZADD board:${index % 3} 1 player-${index}`),
    'LLEN queue',
  ];
  const { experiment, task, families } = fitted(textOf(lines));
  expect(families.map(({ family, seen }) => [family, seen])).toEqual([
    ['strings', new Set(users).size],
    ['hashes', 60],
    ['sorted sets', 3],
    ['lists', 1],
  ]);
  expect(task.keyChoice.kind).toBe('zipfian');
  expect(Math.abs(task.keys / 400 - 1)).toBeLessThan(0.15);
  const uniform = { kind: 'uniform' };
  expect(task.types).toEqual({
    hashes: { keys: expect.any(Number), members: 2, keyChoice: uniform },
    sortedSets: { keys: 3, members: 30, keyChoice: uniform },
    lists: { keys: 1, keyChoice: uniform },
  });
  expect(Math.abs((task.types?.hashes?.keys ?? 0) - 60)).toBeLessThan(5);
  expect(experiment.workload.commands.map(({ command }) => command)).toContain(
    'ZADD {key} {number:0-29} m{number:0-29}',
  );
});

test('the rank-frequency distance does not depend on which key is the hottest, and detects another exponent', () => {
  const curve = rankCurve(Uint32Array.of(7, 7, 7, 1, 1, 9));
  expect([...curve]).toEqual([1 / 2, 5 / 6, 1]);
  expect(curveDistance(curve, rankCurve(Uint32Array.of(2, 3, 3, 4, 4, 4)))).toBe(0);
  expect(curveDistance(curve, rankCurve(Uint32Array.of(1)))).toBe(1 / 2);
  const [a, b] = [0.99, 0.8].map(exponent => rankCurve(draw(zipfian(exponent), 1000, 10_000)));
  expect(curveDistance(a as Float64Array, b as Float64Array)).toBeGreaterThan(0.05);
});

const running = startBothServers();

/** Writes the keys of a workload that a load is to find. */
async function writeKeys({ control }: Running, workload: WorkloadTask, prefix: string): Promise<void> {
  const { all } = keyRanges(workload);
  const space = { prefix, keys: all, token: 't', claimed: false, warnings: [] };
  await prefill(control, space, { seed: 1, workload });
}

/** What a server runs while a load lasts that was recorded for so many commands. */
async function recordLoad(on: Running, workload: WorkloadTask, keyPrefix: string, commands: number) {
  const { server, control } = on;
  await writeKeys(on, workload, keyPrefix);
  const { signal } = new AbortController();
  const recording = recordMonitor(
    parseAddress(server.url),
    { seconds: 80, commands, bytes: 2 ** 28 },
    signal,
  );
  while (!String(await control.call('CLIENT', 'LIST')).includes('cmd=monitor'));
  const pools = [{ workers: 8, keys: workload.keys }];
  const sample = await runOne(
    server.port,
    { pools, keyPrefix, workload, seconds: 80 },
    stopAfter(commands * 1.2),
  );
  const { text, endedBy } = await recording;
  expect(endedBy).toBe('commands');
  const lines = text.split('\n').slice(0, commands);
  return { text: lines.join('\n'), sample };
}

/** Fraction of each command, and the rank-frequency curve of its first keys. */
function figuresOf(text: string) {
  const counts: Record<string, number> = {};
  const keysOf = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [name = '', key] = parseMonitorLine(line)?.words ?? [];
    if (/^(client|hello|info|ping)$/i.test(name)) continue;
    counts[name.toUpperCase()] = (counts[name.toUpperCase()] ?? 0) + 1;
    if (key === undefined) continue;
    const ofName = keysOf.get(name);
    if (ofName === undefined) keysOf.set(name, [key]);
    else ofName.push(key);
  }
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return {
    shares: Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / all])),
    curveOf: (name: string) => {
      const keys = keysOf.get(name) ?? [];
      const numbers = new Map([...new Set(keys)].map((key, index) => [key, index]));
      return rankCurve(Uint32Array.from(keys, key => numbers.get(key) ?? 0));
    },
    keys: [...keysOf.values()].flat(),
  };
}

test('a recording ends at its limits, when it is interrupted, and when the server closes the connection', async () => {
  const { server, control } = running.get('redis') as Running;
  const record = async (
    limits: object,
    meanwhile: () => Promise<unknown>,
    signal = new AbortController().signal,
  ) => {
    const all = { seconds: 60, commands: 1e6, bytes: 1e6, ...limits };
    const recording = recordMonitor(parseAddress(server.url), all, signal);
    while (!String(await control.call('CLIENT', 'LIST')).includes('cmd=monitor'));
    await meanwhile();
    return await recording;
  };
  const echo = () => control.pipeline(Array.from({ length: 100 }, () => ['ECHO', 'x'.repeat(100)] as const));
  expect((await record({ seconds: 0.1 }, async () => {})).endedBy).toBe('seconds');
  const { text, endedBy } = await record({ bytes: 2000 }, echo);
  expect(endedBy).toBe('bytes');
  expect(text).toMatch(/^(\+[^\n]*"\r\n)+$/);
  const interrupt = new AbortController();
  expect((await record({}, async () => interrupt.abort(), interrupt.signal)).endedBy).toBe('interrupt');
  const kill = () => control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  expect((await record({}, kill)).endedBy).toBe('closed');
});

test('a recording of a load on redis, replayed on valkey, is like it, and touches none of the recorded keys', async () => {
  const [redis, valkey] = ['redis', 'valkey'].map(name => running.get(name) as Running) as [Running, Running];
  const recorded: WorkloadTask = {
    ...plainWorkload({ keys: 400, valueBytes: 16, readShare: 0.5 }),
    keyChoice: zipfian(0.9),
    types: { hashes: { keys: 50, keyChoice: hotSet } },
    values: [20, 300].map(bytes => ({ weight: 1, value: { bytes } })),
    commands: [
      { command: 'GET {key}', weight: 60 },
      { command: 'SET {key} {value} EX {number:1000-2000}', weight: 25 },
      { command: 'HGET {key} f{number:0-9}', weight: 10 },
      { command: 'MULTI; INCR {key:a}; EXPIRE {key:a} 1000; EXEC', weight: 5 },
    ],
  };
  const commands = 20_000;
  const first = await recordLoad(redis, recorded, 'theirs:', commands);
  await writeKeys(valkey, recorded, 'theirs:');
  const theirs = Array.from({ length: 400 }, (_, number) => keyName('theirs:', number));
  const contents = async () =>
    await valkey.control.pipeline(
      theirs.flatMap(key => [['DUMP', key] as const, ['EXPIRETIME', key] as const]),
    );
  const before = await contents();

  const { task, families } = fitted(first.text);
  expect(families[0]?.distance).toBeLessThan(0.02);
  const second = await recordLoad(valkey, task, 'own:', commands);
  expect(second.sample.failed).toEqual({});
  expect(fitted(second.text).families[0]?.distance).toBeLessThan(0.02);
  const [a, b] = [figuresOf(first.text), figuresOf(second.text)];
  expect(Object.keys(b.shares).sort()).toEqual(Object.keys(a.shares).sort());
  for (const [name, share] of Object.entries(a.shares))
    expect(Math.abs((b.shares[name] ?? 0) - share), name).toBeLessThan(0.01);
  expect(curveDistance(a.curveOf('GET'), b.curveOf('GET'))).toBeLessThan(0.02);
  // A tenth of the accesses, so chance has more effect.
  expect(curveDistance(a.curveOf('HGET'), b.curveOf('HGET'))).toBeLessThan(0.06);
  expect(b.keys.filter(key => !/^own:\d{8}$/.test(key))).toEqual([]);
  expect(await contents()).toEqual(before);
});

test.each(['redis', 'valkey'])('%s refuses no command of a replay', async name => {
  const on = running.get(name) as Running;
  for (let from = 0; from < recordedCommands.length; from += 60) {
    const { task } = fitted(textOf(recordedCommands.slice(from, from + 60)));
    const workload = { ...task, keys: 50 };
    const keyPrefix = `replay-${from}:`;
    await writeKeys(on, workload, keyPrefix);
    const pools = [{ keys: workload.keys }];
    const sample = await runOne(on.server.port, { pools, keyPrefix, workload, seconds: 10 }, stopAfter(600));
    expect(sample.failed).toEqual({});
  }
});
