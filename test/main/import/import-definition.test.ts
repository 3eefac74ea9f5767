import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { importSpec } from '../../../src/main/cli/import.ts';
import { checkConfig, parseConfig } from '../../../src/main/experiment/read-config.ts';
import { importDefinition } from '../../../src/main/import/import-definition.ts';
import { readMemtierArguments } from '../../../src/main/import/memtier-arguments.ts';
import { parseCommand } from '../../../src/workers/workload/command-templates.ts';

/** A definition with one client, and the config that it becomes, which must be valid. */
function imported(args: string, changes: object = {}) {
  const { config, notes } = importDefinition(
    {
      name: 'memtier_benchmark-a test',
      clientconfig: { tool: 'memtier_benchmark', arguments: args },
      ...changes,
    },
    'a.yml',
  );
  const { workload, scenarios } = checkConfig(config, 'a.yml');
  const commands = workload.commands.map(({ command }) => command);
  return { config, notes, workload, scenario: scenarios[0], commands };
}

const commandsOf = (...given: string[]) =>
  imported(given.map(one => `--command '${one}'`).join(' ')).commands;

test('arguments are cut as a shell cuts them, and commands as redis-cli does', () => {
  const { commands, flags } = readMemtierArguments(
    `"--data-size" "10" --key-prefix "" -c 5 -t=2 --command="SET __key__ \\"a b\\"" --command-ratio 3 --command 'ECHO "\\xff"'`,
  );
  expect(commands).toEqual([
    { words: ['SET', '__key__', 'a b'], ratio: 3, keyPattern: 'R' },
    { words: ['ECHO', '\xff'], ratio: 1, keyPattern: 'R' },
  ]);
  expect(Object.fromEntries(flags)).toEqual({
    'data-size': '10',
    'key-prefix': '',
    clients: '5',
    threads: '2',
  });
  expect(() => readMemtierArguments('--command "GET')).toThrow(/a closing quote/);
});

test('GET and SET, clients, threads, sizes and the choice of keys are taken over', () => {
  const { config, workload, scenario, notes } = imported(
    '-c 10 -t 4 --ratio 1:4 --key-pattern P:G --key-minimum 1 --key-maximum 5000 --data-size-range=8-24 --pipeline 7 --rate-limiting 20 --test-time 60',
  );
  expect(config.name).toBe('a-test');
  expect(workload).toMatchObject({
    keys: 5000,
    readShare: 0.8,
    keyChoice: { kind: 'gaussian' },
    valueBytes: { kind: 'range', from: 8, to: 24 },
  });
  expect(scenario).toMatchObject({ pools: [4], workers: [40], pipeline: [7], connectionsPerWorker: [1] });
  expect(scenario?.arrival).toMatchObject([{ kind: 'constant', rate: [800] }]);
  expect(notes).toEqual([expect.stringContaining('has sequential for some')]);
});

test('the choice of keys is that of the commands that draw some, and a note names the others', () => {
  const only = (args: string) => {
    const { workload, notes } = imported(args);
    return { kind: workload.keyChoice?.kind, notes };
  };
  expect(only('--ratio 1:0 --key-pattern S:R')).toEqual({ kind: 'sequential', notes: [] });
  expect(only('--ratio 0:1 --key-pattern S:R')).toEqual({ kind: 'uniform', notes: [] });
  const transaction = '--command MULTI --command "SET __key__ 1" --command-key-pattern P --command EXEC';
  expect(only(transaction)).toEqual({ kind: 'sequential', notes: [] });
  const mix = '--command "GET __key__" --command "INCR __key__" --command-key-pattern G';
  expect(only(mix)).toEqual({
    kind: 'uniform',
    notes: [expect.stringContaining('has gaussian for some')],
  });
});

