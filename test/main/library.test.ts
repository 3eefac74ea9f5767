import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { ExperimentConfig, RunProgress } from '../../src/main/library.ts';
import { rejection } from '../support/connections.ts';
import { unhurried } from '../support/experiment.ts';
import { answers, connectObserver, loadBegun } from '../support/observed-server.ts';
import { ownPort } from '../support/ports.ts';
import { buildResult, buildRound, buildScenario } from '../support/result-builder.ts';
import { shareServer } from '../support/servers.ts';

/** Compiled, as it ships: its threads run no TypeScript. */
const { check, compare, run }: typeof import('../../src/main/library.ts') = await import(
  new URL('../../dist/main/library.js', import.meta.url).href
);

/** Where the program runs, which is to stay empty. */
let folder: string;
let printed: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  const before = process.cwd();
  process.chdir(folder);
  printed = '';
  const spies = [process.stdout, process.stderr].map(stream =>
    vi.spyOn(stream, 'write').mockImplementation(text => {
      printed += String(text);
      return true;
    }),
  );
  onTestFinished(async () => {
    for (const spy of spies) spy.mockRestore();
    process.chdir(before);
    await rm(folder, { recursive: true, force: true });
  });
});

const config = (url: string, changes: Partial<ExperimentConfig> = {}): ExperimentConfig => ({
  name: 'library',
  target: { server: 'redis', url },
  workload: { keys: 200 },
  scenarios: [{ client: 'wire', workers: [3, 4], ...unhurried }],
  rounds: 1,
  seconds: 0.2,
  warmupSeconds: 0,
  ...changes,
});

test('a run returns its result, and neither prints nor writes anything', async () => {
  const server = await shareServer();
  const steps: RunProgress[] = [];
  const {
    results,
    comparison,
    folder: own,
  } = await run(config(server.url), {
    onProgress: step => steps.push(step),
  });
  expect({ comparison, own }).toEqual({ comparison: null, own: null });
  expect(results).toHaveLength(1);
  const [result] = results;
  expect(result).toMatchObject({ complete: true, name: 'library', target: { standIn: false } });
  for (const { rounds } of result.scenarios) {
    expect(rounds).toHaveLength(1);
    expect(rounds[0]?.completed).toBeGreaterThan(0);
  }
  const measured = steps.flatMap(step => (step.kind === 'measured' ? [step] : []));
  expect(measured.map(({ scenario }) => scenario).sort()).toEqual(
    result.scenarios.map(({ id }) => id).sort(),
  );
  expect(measured[0]).toMatchObject({ round: 1, rounds: 1 });
  expect(steps.some(step => step.kind === 'message' && step.text.startsWith('Plan: library'))).toBe(true);

  expect(printed).toBe('');
  expect(await readdir(folder)).toEqual([]);
  const redis = await connectObserver(server.url);
  expect(await redis.dbsize()).toBe(0);
});

test('with a folder for results, what it returns is what result.json has', async () => {
  const server = await shareServer();
  const { results, folder: own } = await run(config(server.url), { resultsDir: 'kept' });
  expect(own).toMatch(/^kept\/.*-library$/);
  const file = await readFile(join(folder, own ?? '', 'result.json'), 'utf8');
  expect(JSON.stringify(results[0])).toBe(JSON.stringify(JSON.parse(file)));
  expect(await readdir(join(folder, own ?? ''))).toContain('report.html');
  // What was measured compares with itself, from memory and from its folder.
  const { sides, scenarios } = await compare([results[0], own ?? '']);
  expect(sides.map(({ name }) => name)).toEqual(['library', 'library-2']);
  expect(scenarios[0]?.sides[1]?.ratios?.throughput?.median).toBe(1);
  expect(printed).toBe('');
});

test('several numbers of server threads are targets of one run, which are compared', async () => {
  const url = `redis://127.0.0.1:${await ownPort()}`;
  const { results, comparison } = await run(
    config(url, {
      target: { server: 'redis', url, threads: [1, 2] },
      scenarios: [{ client: 'wire', workers: 3, ...unhurried }],
    }),
  );
  expect(results.map(({ target }) => target.detected.threads)).toEqual([1, 2]);
  expect(comparison?.sides.map(({ paired }) => paired)).toEqual([null, true]);
  expect(await readdir(folder)).toEqual([]);
});

