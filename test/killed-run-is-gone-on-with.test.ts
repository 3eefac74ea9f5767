import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Result, resultSchema } from '../src/aggregate/result.ts';
import { freePort } from '../src/main/server/server-process.ts';
import { createExperiment } from './support/experiment.ts';
import { answers, connectObserver, processId, processLives } from './support/observed-server.ts';
import { runPoolbench } from './support/poolbench.ts';
import { startRedis, startValkey } from './support/servers.ts';

const ofRounds = ({ scenarios }: Result) => scenarios.map(({ rounds }) => rounds.map(({ round }) => round));

test('kill -9 leaves all finished rounds; --resume keeps them, does the rest, and says so', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await connectObserver(server.url);
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: 'wire', workers: [2, 4, 6] }],
    rounds: 4,
    seconds: 0.15,
    seed: 7,
  });
  const running = experiment.start([], { ownProcess: true });
  await running.said('round 3/4  1/3');
  running.kill('SIGKILL');
  const killed = await running.outcome;
  expect(killed.signal).toBe('SIGKILL');
  const folder = await experiment.resultsFolder();
  const left = await experiment.result();
  expect(left.complete).toBe(false);
  expect(ofRounds(left)).toEqual(Array(3).fill([1, 2]));
  expect(await redis.exists('poolbench:7:claim')).toBe(1);

  const resume = (...args: string[]) => runPoolbench(['run', '--resume', folder, ...args]);
  const resumed = await resume();
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch('Resumed: 2 rounds');
  expect(resumed.stderr).toMatch(/\(poolbench:7:\)/);
  expect(resumed.stdout).toMatch(/Warning: .*2 finished rounds/);
  const order = (stderr: string) =>
    [...stderr.matchAll(/^round (\d\/4 +\d\/3) .* (\S+)$/gm)].map(m => m.slice(1));
  // The third round is begun anew, in its own order.
  expect(order(resumed.stderr).map(([place]) => place?.[0])).toEqual(['3', '3', '3', '4', '4', '4']);
  const begun = order(killed.stderr).slice(6);
  expect(begun.length).toBeGreaterThan(0);
  expect(order(resumed.stderr).slice(0, begun.length)).toEqual(begun);

  const whole = await experiment.result();
  expect(whole).toMatchObject({ complete: true, startedAt: left.startedAt, seed: 7, config: left.config });
  expect(ofRounds(whole)).toEqual(Array(3).fill([1, 2, 3, 4]));
  for (const [index, { rounds }] of whole.scenarios.entries()) {
    expect(rounds.slice(0, 2)).toEqual(left.scenarios[index]?.rounds);
    for (const round of rounds) expect(round.serverCalls).toBe(round.completed);
  }
  expect(whole.resumed).toEqual([
    { at: expect.stringMatching(/^\d{4}-/), afterRounds: 2, gapSeconds: expect.any(Number) },
  ]);
  // Its own keys are gone; those of the killed run are not its own to remove.
  expect((await redis.keys('poolbench:*')).some(key => !key.startsWith('poolbench:7:'))).toBe(false);

  const calls = await redis.info('commandstats');
  const again = await resume('--quiet');
  expect(again).toMatchObject({ code: 0, stdout: resumed.stdout });
  expect(again.stderr).toMatch(/^.+\n$/);
  expect(/cmdstat_get:calls=\d+/.exec(await redis.info('commandstats'))?.[0]).toBe(
    /cmdstat_get:calls=\d+/.exec(calls)?.[0],
  );

  // JSON cannot shout.
  const unverified = { ...whole, target: { ...whole.target, unverified: true } };
  await writeFile(join(folder, 'result.json'), JSON.stringify(unverified));
  const json = await resume('--json');
  expect(json.stderr).toMatch(/^NOT VERIFIED: /m);
  expect(JSON.parse(json.stdout)).toEqual(unverified);

  // What cannot belong to it is refused, before any load.
  await writeFile(join(folder, 'result.json'), JSON.stringify({ ...whole, complete: false }));
  const refusals: [string[], RegExp][] = [
    [['--rounds', '9'], /--rounds.*--resume/],
    [['config.json'], /CONFIG.*--resume.*config\.json/],
    [['--url', 'redis://127.0.0.1:1'], /redis at redis:\/\/127\.0\.0\.1:1/],
  ];
  for (const [args, message] of refusals) {
    const { code, stderr } = await resume(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  }
  await server.stop();
  const successor = await startValkey({ port: server.port });
  onTestFinished(() => successor.stop());
  const other = await resume();
  expect(other.stderr).toMatch(/redis 7\S+ with 1 thread, .*valkey \d/);
  expect(other.code).toBe(2);
  const side = { ...whole, complete: false, session: 'a' };
  await writeFile(join(folder, 'result.json'), JSON.stringify(side));
  expect((await resume()).stderr).toMatch(/found a side of several, which were measured in turn/);
});

test('kill -9 in the first round, on a server that was started: nothing of it is left', async () => {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const experiment = await createExperiment(url, {
    scenarios: [{ client: 'wire', workers: 4, pools: 2 }],
    rounds: 3,
  });
  const running = experiment.start([], { ownProcess: true });
  await running.said('round 2/3');
  const server = await processId(await connectObserver(url));
  running.kill('SIGKILL');
  await running.outcome;
  await expect.poll(() => processLives(server), { timeout: 10_000 }).toBe(false);
  expect(await answers(port)).toBe(false);
  const file = join(await experiment.resultsFolder(), 'result.json');
  const left = resultSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  expect(left.complete).toBe(false);
  expect(ofRounds(left)[0]?.length).toBeGreaterThanOrEqual(1);
});
