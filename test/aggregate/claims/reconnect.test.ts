import { expect, test } from 'vitest';
import type { RoundResult } from '../../../src/aggregate/result.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';

const cutting = (
  slowness: (scenario: Scenario, round: number) => number,
  {
    rounds = 6,
    cuts = 72,
    reconnects = 60,
    changes = {},
  }: {
    rounds?: number;
    cuts?: number;
    reconnects?: number | number[];
    changes?: Partial<RoundResult>;
  } = {},
) =>
  measureSuite(
    'reconnect',
    (scenario, round) =>
      scenario.cutEveryMs === 0
        ? {}
        : {
            slowness: slowness(scenario, round),
            round: { ...asCut(cuts), ...changes },
            poolMetrics: { reconnects: Array.isArray(reconnects) ? (reconnects[round] ?? 0) : reconnects },
          },
    rounds,
  );

/** A round in which each worker made enough cycles, and every cut ended the operation that was in flight. */
const asCut = (cuts: number) => ({
  issued: 30_000,
  completed: 30_000 - cuts,
  failed: { CONNECTION_CLOSED: cuts },
  cuts,
});

test('supported: nobody notices', async () => {
  const claim = judge('C18', await cutting(() => 1.01));
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(1.01);
});

test('refuted: with one of the presets the others wait', async () => {
  const claim = judge('C18', await cutting(({ preset }) => (preset === 'baseline' ? 1.6 : 1)));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toContain('response p99 ×1.00');
});

test('inconclusive: the interval holds 5 %', async () => {
  expect(judge('C18', await cutting((_, round) => 1 + 0.03 * round)).verdict).toBe('inconclusive');
});

test('no proof: nothing was cut', async () => {
  const claim = judge('C18', await cutting(() => 1, { cuts: 0 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/no connection of \S+/i);
});

test('no proof: nothing was opened in the place of what was cut', async () => {
  const claim = judge('C18', await cutting(() => 1, { reconnects: 0 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/replaced no connection\./);
});

test('supported: a round or two without a reconnect, as long as there are enough in all', async () => {
  const scenarios = await cutting(() => 1, { reconnects: [0, 60, 60, 60, 0] });
  expect(judge('C18', scenarios).verdict).toBe('supported');
});

test('the operations that the cuts ended are no loss, and those beyond them are', async () => {
  const failing = (failed: number) =>
    cutting(() => 1, { changes: { failed: { CONNECTION_CLOSED: failed }, completed: 30_000 - failed } });
  expect(judge('C18', await failing(120)).verdict).toBe('supported');
  const claim = judge('C18', await failing(150));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/^0\.26 % .* beyond one per cut/);
});

test('no proof: so few were replaced that p99 would not see a stall of all workers, however many were cut', async () => {
  const claim = judge('C18', await cutting(() => 1, { reconnects: 9 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/ 1\.5 % of .* below 2 %/);
  expect(claim.reason).not.toContain('unaffected');
});

test('no proof: so many were cut that p99 is theirs', async () => {
  const claim = judge('C18', await cutting(() => 1, { cuts: 360 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('p99 is not');
  expect(claim.reason).not.toContain('unaffected');
});

test('not tested without a pool whose connections are not cut', async () => {
  const scenarios = (await cutting(() => 1)).filter(({ cutEveryMs }) => cutEveryMs > 0);
  expect(judge('C18', scenarios).verdict).toBe('not tested');
});

test('the reason has the fraction of the operations that the cuts touched', async () => {
  const claim = judge('C18', await cutting(() => 1, { cuts: 60 }));
  expect(claim.reason).toMatch(/0\.20 % .* baseline pools \(360 cuts, 360 reconnects\)/);
  expect(claim.reason).toContain('unaffected');
});

test('the reason explains why cuts are more frequent than the claim was designed for', async () => {
  const claim = judge('C18', await cutting(() => 1, { reconnects: 36 }));
  expect(claim.reason).toMatch(/100 ms .* 1\.2 % .* 20 ms\./);
  const slow = judge('C18', await cutting(() => 1, { reconnects: 72 }));
  expect(slow.reason).not.toContain('20 ms');
});

test('the pools of the suite have no connection to spare, so that every cut must be replaced', async () => {
  for (const { connections, workers } of await cutting(() => 1)) expect(connections).toBe(workers);
});
