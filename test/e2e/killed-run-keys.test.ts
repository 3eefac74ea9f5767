import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Result, resultSchema } from '../../src/aggregate/result.ts';
import { keyName } from '../../src/pool/client/batch.ts';
import { until } from '../support/connections.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver, loadBegun, measuring } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startProxy } from '../support/proxy.ts';
import { ofTest, startRedis } from '../support/servers.ts';

const ownProcess = { ownProcess: true };

/**
 * A run on a server of the test's own, through a proxy in this process: while this process has no core, the run gets no further,
 * so it cannot end before it is killed.
 */
async function createRun(config: Readonly<Record<string, unknown>> = {}) {
  const server = await ofTest(startRedis());
  const observer = await connectObserver(server.url);
  const proxy = await startProxy(server.port);
  const experiment = await createExperiment(`redis://127.0.0.1:${proxy.port}`, {
    workload: { keys: 300, readShare: 1 },
    scenarios: [{ client: 'wire', workers: 2, ...unhurried }],
    rounds: 3,
    seconds: 0.2,
    ...config,
  });
  /** Resolves when the server has lost its connections, too. */
  const killNow = async (running: ReturnType<typeof experiment.start>) => {
    running.kill('SIGKILL');
    expect((await running.outcome).signal).toBe('SIGKILL');
    await until(() => proxy.open === 0);
  };
  return {
    server,
    observer,
    experiment,
    killNow,
    rounds: async () => (await experiment.result()).scenarios.map(({ rounds }) => rounds.length),
    /** In this process, unless another one is resumed here at the same time: then in a process of its own. */
    async resume(folder?: string, ...args: string[]) {
      return await runPoolbench(['run', '--resume', folder ?? (await experiment.resultsFolder()), ...args]);
    },
    /** Runs it, and kills it at the end of that round; without one, in the warm-up of its threads. */
    async kill(round?: string) {
      const running = experiment.start([], ownProcess);
      await (round === undefined ? loadBegun(observer) : running.said(round));
      await killNow(running);
    },
  };
}

/** A population has keys of its own. */
const withPopulation = {
  scenarios: [{ client: 'wire', workers: 2, ...unhurried, beside: ['others'] }],
  populations: [
    { name: 'others', client: 'wire', workers: 2, ...unhurried, workload: { keys: 200, readShare: 1 } },
  ],
};

