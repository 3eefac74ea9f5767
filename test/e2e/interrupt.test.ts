import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../support/connections.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { answers, connectObserver, loadBegun, processId, processLives } from '../support/observed-server.ts';
import { ownPort } from '../support/ports.ts';
import { ofTest, shareServer, startRedis } from '../support/servers.ts';

/** Written at the end of a run. */
const forOtherTools = [
  ...['histograms', 'histograms.hlog', 'junit.xml'],
  ...['scenarios.csv', 'series.csv', 'server.csv'],
];

/** Nobody waits for the end of this. */
const forHours = { seconds: 3600 };

// As the system sends it SIGINT comes below, and by a terminal: to start a process takes longer than all the rest.
test('SIGINT: partial results with all of their files, no verdict on thresholds, no keys left, 130', async () => {
  const server = await shareServer();
  const redis = await connectObserver(server.url);
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: 'wire', workers: 4, pools: 2, ...unhurried }],
    rounds: 1000,
    seconds: 0.2,
    thresholds: { opsPerSecond: '>= 1' },
  });
  const running = experiment.start();
  await running.said('round 2/1000');
  expect(await redis.dbsize()).toBeGreaterThan(0);
  const folder = await experiment.resultsFolder();
  const during = await readdir(folder);
  expect(during).toContain('result.json');
  expect(during.filter(name => forOtherTools.includes(name))).toEqual([]);
  running.kill('SIGINT');
  const { code, stdout, stderr } = await running.outcome;
  expect(code, stderr).toBe(130);
  expect(stderr).toMatch(/stopping: .*Ctrl-C/);
  expect(stderr).toMatch(/Written: .*result\.json/);
  expect(stderr).toMatch(/^To resume .* run --resume \S+$/m);
  expect(stderr).not.toMatch(/^\s+at |defect/m);
  expect(stdout).toMatch('INCOMPLETE: ');
  expect(stdout).toMatch(/^Thresholds: not judged/m);
  expect(await readdir(folder)).toEqual(expect.arrayContaining(forOtherTools));
  expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toMatch(
    /tests="1" failures="0" errors="1" .*<error type="not judged"/s,
  );

  const result = await experiment.result();
  expect(result).toMatchObject({ complete: false, thresholds: [] });
  const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
  // And what came until it heard of the signal.
  expect(rounds.length).toBeGreaterThanOrEqual(2);
  expect(rounds.length).toBeLessThan(100);
  expect(rounds.some(({ completed }) => completed > 0)).toBe(true);
  for (const round of rounds) {
    expect(round).toMatchObject({ issued: round.completed, failed: {}, unfinished: 0 });
    // The last may have been cut short; what completes behind its end is in no throughput.
    expect(round.opsPerSecond).toBeLessThanOrEqual(round.completed / round.seconds + 1e-6);
    expect(round.serverCalls).toBe(round.completed);
  }
  expect(await redis.dbsize()).toBe(0);
});

test('SIGTERM: a long measurement ends, and the server that was started with it', async () => {
  const port = await ownPort();
  const url = `redis://127.0.0.1:${port}`;
  const experiment = await createExperiment(url, forHours);
  const running = experiment.start();
  await running.said('Plan:');
  const redis = await connectObserver(url);
  const server = await processId(redis);
  await loadBegun(redis);
  running.kill('SIGTERM');
  const outcome = await running.outcome;
  expect(outcome).toMatchObject({ code: 130, signal: null, stdout: expect.stringMatching('INCOMPLETE: ') });
  expect(outcome.stderr).not.toMatch('--resume');
  expect(processLives(server)).toBe(false);
  expect(await answers(port)).toBe(false);
  expect((await experiment.result()).complete).toBe(false);
});

test('a second interrupt ends the run at once, though the server answers no more', async () => {
  const port = await ownPort();
  const url = `redis://127.0.0.1:${port}`;
  // The drain would wait for an hour.
  const experiment = await createExperiment(url, { ...forHours, timeoutMs: 600_000 });
  const running = experiment.start([], { ownProcess: true });
  await running.said('Plan:');
  const redis = await connectObserver(url);
  const server = await processId(redis);
  await loadBegun(redis);
  await sleep(500);
  process.kill(server, 'SIGSTOP');
  running.kill('SIGINT');
  await running.said('stopping');
  // The first one alone would not have ended it by then.
  await sleep(300);
  running.kill('SIGINT');
  expect(await running.outcome).toMatchObject({ code: 130, signal: null });
  // Killed as poolbench exited; the system needs a moment to take it away.
  await expect.poll(() => processLives(server)).toBe(false);
  expect(await answers(port)).toBe(false);
});

test('SIGHUP: an interrupt while the run waits for a server that is gone', async () => {
  const server = await ofTest(startRedis());
  const experiment = await createExperiment(server.url, { rounds: 1000, timeoutMs: 600_000 });
  const running = experiment.start();
  await running.said('round 1/1000');
  await server.stop();
  await running.said('waiting up to 1200 s');
  running.kill('SIGHUP');
  const { code, stdout, stderr } = await running.outcome;
  expect(code, stderr).toBe(130);
  expect(stdout).toMatch('INCOMPLETE: ');
  const { complete, scenarios } = await experiment.result();
  expect(complete).toBe(false);
  expect(scenarios[0]?.rounds.length).toBeGreaterThanOrEqual(1);
});

test('an interrupt in the prefill: no load, no keys left', async () => {
  const server = await shareServer();
  const redis = await connectObserver(server.url);
  const experiment = await createExperiment(server.url, { workload: { keys: 400_000, valueBytes: 32 } });
  const running = experiment.start();
  await expect.poll(() => redis.dbsize(), { interval: 5 }).toBeGreaterThan(1000);
  running.kill('SIGINT');
  const { code, stdout } = await running.outcome;
  expect(code).toBe(130);
  expect(stdout).toMatch('INCOMPLETE: ');
  const result = await experiment.result();
  expect(result).toMatchObject({ complete: false, scenarios: [{ rounds: [], summary: null }] });
  const info = await redis.info('commandstats');
  const calls = (command: string) =>
    Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
  // The removal of the keys looks at their claim: once, and in each of its scripts.
  expect(calls('get')).toBeLessThanOrEqual(calls('eval') + 1);
  // It did not go on to the last key.
  expect(calls('set')).toBeLessThan(400_000);
  expect(await redis.dbsize()).toBe(0);
});

test('an interrupt while the target is started: nothing is left of it', async () => {
  const experiment = await createExperiment(`redis://127.0.0.1:${await ownPort()}`);
  // A server that starts, and then never answers.
  const bin = join(experiment.folder, 'bin');
  const pidFile = join(experiment.folder, 'pid');
  await mkdir(bin);
  await writeFile(
    join(bin, 'redis-server'),
    `#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.0.0" && exit\necho $$ > '${pidFile}'\nexec sleep 600\n`,
  );
  await chmod(join(bin, 'redis-server'), 0o755);
  // It ends by an exit.
  const running = experiment.start([], {
    ownProcess: true,
    env: { PATH: `${bin}${delimiter}${process.env.PATH}` },
  });
  await running.said('looking for a redis to start');
  let server = 0;
  // The file is there before its line.
  await until(async () => {
    server = Number(await readFile(pidFile, 'utf8').catch(() => ''));
    return server > 0;
  });
  expect(processLives(server)).toBe(true);
  running.kill('SIGINT');
  const { code, stdout, stderr } = await running.outcome;
  expect(code, stderr).toBe(130);
  expect(stdout).toBe('');
  await expect.poll(() => processLives(server)).toBe(false);
  expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
});