test('an abort keeps what was measured, and removes the keys', async () => {
  const server = await shareServer();
  const stop = new AbortController();
  const listeners = process.listenerCount('SIGINT');
  let measured = 0;
  const { results } = await run(config(server.url, { rounds: 1000 }), {
    signal: stop.signal,
    onProgress({ kind }) {
      expect(process.listenerCount('SIGINT')).toBe(listeners);
      if (kind === 'measured' && ++measured === 3) stop.abort();
    },
  });
  expect(results[0].complete).toBe(false);
  expect(results[0].scenarios.flatMap(({ rounds }) => rounds).length).toBeGreaterThanOrEqual(3);
  const redis = await connectObserver(server.url);
  expect(await redis.dbsize()).toBe(0);
  expect(printed).toBe('');
});

test('an abort in the middle of a long window ends it', async () => {
  const server = await shareServer();
  const stop = new AbortController();
  const running = run(config(server.url, { seconds: 3600 }), { signal: stop.signal });
  await loadBegun(await connectObserver(server.url));
  stop.abort();
  expect((await running).results[0].complete).toBe(false);
});

test('an abort before the target is found rejects with its reason, and leaves no server', async () => {
  const port = await ownPort();
  const url = `redis://127.0.0.1:${port}`;
  const before = { signal: AbortSignal.abort('before') };
  await expect(run(config(url), before)).rejects.toBe('before');
  await expect(check(config(url), before)).rejects.toBe('before');
  const stop = new AbortController();
  const elsewhere = `redis://127.0.0.1:${await ownPort()}`;
  const checking = check(config(elsewhere), { signal: stop.signal });
  setImmediate(() => stop.abort('enough'));
  await expect(checking).rejects.toBe('enough');

  // It answers, and is asked what it is: it is stopped after that.
  const late = new AbortController();
  let wasUp: Promise<boolean> | undefined;
  const running = run(config(url), {
    signal: late.signal,
    onProgress(step) {
      if (step.kind !== 'message' || !step.text.includes(`started on 127.0.0.1:${port}`)) return;
      wasUp = answers(port);
      late.abort('late');
    },
  });
  await expect(running).rejects.toBe('late');
  expect(await wasUp).toBe(true);
  await expect.poll(() => answers(port)).toBe(false);
});

test('a run that failed is an error with its code, and with what was measured', async () => {
  const server = await shareServer();
  await (await connectObserver(server.url)).replicaof('127.0.0.1', 1);
  const error = await rejection(run(config(server.url)));
  expect(error).toMatchObject({
    name: 'RunFailedError',
    code: 'TOO_MANY_FAILURES',
    exitCode: 1,
    measured: { folder: null, results: [{ complete: true, scenarios: [{ rounds: [{ round: 1 }] }, {}] }] },
  });
});

test('what is wrong before the load is an error with its code', async () => {
  const unknown = { ...config('redis://127.0.0.1:1'), round: 3 };
  expect(await rejection(run(unknown))).toMatchObject({
    name: 'PoolbenchError',
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('round'),
  });
  expect(await rejection(check('missing.json'))).toMatchObject({ code: 'CONFIG_MISSING' });
  expect(await rejection(run(config('rediss://127.0.0.1:1')))).toMatchObject({
    code: 'TARGET_UNREACHABLE',
    exitCode: 3,
  });
  const [here, there] = [build(100), build(200)];
  expect(await rejection(compare([here, there]))).toMatchObject({ code: 'RESULTS_NOT_COMPARABLE' });
  expect((await compare([here, there], { force: true })).sides).toHaveLength(2);
  expect(printed).toBe('');
});

const build = (keys: number) =>
  buildResult([buildScenario({ workers: 10 }, [buildRound(1, 20_000)])], { config: { workload: { keys } } });

test('a check returns the target and the plan, and loads nothing', async () => {
  const server = await shareServer();
  const checked = await check(config(server.url, { rounds: 10 }));
  expect(checked).toMatchObject({
    targets: [{ name: 'library', target: { standIn: false, foundBy: `running at ${server.url}` } }],
    rounds: { atLeast: 10, atMost: 10 },
  });
  expect(checked.scenarios).toHaveLength(2);
  // Two scenarios, ten rounds, 0.2 s and what lies between two of them.
  expect(checked.seconds.atMost).toBeGreaterThan(4);
  expect(checked.seconds.atMost).toBe(checked.seconds.atLeast);
  expect(printed).toBe('');
});