test('keys become placeholders, whatever their names, and other occurrences of them become numbers', () => {
  const { commands, workload, notes } = imported(
    '--key-prefix "f:" --key-minimum 1 --key-maximum 9 --command "HSET h __key__ __data__" --command-key-pattern=R --command "HDEL h __key__" --command-key-pattern=P --command "HGETALL {h:__key__}" -t 4',
    { name: 'memtier_benchmark-1key-hash-5K-fields' },
  );
  expect(commands).toEqual(['HSET {key} f:{number:1-9} {value}', 'HDEL {key} f:{counter}', 'HGETALL {key}']);
  expect(workload).toMatchObject({ keys: 9, members: 5000 });
  expect(notes.join()).toContain('The keys h are chosen at random like the others');
});

test('commands with keys of their own only have as many keys', () => {
  const { workload, scenario } = imported('--command "SDIFF a b" --command "SMEMBERS b" -c 2 -t 4');
  expect(workload.keys).toBe(2);
  expect(scenario).toMatchObject({ pools: [2], workers: [8] });
});

test('texts and bytes come out as they went in', () => {
  const [json = '', bytes = ''] = commandsOf(
    'SET __key__ "{\\"a\\":\\"b;c\\"}"',
    'RESTORE __key__ 0 "\\x00\\xff{\\n" REPLACE',
  );
  expect(parseCommand(json).requests[0]?.args[1]).toEqual([{ kind: 'text', text: '{"a":"b;c"}' }]);
  expect(parseCommand(bytes).requests[0]?.args[2]).toEqual([
    { kind: 'bytes', bytes: Buffer.from([0, 0xff, 0x7b, 0x0a]) },
  ]);
});

test('MULTI and what follows it is one operation, and a pipeline has as many requests as before', () => {
  const { commands, scenario } = imported(
    '--command "WATCH __key__" --command MULTI --command "SET __key__ 1" --command EXEC --command PING --pipeline 8',
  );
  expect(commands).toEqual(['WATCH {key}; MULTI; SET {key} 1; EXEC', 'PING']);
  expect(scenario).toMatchObject({ pipeline: [2] });
});

test('a script gets its keys in KEYS, and EVALSHA the script that the definition loads', () => {
  const script = "return redis.call('get', 'a')";
  const { commands } = imported(`--command "EVALSHA ${createHash('sha1').update(script).digest('hex')} 0"`, {
    dbconfig: { init_commands: [['SCRIPT', 'LOAD', script]] },
  });
  expect(commands).toEqual([`EVALSHA "return redis.call('get', KEYS[1])" 1 {key}`]);
});

test('SORT with patterns and RESTORE are adapted to keys that are there before the load', () => {
  const { commands, notes } = imported(
    '--command "SORT list BY w_* GET # GET d_*" --command "RESTORE __key__ 0 x"',
  );
  expect(commands).toEqual(['SORT {key} BY {key:*} GET # GET {key:*}', 'RESTORE {key} 0 x REPLACE']);
  expect(notes).toHaveLength(3);
});

test('what cannot be taken over is in the notes, and a definition without any command to send is refused', () => {
  const { commands, notes } = imported(
    '--command "GET __key__" --command "FLUSHALL" --key-maximum 1000 --reconnect-interval 1',
    {
      dbconfig: { check: { keyspacelen: 100 }, 'configuration-parameters': { maxmemory: '1gb' } },
      'redis-topologies': ['oss-cluster-3'],
      clientconfigs: undefined,
    },
  );
  expect(commands).toEqual(['GET {key}']);
  for (const part of ['FLUSHALL', 'only 100 exist', 'maxmemory 1gb', 'oss-cluster-3', '--reconnect-interval'])
    expect(notes.join(' ')).toContain(part);
  expect(() => imported('--command FLUSHALL')).toThrow(/a command that can be sent/);
  expect(() =>
    importDefinition({ name: 'x', clientconfig: { tool: 'other', arguments: '' } }, 'a.yml'),
  ).toThrow(/memtier_benchmark, not of other/);
  expect(() => importDefinition('text', 'a.yml')).toThrow(/a test definition/);
  for (const dbconfig of [{ preload_tool: { arguments: '--data-size "8' } }, { init_commands: 'SET a "b' }])
    expect(() => imported('', { dbconfig })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('a closing quote'),
      }),
    );
});

