import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { keyName } from '../../src/pool/client/batch.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver, loadBegun, measuring } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ofTest, startRedis } from '../support/servers.ts';

const ownProcess = { ownProcess: true };

/** A run with a population, on a server of the test's own. */
async function createRun(config: Readonly<Record<string, unknown>> = {}) {
  const server = await ofTest(startRedis());
  const observer = await connectObserver(server.url);
  const load = { client: 'wire', workers: 2, ...unhurried };
  const experiment = await createExperiment(server.url, {
    workload: { keys: 300, readShare: 1 },
    scenarios: [{ ...load, beside: ['others'] }],
    populations: [{ name: 'others', ...load, workload: { keys: 200, readShare: 1 } }],
    rounds: 3,
    seconds: 0.2,
    ...config,
  });
  const file = async () => join(await experiment.resultsFolder(), 'result.json');
  return {
    observer,
    experiment,
    file,
    rounds: async () => (await experiment.result()).scenarios.map(({ rounds }) => rounds.length),
    async resume(...args: string[]) {
      return await runPoolbench(['run', '--resume', await experiment.resultsFolder(), ...args], ownProcess);
    },
    /** Runs it, and kills it at the end of that round; without one, in the warm-up of its threads. */
    async kill(round?: string) {
      const running = experiment.start([], ownProcess);
      await (round === undefined ? loadBegun(observer) : running.said(round));
      running.kill('SIGKILL');
      expect((await running.outcome).signal).toBe('SIGKILL');
    },
  };
}

describe('keys of a run that was killed', () => {
  test.each([undefined, 'round 1/3', 'round 2/3'])(
    'are removed by --resume after kill -9 (round: %s), and not called those of another run',
    async moment => {
      const { observer, experiment, kill, resume, rounds } = await createRun();
      await kill(moment);
      expect(await observer.exists('poolbench:1:claim', 'poolbench:1.1:claim')).toBe(2);
      const before = await rounds();
      const { code, stderr } = await resume();
      expect(code, stderr).toBe(0);
      expect(stderr).toContain('poolbench:1:');
      expect(await observer.dbsize()).toBe(0);
      expect(await rounds()).toEqual([3]);
      const { complete, warnings, keyClaims } = await experiment.result();
      expect({ complete, keyClaims }).toEqual({ complete: true, keyClaims: undefined });
      expect(warnings.join('\n')).not.toMatch(/other poolbench runs|already existed/);
      // A run without a finished round has no gap between its rounds.
      expect(warnings.filter(warning => warning.includes('resumed'))).toHaveLength(before[0] === 0 ? 0 : 1);
    },
  );

  test('are removed by --resume if it was killed while it removed them', async () => {
    const { observer, experiment, resume, rounds } = await createRun({ rounds: 1, seconds: 4 });
    const running = experiment.start([], ownProcess);
    await measuring(observer);
    // What the load does not need, and the removal waits for.
    await observer.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    await expect.poll(rounds, { timeout: 20_000 }).toEqual([1]);
    running.kill('SIGKILL');
    await running.outcome;
    await observer.call('CLIENT', 'UNPAUSE');
    expect(await observer.exists('poolbench:1:claim')).toBe(1);
    expect((await experiment.result()).complete).toBe(false);
    const { code, stderr } = await resume();
    expect(code, stderr).toBe(0);
    expect(await observer.dbsize()).toBe(0);
    expect(await rounds()).toEqual([1]);
    expect((await experiment.result()).complete).toBe(true);
  });

  test('are left alone if the server was emptied and another run has taken the prefix since', async () => {
    const { observer, kill, resume } = await createRun();
    await kill('round 2/3');
    const keysOfOther = Array.from({ length: 200 }, (_, number) => keyName('poolbench:1:', number));
    await observer
      .multi()
      .flushall()
      .mset('poolbench:1:claim', 'another run', ...keysOfOther.flatMap(key => [key, 'its value']))
      .exec();
    const { code, stderr } = await resume();
    expect(code, stderr).toBe(0);
    expect(await observer.dbsize()).toBe(201);
    expect(await observer.get('poolbench:1:00000199')).toBe('its value');
  });

  test('are left alone without permission to see whether the run has ended, and if its results have no claim', async () => {
    const { observer, kill, resume, file } = await createRun({ rounds: 4 });
    await kill('round 2/4');
    const keys = await observer.dbsize();
    const text = await readFile(await file(), 'utf8');
    const { keyClaims, ...old } = resultSchema.parse(JSON.parse(text));
    expect(keyClaims?.prefixes.map(({ prefix }) => prefix)).toEqual(['poolbench:1:', 'poolbench:1.1:']);
    await writeFile(await file(), JSON.stringify(old));
    const ofOld = await resume();
    expect(ofOld.code, ofOld.stderr).toBe(0);
    expect(ofOld.stderr).toContain('(poolbench:1.1:, poolbench:1:)');
    expect(await observer.dbsize()).toBe(keys);

    await writeFile(await file(), text);
    await observer.acl('SETUSER', 'default', '-client|list');
    const { code, stderr } = await resume();
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('(poolbench:1.1:, poolbench:1:)');
    expect(await observer.dbsize()).toBe(keys);
  });

  test('are never those of other programs, whatever a result says', async () => {
    const { observer, kill, resume, file } = await createRun();
    await kill('round 2/3');
    await observer.mset('app:claim', 'token', 'app:00000000', 'precious');
    const result = JSON.parse(await readFile(await file(), 'utf8'));
    const prefixes = [{ prefix: 'app:', token: 'token', keys: 1 }];
    await writeFile(
      await file(),
      JSON.stringify({ ...result, keyClaims: { ...result.keyClaims, prefixes } }),
    );
    const { code, stderr } = await resume('--force');
    expect(code, stderr).toBe(0);
    expect(await observer.get('app:00000000')).toBe('precious');
  });
});

