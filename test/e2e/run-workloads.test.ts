import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Control, connectControl } from '../../src/main/server/control.ts';
import { parseAddress } from '../../src/main/server/url.ts';
import {
  clientNames,
  GET,
  loopback,
  openConnection,
  patient,
  rejection,
  SET,
  sendBatch,
} from '../support/connections.ts';
import { calm, createExperiment, unhurried } from '../support/experiment.ts';
import { clientsNamed, connectObserver, loadBegun } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { shareServer, startRedis, type TestServer } from '../support/servers.ts';

describe('run of a mix leaves nothing behind', () => {
  let servers: TestServer[] = [];

  beforeAll(async () => {
    servers = await Promise.all([shareServer(), shareServer('valkey')]);
  });

  const workload = {
    keys: 300,
    keyChoice: { kind: 'hotSet' },
    valueBytes: { kind: 'range', from: 1, to: 400 },
    hitShare: 0.7,
    commands: [
      { command: 'GET {key}', weight: 6 },
      { command: 'SET {key} {value} PX {number:50000-60000}', weight: 2 },
      { command: 'GETDEL {key}' },
      { command: 'INCR {key}' },
      { command: 'LPUSH {key} {counter}' },
      { command: 'HSET {key} field-{number:1-5} {value}' },
      { command: 'XADD {key} MAXLEN 10 * field {value}' },
      { command: 'XREADGROUP GROUP readers one STREAMS {key} >; XACK' },
      { command: `EVALSHA "return redis.call('STRLEN', KEYS[1])" 1 {key}` },
      { command: 'FCALL type_of 1 {key}' },
      { command: 'MULTI; SETRANGE {key:a} 0 {value}; HLEN {key:b}; EXEC' },
      { command: 'SORT_RO {key} BY {key:*} GET # GET {key:*}' },
      { command: 'PUBLISH {key} {value}' },
    ],
    subscribers: 5,
    functions: [
      "#!lua name=of_a_run\nredis.register_function('type_of', function(keys) return redis.call('TYPE', keys[1]) end)",
    ],
  };

  async function withControl<T>(server: TestServer, work: (control: Control) => Promise<T>): Promise<T> {
    const control = await connectControl(parseAddress(server.url), patient);
    try {
      return await work(control);
    } finally {
      control.close();
    }
  }

  test.each([
    [0, 'wire'],
    [1, 'ioredis'],
  ])('server %i, %s: every key of the run is gone, every other key is there', async (index, client) => {
    const server = servers[index] as TestServer;
    const others = ['poolbench:1:other', 'poolbench:1:00001500', 'mine'];
    await withControl(server, async control => {
      for (const key of others) await control.call('SET', key, 'v');
    });
    const experiment = await createExperiment(server.url, {
      target: { server: 'any', url: server.url },
      workload,
      scenarios: [{ client, workers: 4, pools: 2, ...calm }],
      seconds: 0.3,
    });
    const outcome = await experiment.run(['--force']);
    expect(outcome.code, outcome.stderr).toBe(0);
    const warnings = [...outcome.stderr.matchAll(/^warning: (.*)/gm)].map(([, warning = '']) => warning);
    // What an open loop is late with on a busy machine is told, too.
    expect(warnings.filter(warning => !/open loop|burst/.test(warning))).toEqual([
      expect.stringMatching(/ 2 keys of other programs/),
      expect.stringMatching(/\(poolbench:1:\)/),
    ]);
    expect(outcome.stdout).toMatch(`Commands of ${client}-optimized-2pools-4workers-burst1000x40\n`);

    expect(await withControl(server, control => control.call('FUNCTION', 'LIST'))).toEqual([]);
    const left = await withControl(server, control => control.call('KEYS', '*'));
    expect([...(left as string[])].sort()).toEqual([...others].sort());
    const { config, target, scenarios: results } = await experiment.result();
    expect(target).toMatchObject({
      declared: { server: 'any', url: server.url },
      detected: { server: ['redis', 'valkey'][index], protocol: 3 },
      standIn: false,
    });
    for (const output of [outcome.stdout, outcome.stderr]) expect(output).not.toContain('RESP2');
    expect(config.workload).not.toHaveProperty('readShare');
    for (const { rounds } of results) {
      for (const round of rounds) {
        expect(round.failed).toEqual({});
        expect(round.serverCalls).toBe(round.completed);
        expect(round.deliveries).toMatchObject({ subscribers: 5, lost: 0 });
        expect(round.commands.map(({ name }) => name)).toEqual(
          workload.commands.map(({ command }) => command.split(/[ ;]/)[0]),
        );
      }
    }
  });

  test('commands that the server lacks are named by run and check, before any load', async () => {
    const server = servers[0] as TestServer;
    const commands = [{ command: 'GET {key}' }, { command: 'NO.SUCH {key}' }];
    const experiment = await createExperiment(server.url, { workload: { commands } });
    const outcomes = [
      await experiment.run(['--force', '--quiet']),
      await runPoolbench(['check', '--force', experiment.configPath]),
    ];
    for (const { code, stderr } of outcomes) {
      expect(stderr).toMatch(/^poolbench: [^\n]* NO\.SUCH;[^\n]*\n$/);
      expect(code).toBe(3);
    }
  });

  test('a preset of YCSB runs as its commands, and is what the results say; so is a database that does not grow by the keys that were written', async () => {
    const server = servers[0] as TestServer;
    // A key of ours that was there before: as a run that was killed leaves it.
    await withControl(server, control => control.call('SET', 'poolbench:77:00000007', 'v'));
    const experiment = await createExperiment(server.url, { workload: { keys: 200, ycsb: 'F' }, seed: 77 });
    expect((await experiment.run(['--force'])).code).toBe(0);
    const { config, scenarios, warnings } = await experiment.result();
    expect(warnings.join('\n')).toMatch(/200 keys .* from \d+ to \d+/);
    expect(config.workload).toEqual({
      keys: 200,
      valueBytes: 32,
      valueContent: { kind: 'random' },
      commands: [],
      functions: [],
      hitShare: 1,
      members: 10,
      types: {},
      ycsb: 'F',
      script: null,
      subscribers: 0,
      replay: null,
    });
    const [round] = scenarios[0]?.rounds ?? [];
    expect(round?.commands.map(({ name }) => name)).toEqual(['GET', 'SET']);
    expect([round?.misses, round?.failed]).toEqual([0, {}]);
  });
});