test('subscribers of a second client become those of the workload', () => {
  const { config, notes } = importDefinition(
    {
      name: 'pubsub',
      clientconfigs: [
        {
          tool: 'memtier_benchmark',
          arguments: '--key-maximum 100 --command "PUBLISH __key__ __data__" -c 1 -t 4',
        },
        { tool: 'pubsub-sub-bench', arguments: '-clients 200 -mode subscribe' },
      ],
    },
    'a.yml',
  );
  expect(checkConfig(config, 'a.yml').workload).toMatchObject({ keys: 100, subscribers: 200 });
  expect(notes).toEqual([]);
});

test('several clients are a load and what runs beside it, unless both use keys', () => {
  const converted = (...texts: string[]) => {
    const clientconfigs = texts.map(text => ({ tool: 'memtier_benchmark', arguments: text }));
    const dbconfig = { check: { keyspacelen: 1000 } };
    const { config, notes } = importDefinition({ name: 'several', dbconfig, clientconfigs }, 'a.yml');
    return { ...checkConfig(config, 'a.yml'), notes };
  };
  const info = '--command "INFO everything" -c 1 -t 1 --rate-limiting=1';
  const get = '--command "GET __key__" --key-minimum 1 --key-maximum 1000 -c 25 -t 4';
  const two = converted(info, get);
  expect(two.notes).toEqual([]);
  expect(two.workload).toMatchObject({ keys: 1000, commands: [{ command: 'GET {key}' }] });
  expect(two.scenarios).toMatchObject([{ workers: [100], beside: ['info-1'] }]);
  expect(two.populations).toMatchObject([
    { name: 'info-1', workers: 1, arrival: { rate: [1] }, workload: { keys: 1 } },
  ]);
  expect(two.populations[0]?.workload?.commands).toMatchObject([{ command: 'INFO everything' }]);

  // The consumer would wait for what is in the keys of the other load.
  const same = converted('--command "LPUSH list a"', '--command "LPOP list"');
  expect(same.populations).toEqual([]);
  expect(same.workload.commands).toMatchObject([{ command: 'LPOP {key}' }]);
  expect(same.notes).toEqual([expect.stringContaining('not imported: memtier_benchmark --command "LPUSH')]);
  const blocking = converted('--command "LPUSH list a"', '--command "BLPOP list 0"');
  expect(blocking.workload.commands).toMatchObject([{ command: 'LPUSH {key} a' }]);
});

test('the file that import writes is a config with a heading', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'poolbench-import-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const spec = join(folder, 'spec.yml');
  writeFileSync(
    spec,
    'name: memtier_benchmark-get\nclientconfig:\n  arguments: >\n    --command "GET __key__"\n    --scan-incremental-iteration\n',
  );
  const file = join(folder, 'get.json');
  expect(await importSpec(spec, file)).toBe(0);
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(
    /^\/\/ Imported from spec\.yml[\s\S]*--scan-incremental-iteration of memtier_benchmark has no counterpart/,
  );
  expect(parseConfig(text, file)).toMatchObject({ name: 'get', rounds: { atLeast: 3, atMost: 3 } });
  await expect(importSpec(spec, file)).rejects.toMatchObject({ code: 'USAGE' });
  await expect(importSpec(join(folder, 'none.yml'), undefined)).rejects.toMatchObject({
    code: 'CONFIG_MISSING',
  });
});

test('clients beyond the max number of populations are left out, with the reason', () => {
  const clientconfigs = Array.from({ length: 12 }, (_, index) => ({
    tool: 'memtier_benchmark',
    arguments: `--command "ECHO ${index}"`,
  }));
  const { config, notes } = importDefinition({ name: 'many', clientconfigs }, 'a.yml');
  const { populations, workload } = checkConfig(config, 'a.yml');
  expect(workload.commands).toMatchObject([{ command: 'ECHO 11' }]);
  expect(populations).toHaveLength(8);
  expect(notes).toHaveLength(3);
  for (const [index, note] of notes.entries())
    expect(note).toMatch(new RegExp(`not imported, because .* 8 populations: .*ECHO ${index + 8}`));
});
