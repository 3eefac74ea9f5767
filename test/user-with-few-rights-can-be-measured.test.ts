import { expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../src/main/server/control.ts';
import { preflight } from '../src/main/server/preflight.ts';
import { parseAddress } from '../src/main/server/url.ts';
import { createExperiment } from './support/experiment.ts';
import { connectObserver } from './support/observed-server.ts';
import { startRedis, startValkey } from './support/servers.ts';

const fewRights = ['~poolbench:*', '+get', '+set', '+info', '+hello', '+client', '+ping'];

function user(...rights: string[]): { args: string[] } {
  return { args: ['--user', 'few', 'on', '>s3cret', ...rights] };
}

test.each([
  ['redis', startRedis],
  ['valkey', startValkey],
] as const)('%s: a user who may only do what the load does', async (name, start) => {
  const server = await start(user(...fewRights));
  onTestFinished(() => server.stop());
  const url = server.url.replace('//', '//few:s3cret@');
  const experiment = await createExperiment(url, {
    target: { server: name, url },
    scenarios: [{ client: ['ioredis', 'wire'], workers: 4 }],
  });
  const { code, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/warning: .*NOPERM.*dbsize.*scan/i);
  expect(stderr).not.toMatch(/^\s+at |defect|s3cret/m);
  const { scenarios } = await experiment.result();
  for (const { rounds } of scenarios) expect(rounds[0]).toMatchObject({ failed: {}, misses: 0 });

  // They could not be removed; the claim tells whose they are.
  const redis = await connectObserver(server.url);
  expect(await redis.get('poolbench:1:claim')).not.toBeNull();
});

test('a user who may not even PING, or not write, gets one clear message', async () => {
  const server = await startRedis(user('~poolbench:*', '+get'));
  onTestFinished(() => server.stop());
  const url = server.url.replace('//', '//few:s3cret@');
  const silent = await (await createExperiment(url)).run(['--quiet']);
  expect(silent.stderr).toMatch(/^poolbench: .*NOPERM .*ping.*\n$/);
  expect(silent.code).toBe(3);

  const redis = await connectObserver(server.url);
  await redis.call('ACL', 'SETUSER', 'few', '+ping', '+hello', '+client', '+info');
  const experiment = await createExperiment(url, {
    scenarios: [{ client: ['wire', 'ioredis'], workers: 4 }],
  });
  const reader = await experiment.run();
  expect(reader.stderr).toMatch(/warning: .*NOPERM/);
  expect(reader.stderr).toMatch(/^poolbench: .*maxFailedShare/m);
  expect(reader.stderr).not.toMatch(/^\s+at |defect|s3cret/m);
  expect(reader.code).toBe(1);
  for (const { rounds } of (await experiment.result()).scenarios) {
    expect(Object.keys(rounds[0]?.failed ?? {})).toEqual(['NOPERM']);
  }
});

test('what the server does not tell is one warning', async () => {
  const server = await startRedis(user(...fewRights));
  onTestFinished(() => server.stop());
  const control = await connectControl(parseAddress(server.url.replace('//', '//few:s3cret@')), {
    timeoutMs: 5000,
  });
  onTestFinished(() => control.close());
  expect(await preflight({ control }, { connections: 1, keys: 1, valueBytes: 1 }, { force: false })).toEqual([
    expect.stringMatching(/NOPERM .*; NOPERM/),
  ]);
});
