import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Control, connectControl } from '../src/main/target/control.ts';
import { parseAddress } from '../src/main/target/url.ts';
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
  return (name: string) => Number(/calls=(\d+)/.exec(stats.get(`cmdstat_${name}`) ?? '')?.[1] ?? 0);
}

test('D: keys that were inserted are removed after each measurement', async () => {
  const calls = await run('D');
  // Of each pool, 1000 at a time: of the warm-up of the threads 2, of the measurements 2 × (1 + 2); at the end all 10,000, and the claim.
  expect(calls('unlink')).toBeGreaterThanOrEqual(2 + 6 + 10 + 1);
});

test('E: so are members of the index', async () => {
  const calls = await run('E');
  // 100 at a time were written before the load.
  const inserted = calls('zadd') - keys / 100;
  expect(inserted).toBeGreaterThan(100);
  expect(calls('zremrangebyscore')).toBe(inserted);
  expect(calls('unlink')).toBe(2);
});

test('where the room is full it is said once, and no record is left', async () => {
  const experiment = await createExperiment(server.url, { workload: { keys: 20, ycsb: 'D' }, rounds: 2 });
  expect((await experiment.run()).code).toBe(0);
  const { warnings } = await experiment.result();
  expect(warnings.filter(warning => warning.includes('room'))).toEqual([
    'wire-optimized-1pool-4workers inserted more than there is room for (20 records): the later ones overwrote a record and made the set no larger; take more keys, or shorter measurements',
  ]);
  expect(await control.call('DBSIZE')).toBe(0);
});
