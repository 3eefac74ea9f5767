import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { estimateSeconds, planRun } from '../src/main/experiment/plan.ts';
import { readConfig } from '../src/main/experiment/read-config.ts';
import { quick } from '../src/main/experiment/read-plan.ts';

const names = readdirSync('configs').filter(name => name.endsWith('.json') && name !== 'schema.json');

test.each(names)(
  '%s is valid, points to the schema, takes at most 3 minutes, and 30 s when quick',
  async name => {
    const path = `configs/${name}`;
    const experiment = await readConfig(path);
    expect(experiment.$schema).toBe('./schema.json');
    expect(`${experiment.name}.json`).toBe(name);
    const plan = planRun([experiment]);
    expect(estimateSeconds(plan)).toBeLessThanOrEqual(180);
    const short = quick(plan);
    expect(estimateSeconds(short)).toBeLessThanOrEqual(30);
    expect(short.sides[0]?.scenarios).toEqual(plan.sides[0]?.scenarios);
  },
);

test.each([
  ['redis', 6379],
  ['valkey', 6381],
  ['dragonfly', 6382],
])('%s.json asks the multi-pool question on port %i', async (server, port) => {
  const experiment = await readConfig(`configs/${server}.json`);
  expect(experiment.target).toMatchObject({ server, url: `redis://localhost:${port}/0` });
  expect(experiment.rounds).toBe(5);
  const asked = planRun([experiment]).sides[0]?.scenarios.map(
    ({ client, pools, workers }) => `${client} ${pools} ${workers}`,
  );
  const wanted = ['ioredis', 'wire'].flatMap(client =>
    [1, 2, 4].flatMap(pools => [10, 50, 100, 200].map(workers => `${client} ${pools} ${workers}`)),
  );
  expect(asked?.sort()).toEqual(wanted.sort());
});

test('smoke.json takes less than 15 s, and is plain JSON for scripts', async () => {
  expect(JSON.parse(await readFile('configs/smoke.json', 'utf8'))).toMatchObject({ name: 'smoke' });
  expect(estimateSeconds(planRun([await readConfig('configs/smoke.json')]))).toBeLessThan(15);
});
