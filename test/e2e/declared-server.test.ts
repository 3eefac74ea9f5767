import { readdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/main/experiment/read-config.ts';
import { bareMachine } from '../support/bare-machine.ts';
import { rejection } from '../support/connections.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { answers, connectObserver, processId, processLives } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ownPort } from '../support/ports.ts';
import { shareServer } from '../support/servers.ts';
import { readComparison, readSide } from '../support/session.ts';

/**
 * A way to a Redis server on which it says in INFO that it is Dragonfly: another field of the same length becomes
 * `dragonfly_version`. Dragonfly itself has no package that a test could fetch.
 * @returns the URL
 */
async function disguiseAsDragonfly(port: number): Promise<string> {
  const proxy = createServer(client => {
    const server = connect(port, '127.0.0.1');
    client.pipe(server);
    server.on('data', data => {
      const text = data.toString('latin1');
      const disguised = text.replace(/redis_build_id:\w+/, field =>
        'dragonfly_version:df-v1.'.padEnd(field.length, '4'),
      );
      client.write(disguised, 'latin1');
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.close();
  });
  return `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

describe('declared server is used started or stood in for', () => {
  const shipped = (name: string) => fileURLToPath(new URL(`../../configs/${name}.json`, import.meta.url));
  test('the target of configs/valkey.json starts valkey-server itself and leaves no process', async () => {
    const port = await ownPort();
    const url = `redis://localhost:${port}/0`;
    const experiment = await createExperiment(url);
    const before = await readdir(experiment.folder);
    let server: Promise<number> | undefined;
    const outcome = await experiment.run(['--target', shipped('valkey'), '--url', url, '--start'], {
      // What is started has its private folder here.
      env: { TMPDIR: experiment.folder },
      onOutput(output) {
        if (server === undefined && output.includes('Plan: '))
          server = connectObserver(`redis://127.0.0.1:${port}`).then(processId);
      },
    });
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stderr).toMatch(`started on 127.0.0.1:${port}`);
    expect(outcome.stdout + outcome.stderr).not.toMatch('STAND-IN');
    expect(outcome.stdout).toMatch(/e2e, measured on valkey \d/);
    const pid = await server;
    if (pid === undefined) throw new Error('expected to see the server');
    expect(processLives(pid)).toBe(false);
    expect(await answers(port)).toBe(false);
    expect((await readdir(experiment.folder)).toSorted()).toEqual([...before, 'results'].toSorted());
  });

  test('a server that is named by --url, POOLBENCH_URL or a URL is never replaced, unless --start asks for it', async () => {
    const url = `redis://127.0.0.1:${await ownPort()}`;
    const experiment = await createExperiment('redis://127.0.0.1:1');
    const refusal = { code: 3, stdout: '', stderr: expect.stringMatching(/nothing listens there.*--start/) };
    expect(await experiment.run(['--url', url])).toMatchObject(refusal);
    expect(await experiment.run([], { env: { POOLBENCH_URL: url } })).toMatchObject(refusal);
    expect(await runPoolbench(['claims', url], { cwd: experiment.folder })).toMatchObject(refusal);
    const checked = await runPoolbench(['check', experiment.configPath, '--start', '--url', url]);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringMatching(/started on 127/) });
  });

  test('a server of the declared kind that runs at the URL is used', async () => {
    const redis = await shareServer();
    const url = await disguiseAsDragonfly(redis.port);
    const experiment = await createExperiment(url, { target: { server: 'dragonfly', url } });
    const { code, stdout, stderr } = await runPoolbench(['check', experiment.configPath, '--no-stand-in']);
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).not.toMatch('STAND-IN');
    expect(stdout).toMatch(new RegExp(`^Target: dragonfly \\S+, .* \\(running at ${url}\\)`, 'm'));
  });

  test('another server there is a stand-in, labelled before and after, and no verdict is given', async () => {
    const { url } = await shareServer();
    // A design that C1 could be judged by.
    const scenarios = [{ client: 'wire', pools: [1, 2], workers: 60 }];
    const experiment = await createExperiment(url, { target: { server: 'dragonfly', url }, scenarios });
    const { code, stdout, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    const banner = /STAND-IN: .*redis \S+ .*dragonfly/;
    expect(stderr.slice(0, stderr.indexOf('Plan:'))).toMatch(banner);
    expect(stdout).toMatch(banner);
    const { target, claims, warnings } = await experiment.result();
    expect(target).toMatchObject({
      standIn: true,
      declared: { server: 'dragonfly', url },
      detected: { server: 'redis' },
    });
    expect(claims[0]).toMatchObject({ id: 'C1', verdict: 'not tested' });
    expect(claims[0]?.reason).toMatch(/dragonfly/);
    expect(warnings.join('\n')).toMatch(/stand-in: redis \S+ .*dragonfly/);

    const strict = await runPoolbench([shipped('dragonfly'), '--url', url, '--no-stand-in'], {
      cwd: experiment.folder,
    });
    expect(strict).toMatchObject({ code: 3, stdout: '' });
    expect(strict.stderr).toMatch(/dragonfly at \S+, .*redis/);
  });
});

