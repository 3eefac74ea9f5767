import { expect, test } from 'vitest';
import { judge, measureSuite } from '../../support/claim-arms.ts';

/** Throughput of one shared connection, as a factor of the pool's, with commands joined and without. */
const sharing = ({ single, joined }: { single: number; joined: number }, { rounds = 6, noise = 0 } = {}) =>
  measureSuite(
    'one-connection',
    ({ preset, autoPipelining, connections }, round) => {
      if (preset !== 'shared') return {};
      const speed = connections === 1 ? (autoPipelining ? joined : single) : 3;
      return { speed: speed * (1 + noise * (round - 2)) };
    },
    rounds,
  );

test('supported: one connection gives less, joined or not, so a pool is needed', async () => {
  const claim = judge('C17', await sharing({ single: 0.6, joined: 0.8 }));
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toMatch(/\(ioredis\) .* less than .* \(×0\.60/);
});

test('refuted: one connection gives more, so no pool is needed', async () => {
  const claim = judge('C17', await sharing({ single: 1.4, joined: 4 }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.measured).toBeCloseTo(1.4);
  expect(claim.reason).toMatch(/auto-pipelining .* more than .* \(×4\.00/);
});

test('a verdict comes with what it is not about', async () => {
  const claim = judge('C17', await sharing({ single: 1.4, joined: 4 }));
  expect(claim.gist).toContain('blocking commands, transactions');
});

test('refuted: one way of sharing that does as well is enough', async () => {
  const claim = judge('C17', await sharing({ single: 0.6, joined: 1 }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toMatch(/auto-pipelining .* as much as /);
});

test('inconclusive: the interval holds the 5 %', async () => {
  const claim = judge('C17', await sharing({ single: 0.95, joined: 0.6 }, { noise: 0.03 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('cannot be distinguished');
});

test('a ratio that excludes nothing has no figure, because each arm completed nothing in a round', async () => {
  const scenarios = await measureSuite(
    'one-connection',
    ({ preset }, round) => ({ speed: round === (preset === 'shared' ? 1 : 2) ? 0 : 1 }),
    6,
  );
  const { reason } = judge('C17', scenarios);
  expect(reason).toMatch(/no difference is excluded/);
  expect(reason).not.toContain('(–)');
});

test('not tested without a pool to compare with, or without one connection', async () => {
  const scenarios = await sharing({ single: 0.6, joined: 0.8 });
  const withoutPool = scenarios.filter(({ pool }) => pool === 'shared');
  expect(judge('C17', withoutPool).verdict).toBe('not tested');
  const withoutOne = scenarios.filter(({ connections }) => connections > 1);
  expect(judge('C17', withoutOne).verdict).toBe('not tested');
});

test('two and four connections stand beside it, unjudged', async () => {
  const claim = judge('C17', await sharing({ single: 0.6, joined: 0.8 }));
  const several = claim.comparisons.filter(
    ({ measure, other }) => measure === 'throughput' && !other.includes('0.02perWorker'),
  );
  expect(several).toHaveLength(4);
  expect(several.every(({ predicted }) => predicted === null)).toBe(true);
});