describe('every measurement of ycsb begins with the same records', () => {
  let server: TestServer;
  let control: Control;

  beforeAll(async () => {
    server = await shareServer();
    control = await connectControl(parseAddress(server.url), patient);
  });

  afterAll(() => control?.close());

  const keys = 5000;

  async function run(ycsb: string) {
    await control.call('CONFIG', 'RESETSTAT');
    const experiment = await createExperiment(server.url, {
      workload: { keys, ycsb },
      scenarios: [{ client: 'wire', workers: 4, pools: 2, poolsPerThread: 2, ...calm }],
      rounds: 2,
      seconds: 0.3,
    });
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    expect(await control.call('DBSIZE')).toBe(0);
    const { scenarios, warnings } = await experiment.result();
    // What an open loop is late with on a busy machine is told, too.
    expect(warnings.filter(warning => !/open loop|burst/.test(warning))).toEqual([
      expect.stringContaining('other client'),
    ]);
    const rounds = scenarios.flatMap(scenario => scenario.rounds);
    expect(rounds).toHaveLength(2);
    for (const round of rounds) {
      expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0 });
      expect(round.serverCalls).toBe(round.completed);
    }
    const stats = await control.info('commandstats');
    const calls = (name: string) => Number(/calls=(\d+)/.exec(stats.get(`cmdstat_${name}`) ?? '')?.[1] ?? 0);
    return { calls, rounds };
  }

  test('D: keys that were inserted are removed after each measurement', async () => {
    const { calls, rounds } = await run('D');
    const inserting = rounds.filter(({ commands }) =>
      commands.some(({ name, completed }) => name === 'SET' && completed > 0),
    );
    expect(inserting.length).toBeGreaterThan(0);
    // 1000 at a time: after each of these, and at the end all 10,000, and the claim.
    expect(calls('unlink')).toBeGreaterThanOrEqual(inserting.length + 10 + 1);
  });

  test('E: so are members of the index', async () => {
    const { calls } = await run('E');
    // 100 at a time were written before the load.
    const inserted = calls('zadd') - keys / 100;
    expect(inserted).toBeGreaterThan(0);
    expect(calls('zremrangebyscore')).toBe(inserted);
    expect(calls('unlink')).toBe(2);
  });

  test('where the room is full it is said once, and no record is left', async () => {
    const experiment = await createExperiment(server.url, {
      workload: { keys: 4, ycsb: 'D' },
      // Enough inserts to fill the room, even of the first batch of each worker.
      scenarios: [{ client: 'wire', workers: 8, pipeline: 20, ...calm }],
      rounds: 2,
      seconds: 0.3,
    });
    expect((await experiment.run()).code).toBe(0);
    const { warnings } = await experiment.result();
    expect(warnings.filter(warning => warning.includes('4 records'))).toHaveLength(1);
    expect(await control.call('DBSIZE')).toBe(0);
  });
});