describe('keys of a run that was killed', () => {
  test('are removed by --resume if no round had ended, and not called those of another run', async () => {
    const { observer, experiment, kill, resume, rounds } = await createRun(withPopulation);
    await kill();
    expect(await observer.exists('poolbench:1:claim', 'poolbench:1.1:claim')).toBe(2);
    expect(await rounds()).toEqual([0]);
    const { code, stderr } = await resume();
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('poolbench:1:');
    expect(await observer.dbsize()).toBe(0);
    expect(await rounds()).toEqual([3]);
    const { complete, warnings, keyClaims } = await experiment.result();
    expect({ complete, keyClaims }).toEqual({ complete: true, keyClaims: undefined });
    // There is no gap between its rounds.
    expect(warnings.join('\n')).not.toMatch(/other poolbench runs|already existed|resumed/);
  });

  test('are removed by --resume if it was killed while it removed them', async () => {
    const { observer, experiment, killNow, resume, rounds } = await createRun({ rounds: 1, seconds: 4 });
    const running = experiment.start([], ownProcess);
    await measuring(observer);
    // What the load does not need, and the removal waits for.
    await observer.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    await expect.poll(rounds).toEqual([1]);
    await killNow(running);
    await observer.call('CLIENT', 'UNPAUSE');
    expect(await observer.exists('poolbench:1:claim')).toBe(1);
    expect((await experiment.result()).complete).toBe(false);
    const { code, stderr } = await resume();
    expect(code, stderr).toBe(0);
    expect(await observer.dbsize()).toBe(0);
    expect(await rounds()).toEqual([1]);
    expect((await experiment.result()).complete).toBe(true);
  });

  test('are left alone if the claim is lost or held by another run, the server does not show whether the run has ended, or the prefix is not one of poolbench', async () => {
    const { observer, experiment, kill, resume } = await createRun();
    await kill('round 2/3');
    const keys = await observer.dbsize();
    const left = await experiment.resultsFolder();
    /** Resumes a copy of the run with another `keyClaims`. */
    const resumeWith = async (keyClaims: Result['keyClaims'], ...args: string[]) => {
      const copy = await mkdtemp(join(experiment.folder, 'copy-'));
      const result = resultSchema.parse(JSON.parse(await readFile(join(left, 'result.json'), 'utf8')));
      await writeFile(join(copy, 'result.json'), JSON.stringify({ ...result, keyClaims }));
      const { code, stderr } = await resume(copy, ...args);
      expect(code, stderr).toBe(0);
      return stderr;
    };
    const { keyClaims } = await experiment.result();
    expect(keyClaims?.prefixes.map(({ prefix }) => prefix)).toEqual(['poolbench:1:']);

    expect(await resumeWith(undefined)).toContain('(poolbench:1:)');
    expect(await observer.dbsize()).toBe(keys);

    await observer.acl('SETUSER', 'default', '-client|list');
    expect(await resumeWith(keyClaims)).toContain('(poolbench:1:)');
    expect(await observer.dbsize()).toBe(keys);
    await observer.acl('SETUSER', 'default', '+client|list');

    await observer.mset('app:claim', 'token', 'app:00000000', 'precious');
    const prefixes = [{ prefix: 'app:', token: 'token', keys: 1 }];
    await resumeWith({ connectionName: '', ...keyClaims, prefixes }, '--force');
    expect(await observer.get('app:00000000')).toBe('precious');

    const keysOfOther = Array.from({ length: 200 }, (_, number) => keyName('poolbench:1:', number));
    await observer
      .multi()
      .flushall()
      .mset('poolbench:1:claim', 'another run', ...keysOfOther.flatMap(key => [key, 'its value']))
      .exec();
    await resumeWith(keyClaims);
    expect(await observer.dbsize()).toBe(201);
    expect(await observer.get('poolbench:1:00000199')).toBe('its value');
  });

  test('can still be removed after a resumed run that could not tell whether the killed one had ended', async () => {
    const { observer, experiment, kill, resume } = await createRun();
    await kill('round 2/3');
    const killed = (await experiment.result()).keyClaims;
    const keys = await observer.dbsize();
    await observer.acl('SETUSER', 'default', '-client|list');
    expect((await resume()).code).toBe(0);
    expect(await observer.dbsize()).toBe(keys);
    const { complete, keyClaims } = await experiment.result();
    expect(complete).toBe(true);
    expect(keyClaims?.prefixes).toEqual([{ ...killed?.prefixes[0], connectionName: killed?.connectionName }]);
    // Still not: the claims stay.
    expect((await resume()).code).toBe(0);
    expect((await experiment.result()).keyClaims).toEqual(keyClaims);
    await observer.acl('SETUSER', 'default', '+client|list');
    const { code, stderr } = await resume();
    expect(code, stderr).toBe(0);
    expect(await observer.dbsize()).toBe(0);
    expect((await experiment.result()).keyClaims).toBeUndefined();
  });

  test('are named, with the command that removes them, at the end of a run, by report and by --resume, which ends with 3 if their server is gone', async () => {
    const { server, observer, experiment, kill, resume } = await createRun();
    await kill('round 2/3');
    await observer.acl('SETUSER', 'default', '-client|list');
    const folder = await experiment.resultsFolder();
    const [end, report, again] = [await resume(), await runPoolbench(['report', folder]), await resume()];
    const left = /^Keys .* poolbench:1:\. .*run --resume .*\n/m.exec(end.stderr)?.[0];
    expect(left).toContain(relative('.', folder));
    expect(report).toMatchObject({ code: 0, stderr: left });
    expect(again.stderr).toContain(left);
    await server.stop();
    const gone = await resume();
    expect(gone).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining(left ?? '') });
    // The proxy that the run goes by takes connections, and resets them.
    expect(gone.stderr).toMatch(/^poolbench: expected .*ECONNRESET.*\nKeys .*\n$/m);
  });

  test('go with the libraries that the run had loaded, and without those that it had found', async () => {
    const library = (name: string, body = '1') =>
      `#!lua name=${name}\nredis.register_function('${name}', function() return ${body} end)`;
    const { observer, experiment, kill, resume } = await createRun({
      workload: { keys: 100, functions: ['own', 'found', 'replaced'].map(name => library(name)) },
    });
    await observer.function('LOAD', library('found'));
    await kill('round 2/3');
    const { keyClaims } = await experiment.result();
    expect(keyClaims?.prefixes).toMatchObject([{ libraries: ['own', 'replaced'] }]);
    await observer.function('LOAD', 'REPLACE', library('replaced', '2'));
    const { code, stderr } = await resume();
    expect(code, stderr).toBe(0);
    const libraries = JSON.stringify(await observer.function('LIST'));
    expect(['own', 'found', 'replaced'].filter(name => libraries.includes(`"${name}"`))).toEqual([
      'found',
      'replaced',
    ]);
    expect(await observer.dbsize()).toBe(0);
  });
});

