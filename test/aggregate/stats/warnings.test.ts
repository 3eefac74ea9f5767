import { expect, test } from 'vitest';
import { warningsOf } from '../../../src/aggregate/stats/warnings.ts';
import { buildOpenScenario } from '../../support/open-loop-round.ts';
import { buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

test('scenarios that issued nothing in any round are warned of, by whether anything was due', () => {
  const nothingDue = buildOpenScenario(0, [1, 1]);
  const held = buildScenario({ pools: 2 }, [buildRound(1, 0), buildRound(2, 0)]);
  const once = buildScenario({ pools: 4 }, [buildRound(1, 0), buildRound(2, 1000)]);
  const warnings = warningsOf(buildResult([nothingDue, held, once]));
  expect(warnings).toEqual([expect.stringContaining(nothingDue.id), expect.stringContaining(held.id)]);
  expect(warningsOf(buildResult([once]))).toEqual([]);
});