describe('any server is taken as it is', () => {
  test('whatever answers at the URL is the target, and no stand-in', async () => {
    const server = await shareServer('valkey');
    const experiment = await createExperiment(server.url, { target: { server: 'any', url: server.url } });
    const { code, stdout, stderr } = await runPoolbench(['check', experiment.configPath, '--no-stand-in']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Target: valkey \S+, 1 thread \(running at /m);
    expect(stdout + stderr).not.toMatch('STAND-IN');
  });

  test('where nothing answers one is started', async () => {
    const url = `redis://localhost:${await ownPort()}`;
    const experiment = await createExperiment(url, { target: { server: 'any', url } });
    const { code, stdout, stderr } = await runPoolbench(['check', experiment.configPath, '--no-stand-in']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Target: redis \S+, 1 thread \(.*started on /m);
  });

  test('the embedded server stands in, or is refused', async () => {
    const url = `redis://localhost:${await ownPort()}`;
    const experiment = await createExperiment(url, { target: { server: 'any', url } });
    const env = await bareMachine(experiment.folder);
    const lenient = await runPoolbench(['check', experiment.configPath], { env });
    expect(lenient.code, lenient.stderr).toBe(0);
    expect(lenient.stdout).toMatch(/^STAND-IN: .*embedded /m);
    const strict = await runPoolbench(['check', experiment.configPath, '--no-stand-in'], { env });
    expect(strict.code).toBe(3);
    expect(strict.stderr).toMatch(/Redis, Valkey or Dragonfly at redis:/);
    for (const server of ['redis', 'valkey', 'dragonfly'])
      expect(strict.stderr).toContain(`- ${server}: binary on PATH: no `);
  });

  test('--target takes the target of another config, and --url goes over that', async () => {
    const [redis, valkey] = await Promise.all([shareServer(), shareServer('valkey')]);
    const experiment = await createExperiment(redis.url, { name: 'suite' });
    const target = { server: 'valkey', url: valkey.url };
    const other = await createExperiment(valkey.url, { name: 'other', rounds: 9, target });
    const { code, stderr } = await experiment.run(['--target', other.configPath]);
    expect(code, stderr).toBe(0);
    const result = await experiment.result();
    expect(result).toMatchObject({
      name: 'suite',
      config: { rounds: 1, target },
      target: { standIn: false },
    });
    expect(result.target).toMatchObject({ declared: target, detected: { server: 'valkey' } });

    const check = (...args: string[]) => runPoolbench(['check', experiment.configPath, ...args]);
    expect((await check('--target', other.configPath)).stdout).toMatch(/^Target: valkey /);
    expect((await check('--target', other.configPath, '--url', redis.url)).stdout).toMatch(
      /^STAND-IN: redis \S+ at \S+ stands in for valkey/,
    );
    const missing = await check('--target', join(other.folder, 'nothing.json'));
    expect(missing).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/nothing\.json/),
    });
    await writeFile(other.configPath, '{"name": "half"}');
    const invalid = await check('--target', other.configPath);
    expect(invalid).toMatchObject({ code: 2, stderr: expect.stringContaining(other.configPath) });
  });
});

describe('embedded server stands in loudly', () => {
  test('where no server can be had the run goes to the embedded one, and says so', async () => {
    const port = await ownPort();
    const experiment = await createExperiment(`redis://localhost:${port}`, {
      scenarios: [{ client: 'wire', workers: 4, pools: [1, 2], ...unhurried }],
      seconds: 0.2,
    });
    const env = await bareMachine(experiment.folder);
    // Not even --quiet makes a stand-in silent.
    const { code, stdout, stderr } = await experiment.run(['--quiet'], { env });
    expect(code, stderr).toBe(0);
    const [banner, ...listed] = stderr.split('\n');
    expect(banner).toMatch(new RegExp(`^STAND-IN: embedded \\S+ at 127.0.0.1:${port} .*redis`));
    expect(listed[0]).toMatch(/^ {2}- redis: .*no redis-server on PATH$/);
    expect(stdout.match(/STAND-IN/g)?.length).toBeGreaterThanOrEqual(1);
    expect(stdout).not.toMatch(/C1 (supported|refuted|inconclusive)/);

    const result = await experiment.result();
    expect(result).toMatchObject({
      complete: true,
      target: { declared: { server: 'redis' }, detected: { server: 'embedded' }, standIn: true, local: true },
    });
    expect(result.target.foundBy).toBe(`embedded server, started on 127.0.0.1:${port}`);
    expect(result.claims[0]).toMatchObject({ id: 'C1', verdict: 'not tested', measured: null });
    const reasons = result.target.standInReason;
    for (const step of [
      /binary on PATH: .*redis-server/,
      /Docker image: /,
      /distribution package: .*no network/,
    ])
      expect(reasons).toMatch(step);

    const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
    expect(rounds).toHaveLength(2);
    expect(rounds.some(({ completed }) => completed > 0)).toBe(true);
    for (const round of rounds) {
      expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0, issued: round.completed });
      expect(round.service.count).toBe(round.completed);
      expect(round.serverCalls).toBe(round.completed);
    }
    expect(await answers(port)).toBe(false);
  });

  test('--no-stand-in makes it an error that names every step and what to install', async () => {
    const experiment = await createExperiment(`redis://localhost:${await ownPort()}`);
    const env = await bareMachine(experiment.folder);
    const { code, stdout, stderr } = await experiment.run(['--no-stand-in', '--quiet'], { env });
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^poolbench: .*redis:/);
    for (const part of [
      'redis-server on PATH',
      'Docker',
      'no network',
      'apt install redis-server',
      '--no-stand-in',
    ])
      expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/^\s+at |STAND-IN|embedded/m);
    expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
  });
});

