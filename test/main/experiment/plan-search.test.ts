import { expect, test } from 'vitest';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { planSearch } from '../../../src/main/run/search/plan-search.ts';
import { faultsIn, outlineOf } from '../../support/config-faults.ts';
import { createExperiment } from '../../support/experiment.ts';
import { runPoolbench } from '../../support/poolbench.ts';

const good = {
  name: 'good',
  target: { server: 'redis', url: 'redis://localhost:6379/0' },
  scenarios: [{ client: 'wire', workers: 10, arrival: { kind: 'poisson', rate: 2000 } }],
  search: { responseP99Ms: 5 },
};

const plan = (config: object) => planSearch(parseConfig(JSON.stringify(config), 'a.json'), 'a.json');

function faultsOf(config: object): string[] {
  try {
    plan(config);
  } catch (error) {
    if (!(error instanceof PoolbenchError)) throw error;
    expect(error.exitCode).toBe(2);
    return faultsIn(error.message);
  }
  return [];
}

test('missing conditions have their defaults; every rate is its own scenario', () => {
  const { conditions, range, scenario, at } = plan(good);
  expect(conditions).toEqual({ responseP99Ms: 5, completedShare: 0.99, failedShare: 0.001 });
  expect(range).toEqual({ start: 2000, lowest: 100, highest: 10_000_000, precision: 0.05 });
  expect(scenario.id).toBe('wire-optimized-1pool-10workers-poisson2000');
  expect(at(353.6)).toEqual({
    ...scenario,
    id: 'wire-optimized-1pool-10workers-poisson353.6',
    arrival: { ...scenario.arrival, rate: 353.6 },
  });
  // Longer repeats have enough operations at lower rates.
  expect(plan({ ...good, seconds: 10 }).range.lowest).toBe(10);
  expect(plan({ ...good, seconds: 0.3 }).range.lowest).toBe(333.7);
  expect(plan({ ...good, search: conditions }).conditions).toEqual(conditions);
  expect(plan({ ...good, search: {} }).conditions.responseP99Ms).toBeNull();
});

const group = (changes: object) => ({ ...good, scenarios: [{ ...good.scenarios[0], ...changes }] });

test.each([
  ['nothing to search for', { ...good, search: null }, /^search missing/],
  ['several scenarios', group({ workers: [10, 20] }), /^scenarios found 2$/],
  ['several rates', group({ arrival: { kind: 'constant', rate: [1000, 2000] } }), /^scenarios found 2$/],
  [
    'a closed loop',
    group({ arrival: { kind: 'closed' } }),
    /^scenarios\[0\]\.arrival\.kind "constant" "poisson" found "closed"$/,
  ],
  [
    'bursts',
    group({ arrival: { kind: 'burst', rate: 2000, size: 10 } }),
    /^scenarios\[0\]\.arrival\.kind "constant" "poisson" found "burst"$/,
  ],
  [
    'stages',
    group({ arrival: { kind: 'constant', stages: [{ seconds: 1, rate: 2000 }] } }),
    /^scenarios\[0\]\.arrival\.stages$/,
  ],
  [
    'too few operations to judge by',
    { ...group({ arrival: { kind: 'constant', rate: 100 } }), seconds: 0.5 },
    /^scenarios\[0\]\.arrival\.rate 200 .*found 100$/,
  ],
  ['several servers', { ...good, target: { ...good.target, threads: [1, 2] } }, /^target\.threads found 2$/],
  ['an unknown condition', { ...good, search: { p99: 5 } }, /^search unknown key "p99"$/],
  [
    'a fraction in percent',
    { ...good, search: { completedShare: 99 } },
    /^search\.completedShare 0 1 found 99$/,
  ],
  [
    'a time as text',
    { ...good, search: { responseP99Ms: '5ms' } },
    /^search\.responseP99Ms 0\.001 600000 found "5ms"$/,
  ],
])('%s', (_, config, fault) => {
  expect(faultsOf(config).map(outlineOf)).toEqual([expect.stringMatching(fault)]);
});

test('all faults are listed before the target is looked for; search takes neither --rounds nor --quick', async () => {
  expect(
    faultsOf({ ...group({ workers: [10, 20], arrival: { kind: 'closed' } }), search: null }),
  ).toHaveLength(3);
  const experiment = await createExperiment('redis://127.0.0.1:1', {});
  const run = await runPoolbench(['search', experiment.configPath]);
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toMatch(/^poolbench: .*config\.json cannot be used for a search, 2 faults:\n/);
  for (const flag of ['--quick', '--rounds=3']) {
    const refused = await runPoolbench(['search', experiment.configPath, flag]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`search does not take ${flag.split('=', 1)[0]}`),
    });
  }
});
