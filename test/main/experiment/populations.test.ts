import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { enlistFor } from '../../../src/main/cli/agent-options.ts';
import { findClients } from '../../../src/main/experiment/clients.ts';
import { describePlan } from '../../../src/main/experiment/describe-plan.ts';
import { planRun } from '../../../src/main/experiment/plan.ts';
import { extentsOf, populationsOf } from '../../../src/main/experiment/populations.ts';
import { checkConfig, parseConfig } from '../../../src/main/experiment/read-config.ts';
import { expandScenarios } from '../../../src/main/experiment/scenarios.ts';

const bulk = { name: 'bulk', client: 'wire', workers: 8, pools: 4, poolsPerThread: 2, pipeline: 100 };
const slow = { name: 'slow', arrival: { kind: 'constant', rate: 10 } };

/** A config with these populations, as it is written. */
function experiment(populations: readonly object[], scenario: object = {}, more: object = {}) {
  const target = { server: 'redis', url: 'redis://h' };
  const scenarios = [{ client: 'wire', ...scenario }];
  return parseConfig(
    JSON.stringify({ name: 'neighbours', target, scenarios, populations, ...more }),
    join('configs', 'config.json'),
  );
}

const idsOf = (...args: Parameters<typeof experiment>) =>
  expandScenarios(experiment(...args).scenarios).map(({ id }) => id);

