import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Control, connectControl } from '../src/main/server/control.ts';
import { parseAddress } from '../src/main/server/url.ts';
import { createExperiment } from './support/experiment.ts';
import { startRedis, startValkey, type TestServer } from './support/servers.ts';

let servers: TestServer[] = [];

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startValkey()]);
});

afterAll(async () => {
  for (const server of servers) await server.stop();
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
  ],
};

async function withControl<T>(server: TestServer, work: (control: Control) => Promise<T>): Promise<T> {
  const control = await connectControl(parseAddress(server.url), { timeoutMs: 5000 });
  try {
    return await work(control);
  } finally {
    control.close();
  }
}

test.each([0, 1])('server %i: every key of the run is gone, every other key is there', async index => {
  const server = servers[index] as TestServer;
  const others = ['poolbench:1:other', 'poolbench:1:00001500', 'mine'];
  await withControl(server, async control => {
    for (const key of others) await control.call('SET', key, 'v');
  });
  const scenarios = [{ client: ['wire', 'ioredis'], workers: 4, pools: 2 }];
  const experiment = await createExperiment(server.url, {
    target: { server: 'any', url: server.url },
    workload,
    scenarios,
  });
  const outcome = await experiment.run(['--force']);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect([...outcome.stderr.matchAll(/^warning: (.*)/gm)].map(([, warning]) => warning)).toEqual([
    expect.stringMatching(/holds 2 keys of others: they are left alone/),
    expect.stringMatching(/^keys of other poolbench runs are there \(poolbench:1:\)/),
  ]);
  expect(outcome.stdout).toMatch(/Commands of wire-optimized-2pools-4workers\ncommand +share +misses/);

  const left = await withControl(server, control => control.call('KEYS', '*'));
  expect([...(left as string[])].sort()).toEqual([...others].sort());
  const { config, scenarios: results } = await experiment.result();
  expect(config.workload).not.toHaveProperty('readShare');
  for (const { rounds } of results) {
    for (const round of rounds) {
      expect(round.failed).toEqual({});
      expect(round.serverCalls).toBe(round.completed);
      expect(round.commands.map(({ name }) => name)).toEqual(
        workload.commands.map(({ command }) => command.split(' ')[0]),
      );
    }
  }
});

test('a preset of YCSB runs as its commands, and is what the results say', async () => {
  const server = servers[0] as TestServer;
  const experiment = await createExperiment(server.url, { workload: { keys: 200, ycsb: 'F' } });
  expect((await experiment.run(['--force'])).code).toBe(0);
  const { config, scenarios } = await experiment.result();
  expect(config.workload).toEqual({
    keys: 200,
    valueBytes: 32,
    valueContent: { kind: 'random' },
    commands: [],
    hitShare: 1,
    ycsb: 'F',
  });
  const [round] = scenarios[0]?.rounds ?? [];
  expect(round?.commands.map(({ name }) => name)).toEqual(['GET', 'SET']);
  expect([round?.misses, round?.failed]).toEqual([0, {}]);
});

test('a database that does not grow by the keys that were written is told', async () => {
  const server = servers[0] as TestServer;
  // A key of ours that was there before: as a run that was killed leaves it.
  await withControl(server, control => control.call('SET', 'poolbench:77:00000007', 'v'));
  const experiment = await createExperiment(server.url, { seed: 77 });
  const { code } = await experiment.run(['--force']);
  expect(code).toBe(0);
  const { warnings } = await experiment.result();
  expect(warnings.join('\n')).toMatch(
    /200 keys were written before the load, but the database went from \d+ to \d+ keys/,
  );
});