describe('load speaks the resp version of the config', () => {
  let server: TestServer;
  /** One from before RESP3. */
  let old: TestServer;

  beforeAll(async () => {
    server = await shareServer('valkey');
    const control = await connectControl(parseAddress(server.url), patient);
    await control.call('ACL', 'SETUSER', 'few', 'on', '>s3cret', '~*', '+get', '+set', '+ping', '+select');
    control.close();
    old = await startRedis({ args: ['--rename-command', 'HELLO', ''] });
  });

  afterAll(() => old?.stop());

  async function versionsOf(url: string, name: string): Promise<string[]> {
    const redis = await connectObserver(url);
    const lines = await clientsNamed(redis, name);
    redis.disconnect();
    return [...new Set(lines.map(line => /resp=(\d)/.exec(line)?.[1] ?? ''))];
  }

  describe.each(clientNames)('%s', client => {
    test.each([
      [undefined, '3'],
      [2, '2'],
      [3, '3'],
    ] as const)('protocol %s is RESP%s', async (protocol, version) => {
      const address = loopback(server.port, protocol === undefined ? {} : { protocol });
      const connection = await openConnection(client, address);
      const outcome = await sendBatch(connection, [
        [SET, 1],
        [GET, 1],
        [GET, 2],
      ]);
      expect(outcome).toMatchObject({ completed: 3, misses: 1, failures: {} });
      expect(await versionsOf(server.url, 'test')).toEqual([version]);
      connection.close();
      while ((await versionsOf(server.url, 'test')).length > 0);
    });

    test('RESP2 with a login, a database, and no right to a name', async () => {
      const login = { username: 'few', password: 's3cret', database: 2, protocol: 2 } as const;
      const connection = await openConnection(client, loopback(server.port, login));
      expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1, failures: {} });
      const wrong = loopback(server.port, { ...login, password: 'wrong' });
      expect((await rejection(openConnection(client, wrong))).message).toMatch(/^WRONGPASS/);
    });
  });

  test('wire does not make do with RESP2 where RESP3 is asked for', async () => {
    const error = await rejection(openConnection('wire', loopback(old.port, { protocol: 3 })));
    expect(error.message).toMatch(/unknown command 'HELLO'/i);
  });

  // Without it a run is one in RESP3: see above.
  test('a run with target.protocol 2 is one in RESP2, and says so', async () => {
    const experiment = await createExperiment('', {
      target: { server: 'valkey', url: server.url, protocol: 2 },
      scenarios: [{ client: ['wire', 'ioredis'], workers: 2, ...unhurried }],
      seconds: 0.2,
    });
    const redis = await connectObserver(server.url);
    await redis.config('RESETSTAT');
    // What the connections above have written is not the run's.
    const running = experiment.run(['--force']);
    await loadBegun(redis);
    let seen: string[] = [];
    while (seen.length === 0) seen = await versionsOf(server.url, 'poolbench:1');
    const { code, stdout, stderr } = await running;
    expect(code, stderr).toBe(0);
    expect(seen).toEqual(['2']);
    const result = await experiment.result();
    expect(result.target.detected.protocol).toBe(2);
    for (const { rounds } of result.scenarios) expect(rounds[0]).toMatchObject({ failed: {}, misses: 0 });
    for (const output of [stdout, stderr]) expect(output).toContain('RESP2');
  });

  test('a server from before RESP3 is measured in RESP2, and refused where RESP3 is asked for', async () => {
    const experiment = await createExperiment(old.url);
    const { code, stdout } = await experiment.run();
    expect(code).toBe(0);
    expect(stdout).toMatch('RESP2');
    expect((await experiment.result()).target.detected.protocol).toBe(2);

    const target = { server: 'redis', url: old.url, protocol: 3 };
    const refused = await (await createExperiment('', { target })).run(['--quiet']);
    expect(refused.stderr).toMatch(/^poolbench: [^\n]* RESP3[^\n]* target\.protocol [^\n]+\n$/);
    expect(refused.code).toBe(3);
  });
});
