import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { readResult } from '../../src/main/run/results/read-result.ts';
import { createSuites } from '../support/ledger.ts';
import { answers, connectObserver } from '../support/observed-server.ts';
import { ownPort } from '../support/ports.ts';
import { ofTest, shareServer, startRedis, startValkey } from '../support/servers.ts';

describe('claims run every suite into one ledger', () => {
  test('a URL: every suite of one server, one entry a claim, and no keys left', async () => {
    const server = await shareServer();
    const redis = await connectObserver(server.url);
    const suites = await createSuites({ C10: 'versus', C3: 'second', C1: 'first', C2: 'second' });
    const { code, stdout, stderr } = await suites.run([server.url, '--rounds', '2']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^4 not tested\.\n\S+ measured on redis 7/);
    expect(stderr).toMatch(/2 of 3 suites.* 3 claims/);
    expect(stderr).toMatch(/1 of 2: second \(C3, C2\)/);
    expect(stderr).toMatch(/Suite 2 of 2: first \(C1\)/);
    expect(stderr).not.toMatch('To resume');

    const ledger = await suites.ledger();
    expect(ledger).toMatchObject({ complete: true, settings: { rounds: '2' }, target: { standIn: false } });
    expect(ledger.command).toMatch(/claims redis:\S+ --rounds 2$/);
    expect(ledger.entries.map(({ id, suite, result }) => [id, suite, result])).toEqual([
      ['C1', 'first', 'first/result.json'],
      ['C2', 'second', 'second/result.json'],
      ['C3', 'second', 'second/result.json'],
      ['C10', 'versus', null],
    ]);
    expect(ledger.entries[3]?.reason).toMatch(/two servers/);
    const folder = await suites.ledgerFolder();
    for (const entry of ledger.entries.slice(0, 3)) {
      const text = await readFile(join(folder, entry.result ?? ''), 'utf8');
      const result = resultSchema.parse(JSON.parse(text));
      const claim = result.claims.find(({ id }) => id === entry.id);
      expect(claim).toMatchObject({ verdict: entry.verdict, reason: entry.reason });
      expect(result.scenarios[0]?.rounds.map(({ round }) => round)).toEqual([1, 2]);
    }
    expect(await readFile(join(folder, 'ledger.md'), 'utf8')).toMatch(/^# Claims ledger: 127\.0\.0\.1-\d+\n/);
    expect(await redis.dbsize()).toBe(0);
  });

  test('a config of a server to start: one start for all suites, and it is stopped', async () => {
    const port = await ownPort();
    const suites = await createSuites({ C1: 'first', C3: 'second' });
    const target = { server: 'redis', url: `redis://127.0.0.1:${port}` };
    const config = await suites.write('mine', { target });
    const { code, stdout, stderr } = await suites.run([config, '--json']);
    expect(code, stderr).toBe(0);
    expect(stderr.match(/^Target: .*started on 127\.0\.0\.1:/gm)).toHaveLength(1);
    expect(await answers(port)).toBe(false);
    expect(JSON.parse(stdout)).toEqual(await suites.ledger());
    expect((await suites.ledger()).target.declared).toEqual(target);
  });

  test('the claims about two servers: the target in turn with its opponent', async () => {
    const [redis, valkey] = await Promise.all([shareServer(), shareServer('valkey')]);
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
    const server = await shareServer();
    await (await connectObserver(server.url)).config('SET', 'maxclients', 60);
    const suites = await createSuites({ C1: 'wide', C3: 'narrow' });
    await suites.write('wide', { scenarios: [{ client: 'wire', workers: 200 }] });
    const { code, stderr } = await suites.run([server.url]);
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(/^poolbench: .*connections/m);
    expect(stderr).toMatch(/^To resume .* --resume /m);
    const { complete, entries, suites: ran } = await suites.ledger();
    expect(complete).toBe(false);
    expect(ran.map(({ name, state }) => [name, state])).toEqual([
      ['wide', 'failed'],
      ['narrow', 'complete'],
    ]);
    expect(entries[0]).toMatchObject({ id: 'C1', verdict: 'not tested', result: null });
    expect(entries[0]?.reason).toMatch(/wide.*connections/);
  });
});

describe('interrupted ledger is resumed', () => {
  /** The command that it says goes on. */
  const commandIn = (stderr: string) => /^To resume [^:]*: (.*)$/m.exec(stderr)?.[1] ?? 'false';

  test('an interrupt keeps what there is, and the command that it prints goes on after the finished rounds', async () => {
    const server = await shareServer();
    const redis = await connectObserver(server.url);
    const suites = await createSuites({ C1: 'first', C2: 'long', C3: 'last' });
    await suites.write('long', { rounds: 4 });
    let interrupted = false;
    const stopped = await suites.run([server.url, '--seconds', '0.16'], (output, kill) => {
      if (interrupted || !output.includes('round 3/4')) return;
      interrupted = true;
      kill('SIGINT');
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stdout).toMatch(/^INCOMPLETE: 1 of 3 /m);
    const before = await suites.ledger();
    expect(before.complete).toBe(false);
    expect(before.suites.map(({ name, state }) => [name, state])).toEqual([
      ['first', 'complete'],
      ['long', 'unfinished'],
      ['last', 'not run'],
    ]);
    expect(before.entries.slice(1)).toMatchObject([
      { verdict: 'not tested', reason: expect.stringContaining('long/result.json') },
      { verdict: 'not tested', reason: expect.stringContaining('last') },
    ]);
    const folder = await suites.ledgerFolder();
    const first = join(folder, 'first', 'result.json');
    const written = (await stat(first)).mtimeMs;
    const long = join(folder, 'long', 'result.json');
    const begun = await readResult(long);

    // As if the suite went on in another process.
    const left = await readFile(long, 'utf8');
    const [connectionName, prefix, token] = ['poolbench-other', 'poolbench:104:', 'of the other'];
    const keyClaims = { connectionName, prefixes: [{ prefix, token, keys: 1 }] };
    await writeFile(long, JSON.stringify({ ...JSON.parse(left), keyClaims }));
    await redis.set(`${prefix}claim`, token);
    await redis.client('SETNAME', connectionName);
    expect(await suites.run(commandIn(stopped.stderr))).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^poolbench: expected the run .* to have ended.*\n$/),
    });
    expect(await suites.ledger()).toEqual(before);
    await redis.client('SETNAME', '');
    await redis.del(`${prefix}claim`);
    await writeFile(long, left);

    const resumed = await suites.run(commandIn(stopped.stderr));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch('Claims: 2 of 3 suites');
    expect(resumed.stderr).toMatch('Suite 1 of 2: long');
    expect(resumed.stderr).not.toMatch('To resume');
    const after = await suites.ledger();
    expect(after.complete).toBe(true);
    expect(after.suites.map(({ state, seconds }) => [state, seconds])).toEqual(
      Array(3).fill(['complete', 0.16]),
    );
    expect(after).toMatchObject({ startedAt: before.startedAt, command: before.command });
    expect(after.entries[0]).toEqual(before.entries[0]);
    expect((await stat(first)).mtimeMs).toBe(written);

    expect(resumed.stderr).toMatch(/^Resumed: \d+ rounds/m);
    expect(resumed.stderr).not.toMatch('round 1/4');
    const ended = await readResult(long);
    const [{ afterRounds } = { afterRounds: 0 }] = ended.resumed ?? [];
    expect(afterRounds).toBeGreaterThanOrEqual(2);
    for (const [index, { rounds }] of ended.scenarios.entries()) {
      expect(rounds).toHaveLength(4);
      expect(rounds.slice(0, afterRounds)).toEqual(begun.scenarios[index]?.rounds.slice(0, afterRounds));
    }
    expect(await redis.dbsize()).toBe(0);
  });

  test('a lost target ends all suites; what was measured is kept, and can be resumed only with the same target and measured in the same way', async () => {
    const redis = await ofTest(startRedis());
    const suites = await createSuites({ C2: 'long', C3: 'last' });
    // No shorter: before the loss, too, a busy machine must connect and answer within it.
    await suites.write('long', { rounds: 1000, timeoutMs: 1000 });
    let stopping: Promise<void> | undefined;
    const { code, stderr } = await suites.run([redis.url], output => {
      if (output.includes('round 2/1000')) stopping ??= redis.stop();
    });
    await stopping;
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/^poolbench: .*refused connections/m);
    expect(commandIn(stderr)).toMatch('--resume');
    const before = await suites.ledger();
    expect(before.suites.map(({ state }) => state)).toEqual(['failed', 'not run']);
    const folder = await suites.ledgerFolder();
    const { complete, scenarios } = await readResult(join(folder, before.entries[0]?.result ?? ''));
    expect(complete).toBe(false);
    expect(scenarios[0]?.rounds[0]?.completed).toBeGreaterThan(0);

    const resume = (target: string, ...more: string[]) => suites.run([target, '--resume', folder, ...more]);
    const valkey = await shareServer('valkey');
    const other = await resume(valkey.url);
    expect(other.code, other.stderr).toBe(2);
    expect(other.stderr).toMatch(new RegExp(`any at ${redis.url}.* any at ${valkey.url}`));

    // Another server at the same place.
    await ofTest(startValkey({ port: redis.port }));
    const changed = await resume(redis.url);
    expect(changed.code, changed.stderr).toBe(2);
    expect(changed.stderr).toMatch(/^poolbench: .*redis 7.*valkey \d.*\n$/);

    const longer = await resume(redis.url, '--rounds', '3');
    expect(longer.code, longer.stderr).toBe(2);
    expect(longer.stderr).toMatch(/--rounds.*--resume/);

    const none = await suites.run([redis.url, '--resume', suites.folder]);
    expect(none.code, none.stderr).toBe(2);
    expect(none.stderr).toMatch(/ledger\.json/);
    expect(await suites.ledger()).toEqual(before);
  });
});