const faultsOf = (...args: Parameters<typeof experiment>): string => {
  try {
    experiment(...args);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('a scenario runs beside populations', () => {
  test('alone and beside each, unless a scenario says it', () => {
    expect(idsOf([bulk, slow], { workers: [10, 20] })).toEqual(
      [10, 20].flatMap(workers =>
        ['alone', 'beside-bulk', 'beside-slow'].map(
          label => `wire-optimized-1pool-${workers}workers-${label}`,
        ),
      ),
    );
    expect(idsOf([bulk, slow], { beside: 'bulk+slow' })).toEqual([
      'wire-optimized-1pool-50workers-beside-bulk+slow',
    ]);
    expect(idsOf([])).toEqual(['wire-optimized-1pool-50workers']);
    // As a result has it.
    const kept = experiment([bulk, slow]);
    expect(checkConfig(JSON.parse(JSON.stringify(kept)), 'result.json')).toEqual(kept);
  });

  test('and is compared with itself alone, whatever else varies', () => {
    const { blocks } = planRun([experiment([bulk], { workers: [10, 20], pools: [1, 2] }, { rounds: 1 })]);
    expect(blocks.map(({ elements }) => elements.flat().map(({ beside }) => beside))).toEqual(
      new Array(4).fill([null, 'bulk']),
    );
    const compared = experiment([bulk], { pools: [1, 2] }, { rounds: 1, compare: ['pools'] });
    expect(planRun([compared]).blocks.map(({ elements }) => elements.length)).toEqual([2, 2]);
  });

  test('with threads and connections of theirs beside its own', () => {
    const populated = experiment([bulk, slow], { beside: [null, 'slow', 'bulk+slow'], workers: 10 });
    const scenarios = expandScenarios(populated.scenarios);
    const extents = extentsOf({ experiment: populated, scenarios });
    expect(extents.map(({ threads, connections }) => [threads, connections])).toEqual([
      [1, 20],
      [2, 120],
      [4, 136],
    ]);
  });

  test('or in its threads, which several populations can share, if they need no more threads than it has', () => {
    const inside = { ...bulk, name: 'inside', sharesThreads: true };
    const open = { ...slow, client: 'wire', workers: 10, pools: 2, sharesThreads: true };
    const scenario = { beside: ['inside', 'inside+slow', 'bulk+inside'], workers: 10, pools: 2 };
    const populated = experiment([bulk, inside, open], scenario);
    const scenarios = expandScenarios(populated.scenarios);
    const extents = extentsOf({ experiment: populated, scenarios });
    expect(
      extents.map(({ threads, openThreads, connections }) => [threads, openThreads, connections]),
    ).toEqual([
      [2, 0, 36],
      [2, 2, 56],
      [4, 0, 52],
    ]);
    expect(describePlan(planRun([populated]))).toMatch(
      /inside: wire, 8 workers, 4 pools in the scenario's\s+first 2 threads/,
    );
    expect(faultsOf([inside], { pools: [4, 2], poolsPerThread: 2 })).toContain(
      'populations[0].pools: expected pools in at most 1 thread, ',
    );
    expect(faultsOf([inside], { pools: [4, 2], poolsPerThread: 2, beside: null })).toBe('');
    // The fault is at the key that has io_uring, and names the other key that would mend it.
    const ofScenario = faultsOf([bulk, inside], {
      pools: 2,
      beside: 'inside',
      transport: ['direct', 'io_uring'],
    });
    expect(ofScenario).toContain('scenarios[0].transport[1]: expected a transport other than io_uring');
    expect(ofScenario).toContain('set populations[1].sharesThreads to false');
    expect(ofScenario).not.toContain('populations[1].transport');
    const ofPopulation = faultsOf([{ ...inside, transport: 'io_uring' }], { pools: 2 });
    expect(ofPopulation).toContain('populations[0].transport: expected a transport other than io_uring');
    expect(ofPopulation).toContain('populations[0].sharesThreads');
    expect(ofPopulation).not.toContain('scenarios[0]');
    expect(faultsOf([inside], { pools: 2, beside: null, transport: 'io_uring' })).toBe('');
    expect(faultsOf([{ ...inside, sharesThreads: 'yes' }])).toContain(
      'populations[0].sharesThreads: expected true',
    );
  });

  test.each<[beside: unknown, where: RegExp]>([
    [[null, 'bulk'], /beside 1\s+of\s+2\s+scenarios/],
    ['bulk', /beside\s+every\s+scenario/],
    [null, /not\s+run,\s+because\s+no\s+scenario/],
  ])('the plan says which scenarios have it if beside is %j', (beside, where) => {
    expect(describePlan(planRun([experiment([bulk], { beside })]))).toMatch(where);
  });

  test('which the plan shows', () => {
    const plan = describePlan(planRun([experiment([bulk, { ...slow, workload: { keys: 7 } }])]));
    expect(plan).toMatch(
      /population bulk: wire, 8 workers, 4 pools in 2 threads, pipeline 100, closed\s+loop, beside 1 of\s+3 scenarios/,
    );
    expect(plan).toMatch(
      /population slow: ioredis, 50 workers, 1 pool, constant at 10\/s,\s+beside\s+1\s+of\s+3\s+scenarios\n.*\b7 keys\b/,
    );
  });
});

describe('a population', () => {
  test('has the workload of the run, or its own, with paths relative to the config', () => {
    const workload = { script: './other.mjs', keys: 20 };
    const [same, other] = populationsOf(
      experiment([bulk, { ...slow, workload }], {}, { workload: { keys: 33, readShare: 1 } }),
    );
    expect(same).toMatchObject({ name: 'bulk', workload: { keys: 33, readShare: 1 } });
    expect(same?.scenario).toMatchObject({ id: 'bulk', threads: 2, pipeline: 100, beside: null });
    expect(other?.workload).toMatchObject({ keys: 20, script: join('configs', 'other.mjs') });
  });

  test('is one load', () => {
    const arrival = { kind: 'constant', rate: [10, 20] };
    expect(faultsOf([{ name: 'slow', arrival }])).toContain(
      'populations[0].arrival.rate: expected a single rate',
    );
    expect(faultsOf([{ name: 'slow', workers: [10, 20] }])).toContain(
      'populations[0].workers: expected a whole',
    );
  });

  test('is held to the rules of scenarios, and its faults are where they are', () => {
    const faults = faultsOf(
      [
        { ...bulk, pools: 9 },
        { name: 'few', pools: 3, workload: { keys: 2 } },
        { name: 'staged', arrival: { kind: 'constant', stages: [{ seconds: 2, rate: 10 }] } },
      ],
      {},
      { seconds: 1 },
    );
    expect(faults).toContain('populations[0].pools: expected no more pools than workers, 8');
    expect(faultsOf([{ name: 'few', pools: 3, workload: { keys: 2 } }])).toContain(
      'populations[0].workload.keys: expected at least as many keys as pools, 3 here',
    );
    const staged = { name: 'staged', arrival: { kind: 'constant', stages: [{ seconds: 2, rate: 10 }] } };
    expect(faultsOf([staged], {}, { seconds: 1 })).toContain(
      'populations[0].arrival.stages: expected stages of 1 s',
    );
    expect(experiment([staged]).seconds).toBe(2);
  });

  test('has a name of its own, by which scenarios name it', () => {
    expect(faultsOf([bulk, bulk])).toContain(
      'populations[1].name: expected a name that no other population has',
    );
    expect(faultsOf([bulk], { beside: [null, 'bull'] })).toContain('scenarios[0].beside[1]: expected names');
    expect(faultsOf([bulk], { beside: 'bulk+bulk' })).toContain('scenarios[0].beside: expected names');
    expect(faultsOf([], { beside: 'bulk' })).toContain('no populations');
    expect(faultsOf([{ name: 'a+b' }])).toContain('populations[0].name: expected 1 to 32 letters');
  });

  test('does not run on agents', () => {
    const enlist = () => enlistFor({ agents: '2', control: 'redis://h' }, 'n', [experiment([bulk])]);
    expect(enlist).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(/bulk/) }),
    );
  });
});

test('a script that is missing is found before the load, and its population is named', async () => {
  const populated = experiment([bulk, { name: 'sessions', workload: { script: './missing.mjs' } }]);
  const side = { experiment: populated, scenarios: expandScenarios(populated.scenarios) };
  await expect(findClients(side)).rejects.toThrow(/^populations\[1\]\.workload\.script: /);
});