describe('run that has not ended', () => {
  test('is not resumed, in its folder or a copy of it, and loses neither keys nor rounds', async () => {
    const { observer, experiment, rounds } = await createRun({ rounds: 2, seconds: 8 });
    const running = experiment.start([], ownProcess);
    await running.said('round 1/2');
    const folder = await experiment.resultsFolder();
    const copy = join(experiment.folder, 'copy');
    await cp(folder, copy, { recursive: true });
    const keys = await observer.dbsize();
    for (const resumed of [folder, copy]) {
      const { code, stderr } = await runPoolbench(['run', '--resume', resumed]);
      expect(code, stderr).toBe(3);
      expect(stderr).toMatch(/poolbench: expected the run .* to have ended/);
    }
    expect(await observer.dbsize()).toBe(keys);
    const { code, stderr } = await running.outcome;
    expect(code, stderr).toBe(0);
    expect(await rounds()).toEqual([2]);
    const { complete, scenarios, warnings } = await experiment.result();
    expect(complete).toBe(true);
    expect(warnings.join('\n')).not.toMatch(/another run/);
    for (const { misses } of scenarios[0]?.rounds ?? []) expect(misses).toBe(0);
    expect(await observer.dbsize()).toBe(0);
  });

  test('is resumed by one of two commands that begin at once; the other ends before the load or writes nothing', async () => {
    const { observer, experiment, kill, resume, rounds } = await createRun();
    await kill('round 2/3');
    const outcomes = await Promise.all([resume(), resume()]);
    const codes = outcomes.map(({ code }) => code ?? -1).sort();
    expect(codes[0], outcomes.map(({ stderr }) => stderr).join('\n---\n')).toBe(0);
    expect([2, 3]).toContain(codes[1]);
    expect(await rounds()).toEqual([3]);
    expect((await experiment.result()).complete).toBe(true);
    expect(await observer.dbsize()).toBe(0);
  });
});
