import { describe, expect, test } from 'vitest';
import type { RoundResult } from '../../../src/aggregate/result.ts';
import { throughput } from '../../../src/aggregate/stats/measures.ts';
import {
  countReads,
  describeReads,
  findDataFlaw,
  hasPlannedData,
  hitDifference,
} from '../../../src/aggregate/stats/reads.ts';
import { pairByRound, wholeRounds } from '../../../src/aggregate/stats/rounds.ts';
import { buildRound, buildScenario } from '../../support/result-builder.ts';

type Reads = NonNullable<RoundResult['reads']>;

const readsOf = (found: number, expectedHitRatio: number | null = 1): { reads: Reads } => ({
  reads: { count: 1000, found, expectedHitRatio },
});

/** Rounds of an arm, by what their thousand reads have found. */
function arm(pools: number, found: readonly number[], expected: number | null = 1) {
  return buildScenario(
    { pools },
    found.map((hits, index) => buildRound(index + 1, 1000, readsOf(hits, expected))),
  );
}

describe('reads of a round', () => {
  const plan = { names: ['GET'], fraction: 0.97, expectedHitRatio: 1 };

  test('are those of the commands that are foreseeable, or their fraction if commands are not counted apart', () => {
    const alone = buildRound(1, 10_000, { misses: 300 });
    expect(countReads(alone, plan)).toEqual({ count: 9700, found: 9400, expectedHitRatio: 1 });
    const [GET, DEL] = [80, 20].map(completed => ({
      ...{ completed, failed: {}, misses: completed / 20 },
      ...{ service: alone.service, response: alone.response },
    }));
    const commands = [
      { name: 'GET', ...GET },
      { name: 'DEL', ...DEL },
    ] as RoundResult['commands'];
    expect(countReads({ ...alone, commands }, plan)).toEqual({ count: 80, found: 76, expectedHitRatio: 1 });
    expect(countReads(alone, { ...plan, names: [] })).toBeNull();
  });

  test('found what they should, but for chance and a few keys', () => {
    const isOff = (found: number, expected: number | null) => hitDifference(readsOf(found, expected)) > 0;
    expect([1000, 996, 990].map(found => isOff(found, 1))).toEqual([false, false, true]);
    // Four standard deviations of a thousand draws are 6.3 %.
    expect([520, 570, 430].map(found => isOff(found, 0.5))).toEqual([false, true, true]);
    expect(isOff(0, null)).toBe(false);
    expect(hitDifference({ reads: null })).toBe(0);
    expect(hasPlannedData({})).toBe(true);
    expect(hasPlannedData({ dataSet: { state: 'notAsPlanned', sampled: 0, missing: 0 } })).toBe(false);
    expect(hasPlannedData({ dataSet: { state: 'restored', sampled: 9, missing: 9 } })).toBe(true);
    const beside = (found: number) => ({
      populations: [{ ...buildRound(1, 1000, readsOf(found)), name: 'bulk' }],
    });
    expect([1000, 10].map(found => hasPlannedData(beside(found)))).toEqual([true, false]);
    expect(describeReads([buildScenario({ id: 'one' }, [buildRound(1, 1000, beside(10))])])).toEqual([
      expect.stringMatching(/^In one, population bulk, reads found/),
    ]);
  });
});

describe('verdict on reads that found nothing', () => {
  test('a round whose reads found nothing is left out of medians and pairs', () => {
    const [base, other] = [arm(1, [1000, 0, 1000, 1000]), arm(2, [1000, 1000, 1000, 10])];
    expect(wholeRounds(base.rounds).map(({ round }) => round)).toEqual([1, 3, 4]);
    expect(pairByRound(base, other, throughput).series.size).toBe(2);
  });

  test('an arm with too few rounds on the planned data is no ground', () => {
    const good = arm(1, [1000, 1000, 1000, 1000, 1000, 1000, 1000]);
    expect(findDataFlaw([good, arm(2, [0, 1000, 1000, 1000, 1000, 1000, 1000])])).toBeNull();
    expect(findDataFlaw([good, arm(2, [0, 0, 1000, 1000, 1000, 1000, 1000])])).toMatch(
      /2 of 7 rounds of .*2pools/,
    );
  });

  test('arms that removed different numbers of keys did not do the same work', () => {
    const rounds = [600, 610, 590, 600, 600];
    expect(findDataFlaw([arm(1, rounds, null), arm(2, rounds, null)])).toBeNull();
    const faster = rounds.map(found => found - 400);
    expect(findDataFlaw([arm(1, rounds, null), arm(2, faster, null)])).toMatch(/20 %.*60 %/);
    expect(describeReads([arm(1, rounds, null), arm(2, faster, null)])).toEqual([
      expect.stringMatching(/19 % and 61 %/),
    ]);
  });

  test('the warning has the figures of the worst round', () => {
    const warnings = describeReads([arm(1, [1000, 0, 500]), arm(2, [1000, 1000, 1000])]);
    expect(warnings).toEqual([expect.stringMatching(/1pools.*2 and 3.*1,000 of 1,000.*100 %.* 0 %/)]);
  });
});
