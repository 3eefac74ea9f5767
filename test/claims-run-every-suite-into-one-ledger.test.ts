import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resultSchema } from '../src/aggregate/result.ts';
import { freePort } from '../src/main/server/server-process.ts';
import { createSuites } from './support/ledger.ts';
import { answers, connectObserver } from './support/observed-server.ts';
import { startRedis, startValkey } from './support/servers.ts';

test('a URL: every suite of one server, one entry a claim, and no keys left', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await connectObserver(server.url);
  const suites = await createSuites({ C10: 'versus', C3: 'second', C1: 'first', C2: 'second' });
  const { code, stdout, stderr } = await suites.run([server.url, '--rounds', '2']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^4 not tested\.\n\S+ against redis 7/);
  expect(stderr).toMatch(/2 of 3 suites.* 3 claims/);
  expect(stderr).toMatch(/1 of 2: second \(C3, C2\)/);
  expect(stderr).toMatch(/Suite 2 of 2: first \(C1\)/);
  expect(stderr).not.toMatch('To go on');

  const ledger = await suites.ledger();
  expect(ledger).toMatchObject({ complete: true, settings: { rounds: '2' }, target: { standIn: false } });
  expect(ledger.command).toMatch(/claims redis:\S+ --rounds 2$/);
  expect(ledger.entries.map(({ id, suite, result }) => [id, suite, result])).toEqual([
    ['C1', 'first', 'first/result.json'],
    ['C2', 'second', 'second/result.json'],
    ['C3', 'second', 'second/result.json'],
    ['C10', 'versus', null],
  ]);
  expect(ledger.entries[3]?.reason).toMatch(/^It takes two servers/);
  const folder = await suites.ledgerFolder();
  for (const entry of ledger.entries.slice(0, 3)) {
    const text = await readFile(join(folder, entry.result ?? ''), 'utf8');
    const result = resultSchema.parse(JSON.parse(text));
    const claim = result.claims.find(({ id }) => id === entry.id);
    expect(claim).toMatchObject({ verdict: entry.verdict, reason: entry.reason });
    expect(result.scenarios[0]?.rounds.map(({ completed }) => completed > 0)).toEqual([true, true]);
  }
  expect(await readFile(join(folder, 'ledger.md'), 'utf8')).toMatch(/^# Claims ledger: 127\.0\.0\.1-\d+\n/);
  expect(await redis.dbsize()).toBe(0);
});

test('a config of a server to start: one start for all suites, and it is stopped', async () => {
  const port = await freePort();
  const suites = await createSuites({ C1: 'first', C3: 'second' });
  const target = { server: 'redis', url: `redis://127.0.0.1:${port}` };
  const config = await suites.write('mine', { target });
  const { code, stdout, stderr } = await suites.run([config, '--json']);
  expect(code, stderr).toBe(0);
  expect(stderr.match(/looking for a redis to start/g)).toHaveLength(1);
  expect(await answers(port)).toBe(false);
  expect(JSON.parse(stdout)).toEqual(await suites.ledger());
  expect((await suites.ledger()).target.declared).toEqual(target);
});

test('the claims about two servers: the target in turn with its opponent', async () => {
  const [redis, valkey] = await Promise.all([startRedis(), startValkey()]);
  onTestFinished(async () => {
    await Promise.all([redis.stop(), valkey.stop()]);
  });
  const write = (server: string, url: string) => suites.write(server, { target: { server, url } });
  // Their configs lie in the folder that the suites make.
  const paths = { redis: '', valkey: '' };
  const suites = await createSuites({ C9: 'versus' }, paths);
  paths.redis = await write('redis', redis.url);
  paths.valkey = await write('valkey', valkey.url);
  const { code, stderr } = await suites.run([paths.valkey]);
  expect(code, stderr).toBe(0);
  const ledger = await suites.ledger();
  expect(ledger.target.detected.server).toBe('valkey');
  expect(ledger.entries).toMatchObject([{ id: 'C9', result: 'versus/comparison.json' }]);
  const comparison = JSON.parse(
    await readFile(join(await suites.ledgerFolder(), 'versus', 'comparison.json'), 'utf8'),
  );
  expect(comparison).toMatchObject({
    complete: true,
    sides: [
      { target: { detected: { server: 'redis' } } },
      { target: { detected: { server: 'valkey' } }, paired: true },
    ],
  });
});

test('a suite that cannot run does not take the others with it', async () => {
  const server = await startRedis({ args: ['--maxclients', '60'] });
  onTestFinished(() => server.stop());
  const suites = await createSuites({ C1: 'wide', C3: 'narrow' });
  await suites.write('wide', { scenarios: [{ client: 'wire', workers: 200 }] });
  const { code, stderr } = await suites.run([server.url]);
  expect(code, stderr).toBe(3);
  expect(stderr).toMatch(/^poolbench: .*connections/m);
  expect(stderr).toMatch(/^To go on with this ledger: /m);
  const { complete, entries, suites: ran } = await suites.ledger();
  expect(complete).toBe(false);
  expect(ran.map(({ name, state }) => [name, state])).toEqual([
    ['wide', 'failed'],
    ['narrow', 'complete'],
  ]);
  expect(entries[0]).toMatchObject({ id: 'C1', verdict: 'not tested', result: null });
  expect(entries[0]?.reason).toMatch(/wide.*connections/);
});
