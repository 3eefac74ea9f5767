import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { claims } from '../src/aggregate/claims/claims.ts';
import { describeCold, planSuites } from '../src/main/run/claims/plan-suites.ts';
import { allSuites, suitesOf } from '../src/main/run/claims/suites.ts';
import { readTarget } from '../src/main/run/claims/target-argument.ts';

const claim = (id: string, suite: string) => ({ id, statement: '', predicted: '', suite });

test('the suites are those of the claims, in their order, but that of two servers comes last', () => {
  const suites = suitesOf([claim('C1', 'b'), claim('C9', 'versus'), claim('C2', 'a'), claim('C3', 'b')]);
  expect(suites.map(({ name, claims }) => [name, claims.map(({ id }) => id)])).toEqual([
    ['b', ['C1', 'C3']],
    ['a', ['C2']],
    ['versus', ['C9']],
  ]);
  expect(suites.map(({ opponents }) => opponents !== null)).toEqual([false, false, true]);
});

test('every claim has a suite that can be read, and every suite of configs/claims a claim', async () => {
  const plan = await planSuites(allSuites, await readTarget('redis'), {});
  expect(plan.flatMap(suite => suite.claims).length).toBe(claims.length);
  const files = readdirSync(new URL('../configs/claims', import.meta.url)).filter(file =>
    file.endsWith('.json'),
  );
  expect(files.sort()).toEqual(plan.map(({ name }) => `${name}.json`).sort());
  for (const { name, plan: run, estimatedSeconds, shown } of plan) {
    expect(shown.rounds, name).toBeGreaterThanOrEqual(5);
    expect(estimatedSeconds, name).toBeGreaterThan(0);
    for (const { experiment } of run.sides) expect(experiment.target.server, name).not.toBe('any');
  }
});

const servers = async (typed: string) => {
  const [versus] = (await planSuites(allSuites, await readTarget(typed), {})).filter(
    ({ opponents }) => opponents !== null,
  );
  return [
    versus?.plan.sides.map(({ experiment }) => experiment.target.server),
    versus?.own,
    versus?.shown.state,
  ];
};

test('two servers: Redis first, and the target beside it', async () => {
  expect(await servers('redis')).toEqual([['redis', 'valkey'], 0, 'not run']);
  expect(await servers('valkey')).toEqual([['redis', 'valkey'], 1, 'not run']);
  expect(await servers('dragonfly')).toEqual([['redis', 'dragonfly'], 1, 'not run']);
  expect(await servers('redis://localhost:7000')).toEqual([[], -1, 'impossible']);
});

test('every suite is run against the target, with what the command line says', async () => {
  const settings = { rounds: '6', seconds: '0.7', warmup: '0.1', seed: '9' };
  const plan = await planSuites(allSuites, await readTarget('rediss://me:s3cret@host:7000/2'), settings);
  for (const { name, plan: run, shown } of plan) {
    expect(JSON.stringify(shown), name).not.toMatch('s3cret');
    for (const { experiment } of run.sides) {
      expect(experiment.target, name).toMatchObject({ server: 'any', url: 'rediss://me:s3cret@host:7000/2' });
      expect(experiment, name).toMatchObject({ rounds: 6, seed: 9 });
    }
  }
  const warm = plan.find(({ name }) => name === 'pipeline');
  expect(warm?.shown.command).toBe(
    'npm start -- configs/claims/pipeline.json --url rediss://me@host:7000/2 --rounds 6 --seconds 0.7 --warmup 0.1 --seed 9',
  );
  expect(warm?.plan.sides[0]?.experiment.warmupSeconds).toBe(0.1);
  expect(warm?.plan.sides[0]?.experiment.seconds).toBe(0.7);
});

test('what measures a cold start keeps its times, and says so', async () => {
  const target = await readTarget('redis');
  const asConfigured = await planSuites(allSuites, target, {});
  const settings = { rounds: '6', seconds: '0.7', warmup: '0.1' };
  const plan = await planSuites(allSuites, target, settings);
  const cold = asConfigured.filter(({ shown }) => shown.warmupSeconds === 0).map(({ name }) => name);
  expect(cold).toContain('warming');
  for (const name of cold) {
    const shownIn = (suites: typeof plan) => suites.find(suite => suite.name === name)?.shown;
    const { seconds, warmupSeconds } = shownIn(asConfigured) ?? {};
    expect(shownIn(plan)).toMatchObject({ seconds, warmupSeconds, rounds: 6 });
    expect(shownIn(plan)?.command).toMatch(/ --rounds 6$/);
  }
  const said = describeCold(plan, settings);
  expect(said).toMatch(/^Not changed by --seconds and --warmup, for a cold start/);
  for (const name of cold) expect(said).toContain(name);
  expect(describeCold(plan, { seconds: '0.7' })).toMatch(/^Not changed by --seconds,/);
  expect(describeCold(plan, { rounds: '6' })).toBeNull();
});

test('every suite of one server has a command that runs it alone; that of two has none', async () => {
  const plan = await planSuites(allSuites, await readTarget('valkey'), {});
  for (const { shown, opponents } of plan) {
    if (opponents !== null) expect(shown.command).toBeNull();
    else
      expect(shown.command).toBe(
        `npm start -- configs/claims/${shown.name}.json --target configs/valkey.json`,
      );
  }
});
