import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Control, connectControl } from '../src/main/server/control.ts';
import { parseAddress } from '../src/main/server/url.ts';
import { createExperiment } from './support/experiment.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;
let control: Control;

beforeAll(async () => {
  server = await startRedis();
  control = await connectControl(parseAddress(server.url), { timeoutMs: 5000 });
});

afterAll(async () => {
  control?.close();
  await server?.stop();
});

const keys = 5000;

async function run(ycsb: string) {
  await control.call('CONFIG', 'RESETSTAT');
  const experiment = await createExperiment(server.url, {
    workload: { keys, ycsb },
    scenarios: [{ client: 'wire', workers: 4, pools: [1, 2] }],
    rounds: 2,
    seconds: 0.2,
  });
  const { code, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  expect(await control.call('DBSIZE')).toBe(0);
  const { scenarios, warnings } = await experiment.result();
  expect(warnings).toEqual([expect.stringContaining('other client')]);
  const rounds = scenarios.flatMap(scenario => scenario.rounds);
  expect(rounds).toHaveLength(4);
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
    rounds: 2,
    seconds: 0.3,
  });
  expect((await experiment.run()).code).toBe(0);
  const { warnings } = await experiment.result();
  expect(warnings.filter(warning => warning.includes('4 records'))).toHaveLength(1);
  expect(await control.call('DBSIZE')).toBe(0);
});
