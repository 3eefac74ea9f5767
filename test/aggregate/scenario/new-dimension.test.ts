// First of all: everything here runs with one row more in the table of dimensions, and with nothing else changed.
import '../../support/new-dimension.ts';

import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { judgeVersusClaims } from '../../../src/aggregate/claims/claims.ts';
import { pairArms, pairWithOnePool } from '../../../src/aggregate/claims/judging/arms.ts';
import { compareResults } from '../../../src/aggregate/comparison/compare-results.ts';
import { renderScenariosCsv } from '../../../src/aggregate/report/files/csv.ts';
import { hysteresisOf, loadTables } from '../../../src/aggregate/report/load-tables.ts';
import { type Result, resultSchema, type ScenarioResult } from '../../../src/aggregate/result.ts';
import { dimension } from '../../../src/aggregate/scenario/dimension.ts';
import { fieldsOf, threadPartOf } from '../../../src/aggregate/scenario/scenario.ts';
import { describePair, groupBySetting } from '../../../src/aggregate/scenario/setting.ts';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { expandScenarios } from '../../../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';
import { newKey } from '../../support/new-dimension.ts';
import { buildMatrix, buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

/** With the other value of the new dimension, and an id that says so. */
function twin(scenario: ScenarioResult): ScenarioResult {
  const changed = { ...scenario, id: `${scenario.id}-invented`, [newKey]: true };
  return changed;
}

function plain(scenario: ScenarioResult): ScenarioResult {
  const changed = { ...scenario, [newKey]: false };
  return changed;
}

/** Every arm twice; the twins first, so that a pairing which does not look finds the wrong one. */
const withTwins = (scenarios: readonly ScenarioResult[]) => [...scenarios.map(twin), ...scenarios.map(plain)];
/** Every other arm has the other value, so that many have no equal left. */
const mixed = (scenarios: readonly ScenarioResult[], odd: number) =>
  scenarios.map((scenario, index) => (index % 2 === odd ? twin(scenario) : plain(scenario)));

const isTwin = (id: string) => id.endsWith('-invented');

const suites = readdirSync('configs/claims')
  .filter(name => name.endsWith('.json'))
  .map(name => name.slice(0, -'.json'.length));

test.each(suites)(
  'no claim of the suite %s compares arms that differ in it, or judges arms without its default',
  async suite => {
    const scenarios = await measureSuite(suite, ({ workers, pools }) => ({ speed: 1 + pools / workers }));
    for (const arms of [withTwins(scenarios), mixed(scenarios, 0), mixed(scenarios, 1)]) {
      const { claims } = buildResult(arms);
      for (const { base, other } of claims.flatMap(({ comparisons }) => comparisons))
        expect(isTwin(base), `${other} to ${base}`).toBe(isTwin(other));
    }
    const comparisons = (arms: readonly ScenarioResult[]) =>
      buildResult(arms).claims.flatMap(claim => claim.comparisons).length;
    expect(comparisons(withTwins(scenarios))).toBeGreaterThanOrEqual(comparisons(scenarios.map(plain)));
    const tested = buildResult(scenarios.map(twin)).claims.filter(({ verdict }) => verdict !== 'not tested');
    expect(tested.map(({ id }) => id)).toEqual([]);
  },
);

test('a claim that sets it free pairs them, so it is the row that keeps them apart', async () => {
  const scenarios = withTwins(await measureSuite('scaling', () => ({})));
  const isOther = ({ id }: ScenarioResult) => isTwin(id);
  const isBase = (scenario: ScenarioResult) => !isOther(scenario);
  expect(pairArms(scenarios, { isBase, isOther, differ: [] })).toEqual([]);
  expect(pairArms(scenarios, { isBase, isOther, differ: [newKey] })).toHaveLength(scenarios.length / 2);
});

test('several pools that differ in it have no equal of one pool', () => {
  const matrix = buildMatrix({ gain: () => 1.2 });
  const pairs = pairWithOnePool(withTwins(matrix));
  expect(pairs).toHaveLength(2 * pairWithOnePool(matrix.map(plain)).length);
  for (const { base, other } of pairs) expect(isTwin(base.id)).toBe(isTwin(other.id));
  expect(
    pairWithOnePool(matrix.map(scenario => (scenario.pools === 1 ? plain(scenario) : twin(scenario)))),
  ).toEqual([]);
  expect(
    judge(
      'C1',
      matrix.map(scenario => (scenario.pools === 1 ? plain(scenario) : twin(scenario))),
    ),
  ).toMatchObject({
    verdict: 'not tested',
    comparisons: [],
  });
});

test.each([undefined, 'one session'])(
  'two results are not compared where they differ in it (%s)',
  session => {
    const matrix = buildMatrix({ gain: () => 1.2, workers: [10, 50] });
    const changes: Partial<Result> = session === undefined ? {} : { session };
    const base = buildResult(matrix.map(plain), { ...changes, name: 'base' });
    // The ids are the same: what they mean is not.
    const other = buildResult(
      matrix.map(scenario =>
        scenario.workers === 10 ? { ...twin(scenario), id: scenario.id } : plain(scenario),
      ),
      { ...changes, name: 'other' },
    );
    const { scenarios, checks } = compareResults([base, other]);
    expect(scenarios.map(({ id }) => id)).toEqual(
      matrix.filter(({ workers }) => workers === 50).map(({ id }) => id),
    );
    expect(checks.find(({ name }) => name === 'scenarios')?.state).toBe('not ok');
  },
);

test('claims about two servers do not compare sides that differ in it', async () => {
  const scenarios = await measureSuite('versus', () => ({}));
  const side = (server: string, arms: readonly ScenarioResult[]) =>
    buildResult(arms, {
      session: 'one',
      target: { ...buildResult([]).target, detected: { server, version: '8.0.0', threads: 1 } },
      claims: [],
    });
  const alike = [side('redis', scenarios.map(plain)), side('valkey', scenarios.map(plain))];
  const unlike = [side('redis', scenarios.map(plain)), side('valkey', scenarios.map(twin))];
  const comparisons = (results: readonly Result[]) =>
    judgeVersusClaims(results).flatMap(claim => claim.comparisons);
  expect(comparisons(alike).length).toBeGreaterThan(0);
  expect(comparisons(unlike)).toEqual([]);
});

test('the way down is not held against a way up that differs in it', () => {
  const rate = (leg: 'up' | 'down') =>
    buildScenario({ id: leg, arrival: { kind: 'constant', rate: 100, leg } }, [buildRound(1, 100)]);
  const ways = (scenarios: readonly ScenarioResult[]) =>
    loadTables(scenarios).flatMap(table => hysteresisOf(table)).length;
  expect(ways([plain(rate('up')), plain(rate('down'))])).toBe(1);
  expect(ways([plain(rate('up')), twin(rate('down'))])).toBe(0);
});

test('one row makes the key of a config, the id, the task, the result, its column and its words', () => {
  const { scenarios } = experimentSchema.parse({
    name: 'a',
    target: { server: 'redis', url: 'redis://h' },
    scenarios: [{ [newKey]: [false, true] }],
  });
  const [first, second] = expandScenarios(scenarios);
  if (first === undefined || second === undefined) throw new Error('expected two scenarios');
  expect([first.id, second.id]).toEqual([
    'ioredis-optimized-1pool-50workers-real',
    'ioredis-optimized-1pool-50workers-invented',
  ]);
  expect(threadPartOf(second)).toMatchObject({ [newKey]: true });
  expect(fieldsOf(second)).toMatchObject({ [newKey]: true });

  const measured = [first, second].map(scenario => {
    const arm: ScenarioResult = buildScenario({ id: scenario.id, ...fieldsOf(scenario) }, [
      buildRound(1, 100),
    ]);
    return arm;
  });
  const result = buildResult(measured);
  expect(result.scenarios[1]).toMatchObject({ [newKey]: true });
  const [names = '', , line = ''] = renderScenariosCsv(result).split('\r\n');
  expect(line.split(',')[names.split(',').indexOf(newKey)]).toBe('true');
  expect(groupBySetting(measured).map(({ label }) => label)).toEqual(['ioredis, real', 'ioredis, invented']);
  expect(describePair(...(measured as [ScenarioResult, ScenarioResult]))).toBe(
    'ioredis, optimized, 50 workers: invented to real',
  );

  // A result of an earlier version does not have it.
  const earlier = {
    ...result,
    scenarios: result.scenarios.map(scenario => ({ ...scenario, [newKey]: undefined })),
  };
  const read = resultSchema.parse(JSON.parse(JSON.stringify(earlier)));
  expect(read.scenarios[1]).toMatchObject({ [newKey]: false });
});

test('a row that leaves a decision out does not compile', () => {
  const words = { path: () => '', words: () => '' };
  const row = { config: null, result: z.number(), thread: false, ...words, setting: false } as const;
  // @ts-expect-error whether a thread is told is not said
  dimension({ config: null, result: z.number(), ...words, setting: false });
  // @ts-expect-error whether it makes a setting is not said
  dimension({ config: null, result: z.number(), thread: false, ...words });
  // @ts-expect-error whether it opens a path through the code is not said
  dimension({ ...row, path: undefined });
  // @ts-expect-error earlier results would be read with a default other than that of a config
  dimension({ ...row, result: z.number().default(1) });
  const config = { item: z.number(), usual: 0, description: '', label: String };
  // @ts-expect-error the row must say whether earlier results have it
  dimension({ ...row, config });
  expect(dimension({ ...row, config: { ...config, since: null } })).toMatchObject({ result: row.result });
});
