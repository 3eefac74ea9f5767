import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { judgeVersusClaims } from '../../../src/aggregate/claims/claims.ts';
import { compareResults } from '../../../src/aggregate/comparison/compare-results.ts';
import type { Result } from '../../../src/aggregate/result.ts';
import { readSuite } from '../../../src/main/run/claims/ledger-folder.ts';
import { allSuites, type PlannedSuite, planSuites } from '../../../src/main/run/claims/plan-suites.ts';
import { readTarget } from '../../../src/main/run/claims/target-argument.ts';
import { measureSuite } from '../../support/claim-arms.ts';
import { buildClaim } from '../../support/ledger-builder.ts';
import { buildResult } from '../../support/result-builder.ts';

async function plan(name: string): Promise<PlannedSuite> {
  const suite = (await planSuites(allSuites, await readTarget('redis'), {})).find(one => one.name === name);
  if (suite === undefined) throw new Error(`expected a suite ${name}`);
  return suite;
}

/** A ledger's folder with these files in it. */
async function keep(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, value] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), JSON.stringify(value));
  }
  return folder;
}

const config = { rounds: 6, seconds: 0.3, warmupSeconds: 0.05 };
/** What an earlier version may have made of it. */
const outdated = (id: string) => buildClaim(id, { verdict: 'refuted', reason: 'By the rules of then.' });

test('a suite of one server: today’s verdict, and the rounds and times that were measured', async () => {
  const suite = await plan('pipeline');
  expect(suite.shown.rounds).not.toBe(6);
  const [id = ''] = suite.shown.claims;
  const measured = await measureSuite('pipeline', () => ({}), 4);
  const today = buildResult(measured, { config });
  const folder = await keep({ 'pipeline/result.json': { ...today, claims: [outdated(id)] } });
  const read = await readSuite(folder, suite);
  expect(read).toMatchObject({
    ...config,
    // Those that its arms have.
    rounds: 4,
    state: 'complete',
    scenarios: measured.length,
    note: expect.stringContaining(`${id} was refuted`),
  });
  expect(read.judged).toEqual(today.claims);
  expect(read.judged?.find(claim => claim.id === id)?.verdict).toBe('inconclusive');
});

test('an equal verdict has no note', async () => {
  const today = buildResult(await measureSuite('pipeline', () => ({})), { config });
  const folder = await keep({ 'pipeline/result.json': today });
  expect((await readSuite(folder, await plan('pipeline'))).note).toBe('');
});

test('a suite of two servers is judged from the results of both', async () => {
  const side = async (server: string, speed: number): Promise<Result> => {
    const scenarios = await measureSuite('versus', () => ({ speed }), 6);
    const { target } = buildResult([]);
    return buildResult(scenarios, {
      config,
      session: 'one',
      claims: [],
      target: { ...target, detected: { ...target.detected, server } },
    });
  };
  const [redis, valkey] = [await side('redis', 1), await side('valkey', 1.02)];
  const folder = await keep({
    'versus/redis/result.json': redis,
    'versus/valkey/result.json': valkey,
    'versus/comparison.json': {
      ...compareResults([redis, valkey]),
      claims: [outdated('C9'), outdated('C10')],
    },
  });
  const read = await readSuite(folder, await plan('versus'));
  expect(read).toMatchObject({
    ...config,
    state: 'complete',
    result: 'versus/comparison.json',
    note: expect.stringMatching(/C9 was refuted, C10 was refuted and C22 was not judged/),
  });
  expect(read.judged).toEqual(judgeVersusClaims([redis, valkey]));
  expect(read.judged?.map(({ id, verdict }) => [id, verdict === 'not tested'])).toEqual([
    ['C9', false],
    ['C10', true],
    ['C22', false],
  ]);
});

test('what did not run to its end has no verdict', async () => {
  const result = { ...buildResult(await measureSuite('pipeline', () => ({}))), complete: false };
  const folder = await keep({ 'pipeline/result.json': result });
  const read = await readSuite(folder, await plan('pipeline'));
  expect(read).toMatchObject({ state: 'unfinished', judged: null, result: 'pipeline/result.json' });
});
