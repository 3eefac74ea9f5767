import { expect, test } from 'vitest';
import { warningsOf } from '../../../src/aggregate/stats/warnings.ts';
import { buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

test('a scenario that issued no operation in any round is warned of, one that did in some round is not', () => {
  const idle = (round: number) => buildRound(round, 0);
  const never = buildScenario({ pools: 2 }, [idle(1), idle(2)]);
  const once = buildScenario({ pools: 4 }, [idle(1), buildRound(2, 1000)]);
  expect(warningsOf(buildResult([never, once]))).toEqual([expect.stringContaining(never.id)]);
  expect(warningsOf(buildResult([once]))).toEqual([]);
});
