import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../src/main/server/server-process.ts';
import { disguiseAsDragonfly } from './support/disguise.ts';
import { createExperiment } from './support/experiment.ts';
import { answers, connectObserver, processId, processLives } from './support/observed-server.ts';
import { runPoolbench } from './support/poolbench.ts';
import { startRedis } from './support/servers.ts';

const shipped = (name: string) => fileURLToPath(new URL(`../configs/${name}.json`, import.meta.url));
/** A design that C1 could be judged by, were there more rounds. */
const scenarios = [{ client: 'wire', pools: [1, 2], workers: 60 }];

test('configs/valkey.json starts valkey-server itself and leaves no process', async () => {
  const port = await freePort();
  const url = `redis://localhost:${port}/0`;
  // Only for its folder.
  const experiment = await createExperiment(url);
  const before = await readdir(experiment.folder);
  let server: Promise<number> | undefined;
  const outcome = await runPoolbench(
    // As short as it goes: what it measures is of no interest here.
    [shipped('valkey'), '--quick', '--rounds', '1', '--seconds', '0.05', '--warmup', '0', '--url', url],
    {
      cwd: experiment.folder,
      // What is started has its private folder here.
      env: { TMPDIR: experiment.folder },
      onOutput(output) {
        if (server === undefined && output.includes('Plan: valkey'))
          server = connectObserver(`redis://127.0.0.1:${port}`).then(processId);
      },
    },
  );
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(outcome.stderr).toMatch(`started on 127.0.0.1:${port}`);
  expect(outcome.stdout + outcome.stderr).not.toMatch('STAND-IN');
  expect(outcome.stdout).toMatch(/valkey against valkey \d/);
  expect(outcome.stdout).toMatch(/^C1 inconclusive/);
  const pid = await server;
  if (pid === undefined) throw new Error('expected to see the server');
  expect(processLives(pid)).toBe(false);
  expect(await answers(port)).toBe(false);
  expect((await readdir(experiment.folder)).toSorted()).toEqual([...before, 'results'].toSorted());
});

test('where --url names a port at which nothing listens, nobody can take the server that is started for his own', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const warning = `nothing listened at ${url}, which --url names: these are figures of an empty redis`;
  const experiment = await createExperiment('redis://127.0.0.1:1');
  const checked = await runPoolbench(['check', experiment.configPath, '--url', url]);
  expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining(`warning: ${warning}`) });
  const { code, stdout, stderr } = await experiment.run(['--url', url, '--quiet']);
  expect(code, stderr).toBe(0);
  expect(stdout.replace(/\s+/g, ' ')).toContain(`Warning: ${warning}`);
  expect((await experiment.result()).warnings.join()).toMatch(warning);
});

test('a server of the declared kind that runs at the URL is used', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const url = await disguiseAsDragonfly(redis.port);
  const experiment = await createExperiment(url, { target: { server: 'dragonfly', url }, scenarios });
  const { code, stdout, stderr } = await experiment.run(['--no-stand-in']);
  expect(code, stderr).toBe(0);
  expect(stdout + stderr).not.toMatch('STAND-IN');
  const { target, claims } = await experiment.result();
  expect(target).toMatchObject({
    standIn: false,
    detected: { server: 'dragonfly' },
    foundBy: `running at ${url}`,
  });
  expect(claims[0]).toMatchObject({ id: 'C1', verdict: 'inconclusive' });
});

test('another server there is a stand-in, labelled before and after, and no verdict is given', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { url } = redis;
  const experiment = await createExperiment(url, { target: { server: 'dragonfly', url }, scenarios });
  const { code, stdout, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  const banner = /STAND-IN: these are figures of redis \S+, which stood in for dragonfly\./;
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
