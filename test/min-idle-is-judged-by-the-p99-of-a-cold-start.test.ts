import { expect, test } from 'vitest';
import { judge, measureSuite } from './support/claim-arms.ts';

const idle = (quarter: (round: number) => number, { rounds = 5, createdCold = 50, completed = 2000 } = {}) =>
  measureSuite(
    'min-idle',
    ({ minIdle, connections }, round) => ({
      slowness: minIdle === connections / 4 ? quarter(round) : 1,
      poolMetrics: { createdBefore: minIdle, created: minIdle === 0 ? createdCold : 20 },
      round: { seconds: 0.05, completed },
    }),
    rounds,
  );

test('supported: a p99 a quarter lower', async () => {
  const claim = judge('C12', await idle(() => 0.75));
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(0.75);
  expect(claim.reason).toContain(
    'A minIdle of max / 4 to none, 200 workers, first 0.05 s: response p99 ×0.75',
  );
});

test('supported: more than was promised keeps the promise', async () => {
  expect(judge('C12', await idle(() => 0.4)).verdict).toBe('supported');
});

test('refuted: no difference', async () => {
  expect(judge('C12', await idle(() => 1)).verdict).toBe('refuted');
});

test('inconclusive: the interval holds 20 %', async () => {
  expect(judge('C12', await idle(round => 0.7 + 0.05 * round)).verdict).toBe('inconclusive');
});

test('inconclusive: four rounds', async () => {
  expect(judge('C12', await idle(() => 0.75, { rounds: 4 })).verdict).toBe('inconclusive');
});

test('no proof: the pool without minIdle created nothing in the window', async () => {
  const claim = judge('C12', await idle(() => 0.75, { createdCold: 0 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('created no connection in the window');
});

test('no proof: the first operations are too few for a p99 to see', async () => {
  const claim = judge('C12', await idle(() => 0.75, { completed: 10_100 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/only 1\.98 % of those of \S+idle0, and below 2 % a p99 need not see them/);
});

test('no proof: of the pool that is half warm they are too few, for only half of its workers start cold', async () => {
  const claim = judge('C12', await idle(() => 0.75, { completed: 5100 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/only 1\.96 % of those of \S+idle0\.25, and below 2 %/);
});

test('the suite shows the start from 20,000 to 100,000 operations per second', async () => {
  for (const rate of [20_000, 100_000]) {
    const claim = judge('C12', await idle(() => 0.75, { completed: rate * 0.05 }));
    expect(claim.verdict).toBe('supported');
  }
});

test('not tested without an arm of minIdle 0', async () => {
  const scenarios = (await idle(() => 0.75)).filter(({ minIdle }) => minIdle > 0);
  expect(judge('C12', scenarios).verdict).toBe('not tested');
});

test('the other shares stand beside it, with what each still created', async () => {
  const claim = judge('C12', await idle(() => 0.75));
  const p99s = claim.comparisons.filter(({ measure }) => measure === 'response p99');
  expect(p99s.map(({ other }) => other)).toHaveLength(4);
  expect(p99s.filter(({ predicted }) => predicted !== null)).toHaveLength(1);
  expect(claim.reason).toMatch(
    /Connections created in the window, on demand and by upkeep, .*: 50 with minIdle 0 at 200 workers, .* 20 with minIdle 100 at 200 workers/,
  );
});
