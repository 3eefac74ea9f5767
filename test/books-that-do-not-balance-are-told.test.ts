import { expect, test } from 'vitest';
import { findImbalances } from '../src/aggregate/stats/accounting.ts';
import { inMarkdown, onTerminal } from './support/documents.ts';
import { buildResult, buildRound, buildScenario } from './support/result-builder.ts';

const imbalancesOf = (changes: Parameters<typeof buildRound>[2]) =>
  findImbalances({ scenarios: [buildScenario({ id: 'one' }, [buildRound(4, 1000, changes)])] });

test('balanced books are not mentioned', () => {
  expect(imbalancesOf({})).toEqual([]);
  expect(imbalancesOf({ issued: 1010, failed: { OOM: 3, TIMEOUT: 2 }, unfinished: 5 })).toEqual([]);
});

test('an operation that is not accounted for is a defect, and named as one', () => {
  expect(imbalancesOf({ issued: 1010, failed: { OOM: 3 }, unfinished: 6 })).toEqual([
    expect.stringMatching(
      /^A defect of poolbench.* in round 4 of one, 1,010 operations .* 1,009 are accounted for/,
    ),
  ]);
  expect(imbalancesOf({ issued: 999 })).toHaveLength(1);
});

test("the server's count may lie between completed and issued, and 1 % off", () => {
  const lost = { issued: 1200, failed: { TIMEOUT: 200 } };
  expect(imbalancesOf({ ...lost, serverCalls: 1100 })).toEqual([]);
  expect(imbalancesOf({ ...lost, serverCalls: 1212 })).toEqual([]);
  expect(imbalancesOf({ ...lost, serverCalls: null })).toEqual([]);
  expect(imbalancesOf({ ...lost, serverCalls: 1213 })).toEqual([
    expect.stringContaining('The server counted 1,213'),
  ]);
  expect(imbalancesOf({ ...lost, serverCalls: 989 })).toEqual([
    expect.stringContaining('The server counted 989'),
  ]);
});

test('both reports tell of it', () => {
  const result = buildResult([buildScenario({}, [buildRound(0, 1000, { issued: 1001 })])]);
  expect(onTerminal.result(result)).toContain('Warning: A defect of poolbench');
  expect(inMarkdown.result(result)).toContain('- A defect of poolbench');
});
