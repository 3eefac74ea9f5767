import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../src/main/server/control.ts';
import { surveyDatabase } from '../src/main/server/database-in-use.ts';
import { preflight } from '../src/main/server/preflight.ts';
import { parseAddress } from '../src/main/server/url.ts';
import { createExperiment } from './support/experiment.ts';
import { callsOf, connectObserver } from './support/observed-server.ts';
import { runPoolbench } from './support/poolbench.ts';
import { startRedis, startValkey } from './support/servers.ts';

const needs = { connections: 1, keys: 1, valueBytes: 1 };

test('run and check refuse with the number of keys and what to do; --force loads it and leaves them', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await connectObserver(server.url);
  await redis.mset('session:alice', 't0ken', 'session:bob', 't0ken');
  const experiment = await createExperiment(server.url);

  const message = /^poolbench: .*database 0 .* 2 keys of others.* redis:\/\/127\.0\.0\.1:\d+\/15.*--force/m;
  const checked = await runPoolbench(['check', experiment.configPath]);
  const refused = await experiment.run();
  for (const { code, stderr } of [checked, refused]) {
    expect(code).toBe(3);
    expect(stderr).toMatch(message);
    // Names of keys can be secrets.
    expect(stderr).not.toMatch(/alice|session|^\s+at /m);
  }
  expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
  expect(await callsOf(redis, 'set')).toBe(0);

  const elsewhere = await experiment.run(['--url', `${server.url}/15`]);
  expect(elsewhere.code, elsewhere.stderr).toBe(0);

  const forced = await createExperiment(server.url);
  const { code, stderr } = await forced.run(['--force']);
  expect(code, stderr).toBe(0);
  expect((await forced.result()).warnings).toContainEqual(expect.stringMatching(/holds 2 keys of others/));
  expect((await redis.keys('*')).sort()).toEqual(['session:alice', 'session:bob']);
});

test('keys of poolbench are told and do no harm; any other counts, whatever it is called', async () => {
  const server = await startValkey();
  onTestFinished(() => server.stop());
  const control = await connectControl(parseAddress(server.url), { timeoutMs: 5000 });
  onTestFinished(() => control.close());
  const own = ['poolbench:1:claim', 'poolbench:1:00000007', 'poolbench:2.0123abcd:00000001'];
  for (const key of own) await control.call('SET', key, 'v');
  expect(await preflight({ control }, needs, { force: false })).toEqual([
    expect.stringMatching(/\(poolbench:1:, poolbench:2\.0123abcd:\)/),
  ]);
  for (const [count, key] of ['poolbench:1:other', 'poolbench:x:claim', 'my poolbench:1:claim'].entries()) {
    await control.call('SET', key, 'v');
    expect((await surveyDatabase(control)).others).toBe(count + 1);
  }
  await expect(preflight({ control }, needs, { force: false })).rejects.toMatchObject({
    code: 'TARGET_IN_USE',
    message: expect.stringMatching(/found 3 keys of others/),
  });
});

test('a huge database is known for one in use without looking at all of it', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await connectObserver(server.url);
  await redis.eval(`for key = 1, 150000 do redis.call('SET', 'key:' .. key, '') end`, 0);
  const control = await connectControl(parseAddress(server.url), { timeoutMs: 5000 });
  onTestFinished(() => control.close());
  const { others, complete } = await surveyDatabase(control);
  expect(complete).toBe(false);
  expect(others).toBeLessThan(150_000);
  await expect(preflight({ control }, needs, { force: false })).rejects.toThrow(
    /at least [\d,]+ keys of others/,
  );
  // One who may not look is not told whose they are.
  await redis.call('ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '+@all', '-scan');
  const few = await connectControl(parseAddress(server.url.replace('//', '//few:pw@')), { timeoutMs: 5000 });
  onTestFinished(() => few.close());
  await expect(preflight({ control: few }, needs, { force: false })).rejects.toThrow(
    /keys, and the server does not tell whose \(NOPERM/,
  );
});