describe('server threads are swept', () => {
  async function createSwept(threads: unknown, server = 'redis') {
    const port = await ownPort();
    const url = `redis://localhost:${port}/0`;
    const target = { server, url, threads };
    return {
      port,
      experiment: await createExperiment(url, { name: 'swept', target, seconds: 0.05, rounds: 2 }),
    };
  }

  test('several numbers of server threads are as many servers, compared with one another', async () => {
    const { port, experiment } = await createSwept([1, 2]);
    const { code, stdout, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    const folder = await experiment.resultsFolder();
    expect((await readdir(folder)).toSorted()).toEqual([
      'comparison.html',
      'comparison.json',
      'comparison.md',
      'swept-1thread',
      'swept-2threads',
    ]);
    const sides = [await readSide(folder, 'swept-1thread'), await readSide(folder, 'swept-2threads')];
    expect(sides.map(({ target }) => target.detected.threads)).toEqual([1, 2]);
    expect(sides.map(({ config }) => config.target)).toMatchObject([{ threads: [1] }, { threads: [2] }]);
    for (const { warnings } of sides) expect(warnings.join('\n')).not.toMatch('server threads');
    const ports = sides.map(({ target }) =>
      Number(/started on 127\.0\.0\.1:(\d+)$/.exec(target.foundBy)?.[1]),
    );
    expect(new Set([...ports, port]).size).toBe(3);
    for (const used of ports) expect(await answers(used)).toBe(false);

    const comparison = await readComparison(folder);
    expect(comparison.checks.find(({ name }) => name === 'server threads')).toEqual({
      name: 'server threads',
      state: 'ok',
      values: ['1', '2'],
      note: expect.stringContaining('target.threads'),
    });
    expect(stdout).toContain('swept-2threads against swept-1thread');
  });

  test('one number of server threads is a run like any other', async () => {
    const { port, experiment } = await createSwept(2, 'valkey');
    const { code, stdout, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/swept, measured on valkey \S+, 2 threads/);
    const result = await experiment.result();
    expect(result.session).toBeUndefined();
    expect(result.target.detected.threads).toBe(2);
    expect(result.target.foundBy).toContain(`started on 127.0.0.1:${port}`);
  });

  test('check starts each of them and says what the sweep takes', async () => {
    const { experiment } = await createSwept([1, 2]);
    const { code, stdout, stderr } = await runPoolbench(['check', experiment.configPath, '--seconds', '1']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/Target: redis \S+, 1 thread \([\s\S]*Target: redis \S+, 2 threads \(/);
    expect(stdout).toMatch(/swept-1thread .*swept-2threads, [\s\S]* 5 s /);
  });

  test.each([[1], [[1, 2]]])('a server that runs already cannot be given %j threads', async threads => {
    const server = await shareServer();
    const target = { server: 'redis', url: server.url, threads };
    const experiment = await createExperiment(server.url, { target });
    for (const args of [
      ['run', experiment.configPath, '--out', join(experiment.folder, 'results')],
      ['check', experiment.configPath],
      ['versus', experiment.configPath, experiment.configPath, '--out', join(experiment.folder, 'results')],
    ]) {
      const { code, stderr } = await runPoolbench(args);
      expect(code).toBe(3);
      expect(stderr).toMatch(/poolbench: .* running at redis:\S+.*target\.threads\n$/);
    }
    expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
  });

  test.each([[0], [129], [1.5], ['2'], [[1, 0]]])('%j is no number of server threads', async threads => {
    const { experiment } = await createSwept(threads);
    expect(await rejection(readConfig(experiment.configPath))).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/target\.threads(\[1\])?: .* 1 to 128/),
    });
  });
});
