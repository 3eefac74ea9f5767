import { expect, test } from 'vitest';
import type { ScenarioResult } from '../src/aggregate/result.ts';
import type { Scenario } from '../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from './support/claim-arms.ts';

/** Throughput of batches at 1 worker, to single commands. */
type Gains = Readonly<Record<number, number>>;

const promised: Gains = { 10: 4, 25: 6, 50: 8.2, 100: 9.1, 200: 8.8 };

function measure(
  gains: Gains,
  changed: (scenario: Scenario, round: number) => number = () => 1,
): Promise<ScenarioResult[]> {
  return measureSuite('pipeline', (scenario, round) => {
    // At 50 workers a batch gains half as much.
    const gain = scenario.pipeline === 1 ? 1 : (gains[scenario.pipeline] ?? 1);
    return { speed: (scenario.workers === 1 ? gain : gain / 2 + 0.5) * changed(scenario, round) };
  });
}

test('supported: both gains, and no better batch', async () => {
  const claim = judge('C3', await measure(promised));
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(8.2);
  expect(claim.reason).toContain(
    'Batches of 100 to single commands: throughput ×9.10 [9.10, 9.10]; predicted ×9.00 or more: holds.',
  );
  expect(claim.reason).toContain('Batches of 100 to batches of 200: throughput ×1.03');
  expect(claim.reason).toContain(
    'The best of batches of 50 and batches of 100 was picked by the same figures',
  );
});

test('supported: gains larger than promised', async () => {
  expect(judge('C3', await measure({ 10: 8, 25: 15, 50: 25, 100: 30, 200: 31 })).verdict).toBe('supported');
});

test('refuted: a gain below 8, or below 9', async () => {
  expect(judge('C3', await measure({ ...promised, 50: 7.5 })).verdict).toBe('refuted');
  expect(judge('C3', await measure({ ...promised, 100: 8.5 })).verdict).toBe('refuted');
});

test('refuted: larger batches gain 5 %, or smaller ones are as good', async () => {
  expect(judge('C3', await measure({ ...promised, 200: 10 })).verdict).toBe('refuted');
  expect(judge('C3', await measure({ ...promised, 25: 9.1 })).verdict).toBe('refuted');
});

test('inconclusive: one round of five falls short', async () => {
  const scenarios = await measure(promised, ({ pipeline }, round) =>
    pipeline === 50 && round === 4 ? 0.9 : 1,
  );
  expect(judge('C3', scenarios).verdict).toBe('inconclusive');
});

test('50 workers are shown and decide nothing', async () => {
  const { verdict, comparisons } = judge('C3', await measure(promised));
  expect(verdict).toBe('supported');
  const shown = comparisons.filter(({ other }) => other.includes('50workers'));
  expect(shown.map(({ predicted }) => predicted)).toEqual([null, null, null, null, null]);
  expect(shown[2]?.ratio.median).toBeCloseTo(4.6);
});

test('a batch that the run leaves out is named', async () => {
  const scenarios = (await measure(promised)).filter(({ pipeline }) => pipeline !== 100);
  const claim = judge('C3', scenarios);
  expect(claim.reason).toMatch(/The run has no batches of 100, so that part is not judged\.$/);
});

test('not tested: no single commands, or no single worker', async () => {
  const scenarios = await measure(promised);
  expect(
    judge(
      'C3',
      scenarios.filter(({ pipeline }) => pipeline > 1),
    ).verdict,
  ).toBe('not tested');
  expect(
    judge(
      'C3',
      scenarios.filter(({ workers }) => workers > 1),
    ).verdict,
  ).toBe('not tested');
});
