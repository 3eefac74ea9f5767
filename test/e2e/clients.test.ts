import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { shareServer } from '../support/servers.ts';

const example = fileURLToPath(new URL('../../configs/examples/my-client.mjs', import.meta.url));

test('a run of clients that poolbench loads names their versions, and the server counts what they count', async () => {
  const server = await shareServer();
  const experiment = await createExperiment(server.url, {
    scenarios: [
      {
        client: ['node-redis', 'iovalkey', 'valkey-glide', example],
        workers: 4,
        pipeline: 2,
        ...unhurried,
      },
      { client: 'node-redis', clientOptions: { RESP: 2 }, workers: 4, ...unhurried },
    ],
    seconds: 0.2,
  });
  expect(await experiment.run()).toMatchObject({ code: 0 });
  const { clients, scenarios } = await experiment.result();
  const version = expect.stringMatching(/^\d+\.\d+\.\d+/);
  expect(clients).toEqual([
    { client: 'node-redis', package: 'redis', version },
    { client: 'iovalkey', package: 'iovalkey', version },
    { client: 'valkey-glide', package: '@valkey/valkey-glide', version },
    { client: example, package: null, version },
  ]);
  expect(scenarios).toHaveLength(5);
  expect(scenarios.at(-1)).toMatchObject({ client: 'node-redis', clientOptions: { RESP: 2 } });
  for (const { id, rounds } of scenarios) {
    const [round] = rounds;
    expect(round?.failed, id).toEqual({});
    expect(round?.completed, id).toBeGreaterThan(0);
    expect(round?.cpu.serverCores, id).not.toBeUndefined();
    expect(round?.serverCalls, id).toBe((round?.completed ?? 0) + (round?.unfinished ?? 0));
  }
});

test('a client that is not there ends the run before a server is looked for, with the exit code of a wrong config', async () => {
  const experiment = await createExperiment('redis://127.0.0.1:1', { scenarios: [{ client: './none.mjs' }] });
  const { code, stderr } = await experiment.run();
  expect(code).toBe(2);
  expect(stderr).toMatch(/none\.mjs/);
  expect(stderr).not.toContain('127.0.0.1:1');
});
