import { expect, test } from 'vitest';
import { compareResults } from '../src/aggregate/comparison/compare-results.ts';
import { whyNotComparable } from '../src/aggregate/comparison/equality.ts';
import { resultSchema } from '../src/aggregate/result.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';
import { buildResult, buildRound, buildScenario } from './support/result-builder.ts';

function workloadOf(workload: object): unknown {
  const config = { name: 'c', target: { server: 'redis', url: 'redis://h' }, scenarios: [{}], workload };
  return parseConfig(JSON.stringify(config), 'c.json').workload;
}

const side = (name: string, workload: unknown) => ({ name, workload, scenarios: ['one'] });
/** As version 0.2 wrote it. */
const old = side('old', { keys: 10_000, valueBytes: 32, readShare: 0.5 });

test('a result without the keys of later versions equals one that has them at their usual values', () => {
  expect(whyNotComparable([old, side('new', workloadOf({}))])).toBeNull();
  expect(whyNotComparable([side('new', workloadOf({})), old])).toBeNull();
});

test.each([
  [{ keyChoice: { kind: 'zipfian' } }, 'keyChoice none in old and {"kind":"zipfian","exponent":0.99} in new'],
  [{ hitShare: 0.9 }, 'hitShare none in old and 0.9 in new'],
  [{ ycsb: 'A' }, 'readShare 0.5 in old and none in new, ycsb none in old and A in new'],
  [{ valueContent: { kind: 'compressible' } }, 'valueContent none in old'],
  [{ commands: [{ command: 'PING' }] }, 'commands none in old and [{"command":"PING","weight":1}] in new'],
])('%j is told apart', (workload, difference) => {
  const reason = whyNotComparable([old, side('new', workloadOf(workload))]);
  expect(reason).toContain('expected equal workloads, found ');
  expect(reason).toContain(difference);
});

test('a config that a run wrote down reads as what it was', () => {
  for (const workload of [{}, { ycsb: 'B' }, { commands: [{ command: 'INCR {key}' }], hitShare: 0.5 }]) {
    const once = workloadOf(workload);
    expect(workloadOf(JSON.parse(JSON.stringify(once)))).toEqual(once);
  }
});

test('a pool with a lock is the same one in a result of version 0.1, which does not say how it connects', () => {
  const scenario = buildScenario({ pool: 'baseline', minIdle: 0, healthTtlMs: 0, connects: 'serial' }, [
    buildRound(1, 100),
  ]);
  const latest = buildResult([scenario]);
  const earlier = { ...latest, scenarios: [{ ...scenario, connects: undefined }] };
  expect(compareResults([latest, resultSchema.parse(earlier)]).scenarios).toHaveLength(1);
});