describe('keys of a command that cannot be resumed', () => {
  test('are removed from the server of a killed versus by run --resume of each side, once it has ended', async () => {
    const { observer, experiment, killNow, resume } = await createRun({ rounds: 1000 });
    const other = join(experiment.folder, 'other.json');
    await cp(experiment.configPath, other);
    const running = experiment.start([other], { command: 'versus', ...ownProcess });
    await running.said('round 2/1000');
    const folder = await experiment.resultsFolder();
    const sides = (await readdir(folder, { withFileTypes: true })).filter(entry => entry.isDirectory());
    expect(sides).toHaveLength(2);
    const [first = '', second = ''] = sides.map(({ name }) => join(folder, name));
    expect(await resume(first)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^poolbench: .+\n$/),
    });
    await killNow(running);
    expect(await observer.dbsize()).toBe(602);
    const whole = await resume(folder);
    expect(whole.code).toBe(2);
    for (const side of [first, second])
      expect(whole.stderr).toContain(`run --resume ${relative('.', side)}\n`);
    for (const [side, left] of [
      [first, 301],
      [second, 0],
    ] as const) {
      const { code, stderr } = await resume(side);
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/^Removed 300 keys/m);
      expect(await observer.dbsize()).toBe(left);
    }
    const { code, stderr } = await resume(first);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^poolbench: .*several targets.*\n$/);
    expect((await resume(join(first, 'result.json'))).code).toBe(2);
    expect(await resume(folder)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^poolbench: .+\n$/),
    });
  });

  test('are removed from the server of a killed search by run --resume of its steps', async () => {
    const { observer, experiment, killNow, resume } = await createRun({
      scenarios: [{ client: 'wire', workers: 4, arrival: { kind: 'constant', rate: 1000 } }],
      rounds: undefined,
      search: { completedShare: 0, failedShare: 1 },
    });
    const running = experiment.start([], { command: 'search', ...ownProcess });
    await running.said('step 1');
    await killNow(running);
    expect(await observer.dbsize()).toBe(301);
    const steps = join(await experiment.resultsFolder(), 'steps');
    expect(await resume()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`run --resume ${relative('.', steps)}\n`),
    });
    const { code, stderr } = await resume(steps);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch('It is not continued');
    expect(await observer.dbsize()).toBe(0);
    expect((await resume(steps)).code).toBe(2);
    expect(await resume()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing is left to do in them'),
    });
  });
});

test('a run that has not ended is not resumed, in its folder or a copy of it; once it is killed, one of two commands resumes it', async () => {
  const { observer, experiment, killNow, resume, rounds } = await createRun({
    rounds: 2,
    seconds: 4,
    ...withPopulation,
  });
  const running = experiment.start([], ownProcess);
  await running.said('round 1/2');
  await until(async () => (await rounds())[0] === 1);
  // However long the commands below take: it holds its connections, and does nothing.
  running.kill('SIGSTOP');
  const folder = await experiment.resultsFolder();
  const copy = join(experiment.folder, 'copy');
  await cp(folder, copy, { recursive: true });
  const keys = await observer.dbsize();
  for (const resumed of [folder, copy]) {
    const { code, stderr } = await resume(resumed);
    expect(code, stderr).toBe(3);
    // Nothing else is printed.
    expect(stderr).toMatch(/^poolbench: expected the run .* to have ended.*\n$/);
  }
  expect(await observer.dbsize()).toBe(keys);
  expect(await rounds()).toEqual([1]);
  await killNow(running);

  // One of them ends before the load, or without writing anything.
  const outcomes = await Promise.all([resume(), resume()]);
  const codes = outcomes.map(({ code }) => code ?? -1).sort();
  expect(codes[0], outcomes.map(({ stderr }) => stderr).join('\n---\n')).toBe(0);
  expect([2, 3]).toContain(codes[1]);
  expect(await rounds()).toEqual([2]);
  const { complete, warnings } = await experiment.result();
  expect(complete).toBe(true);
  expect(warnings.filter(warning => warning.includes('resumed'))).toHaveLength(1);
  expect(await observer.dbsize()).toBe(0);
});
