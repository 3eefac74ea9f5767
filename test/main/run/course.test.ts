import { describe, expect, test } from 'vitest';
import type { RoundResult } from '../../../src/aggregate/result.ts';
import { twinIdOf } from '../../../src/aggregate/stats/control.ts';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { type Plan, planRun, secondsAtMost } from '../../../src/main/experiment/plan.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { foundOn } from '../../../src/main/run/assemble.ts';
import { Course, type RunEnd } from '../../../src/main/run/course.ts';
import { finishedOf } from '../../../src/main/run/earlier-run.ts';
import { buildResult, buildRound } from '../../support/result-builder.ts';

/** Two blocks of two arms, at 10 workers and at 100; a round of all takes 2.6 s. */
function planOf(settings: object): Plan {
  return planRun([
    experimentSchema.parse({
      name: 'course',
      target: { server: 'any', url: 'redis://h' },
      scenarios: [{ client: 'wire', pipeline: [1, 10], workers: [10, 100] }],
      compare: ['pipeline'],
      seconds: 0.25,
      warmupSeconds: 0.25,
      ...settings,
    }),
  ]);
}

type Gain = (workers: number, round: number) => number;

const target = buildResult([]).target;

/** Runs a plan with made-up rates: of depth 10 to depth 1 as `gain` says. Each turn takes as long as it is planned to. */
function runPlan(plan: Plan, gain: Gain, { paced = 1, upTo = Number.POSITIVE_INFINITY } = {}) {
  const rounds = new Map<string, RoundResult[]>();
  const measured = plan.sides.map(({ scenarios }) => {
    return { target, scenarios, populations: [], plannedRounds: () => plan.rounds, rounds };
  });
  const course = new Course(
    plan,
    foundOn(() => measured),
  );
  const due: string[][] = [];
  for (let round = 1; ; round++) {
    const next = course.next(round);
    if ('ended' in next || round > upTo) return { next: next as RunEnd, due, rounds };
    due.push(next.turns.map(({ scenario }) => scenario.id).toSorted());
    for (const [place, { scenario }] of next.turns.entries()) {
      const startedAt = new Date(1e12 + round * 1e6 + place * 650 * paced).toISOString();
      const rate = 1000 * rateOf(scenario, gain, round);
      const result = buildRound(round, rate, {
        startedAt,
        seconds: 0.25,
        warmup: { seconds: 0.25, grown: true },
      });
      rounds.set(scenario.id, [...(rounds.get(scenario.id) ?? []), result]);
    }
  }
}

function rateOf({ pipeline, workers }: Scenario, gain: Gain, round: number): number {
  return pipeline === 1 ? 1 : gain(workers, round);
}

/** At 100 workers there is nothing to compare. */
const oneAlone = {
  scenarios: [
    { client: 'wire', pipeline: [1, 10], workers: 10 },
    { client: 'wire', pipeline: 1, workers: 100 },
  ],
  budgetSeconds: 3600,
};

const isAt = (workers: number) => (id: string) => id.includes(`${workers}workers`);
/** Above 5 % in one round, below in the next. */
const undecided: Gain = (_, round) => (round % 2 === 0 ? 1.2 : 0.9);

describe('a run takes as many rounds as its questions', () => {
  test('all decided: it ends at the first look', () => {
    const { next, due } = runPlan(planOf({}), () => 4);
    expect(next).toMatchObject({ ended: 'decided', open: [], isAsked: true });
    expect(due).toHaveLength(10);
  });

  test('a block that is decided is measured no more', () => {
    const { next, due } = runPlan(planOf({ budgetSeconds: 3600 }), (workers, round) =>
      workers === 10 ? 4 : undecided(workers, round),
    );
    expect(next).toMatchObject({ ended: 'rounds', isAsked: true });
    expect(next.open).toHaveLength(1);
    expect(due).toHaveLength(50);
    expect(due.slice(0, 10).every(ids => ids.some(isAt(10)) && ids.some(isAt(100)))).toBe(true);
    expect(due.slice(10).some(ids => ids.some(isAt(10)))).toBe(false);
    expect(due.slice(10).every(ids => ids.filter(isAt(100)).length >= 2)).toBe(true);
  });

  test('a control stays with its twin while any block is measured', () => {
    const plan = planOf({ budgetSeconds: 3600 });
    const controls = plan.sides[0]?.scenarios.filter(({ control }) => control).map(({ id }) => id) ?? [];
    expect(controls.map(isAt(100))).toEqual([true]);
    const { due, rounds } = runPlan(plan, (workers, round) =>
      workers === 100 ? 4 : undecided(workers, round),
    );
    const [control = ''] = controls;
    expect(due).toHaveLength(50);
    for (const ids of due.slice(10)) {
      expect(ids.filter(isAt(100))).toEqual([twinIdOf(control), control].toSorted());
      expect(ids.filter(isAt(10))).toHaveLength(2);
    }
    expect(rounds.get(control)).toHaveLength(50);
  });

  test('a block that no question is about has a fixed number of rounds from the first look on', () => {
    const plan = planOf(oneAlone);
    expect(runPlan(plan, undecided, { upTo: 10 }).next.unasked).toEqual(
      new Set(plan.sides[0]?.scenarios.map(({ id }) => id).filter(isAt(100))),
    );
    expect(runPlan(plan, undecided, { upTo: 9 }).next.unasked).toEqual(new Set());
  });

  test('questions after that look know them, in a run that is resumed, too', () => {
    const plan = planOf(oneAlone);
    const { rounds } = runPlan(plan, undecided, { upTo: 14 });
    const sides = plan.sides.map(({ scenarios }) => {
      return { target, scenarios, populations: [], plannedRounds: () => plan.rounds, rounds };
    });
    const found = foundOn(() => sides);
    const asked: (readonly number[])[] = [];
    const course = new Course(plan, {
      ...found,
      asOf: (round, unasked) => {
        const [side] = found.asOf(round, unasked);
        const alone = side?.scenarios.filter(({ workers }) => workers === 100) ?? [];
        asked.push(alone.map(({ plannedRounds }) => plannedRounds?.atMost ?? 0));
        return found.asOf(round, unasked);
      },
    });
    course.next(14);
    expect(asked.at(-1)).toEqual([10]);
    expect(asked.some(of => of[0] === 50)).toBe(true);
  });

  test('a run that compares nothing ends after the fewest rounds, and a fixed number is kept', () => {
    const alone = planOf({ scenarios: [{ client: 'wire' }] });
    expect(runPlan(alone, () => 1)).toMatchObject({ next: { ended: 'rounds', isAsked: false } });
    expect(runPlan(alone, () => 1).due).toHaveLength(10);
    const fixed = runPlan(planOf({ rounds: 12 }), () => 4);
    expect(fixed.next.ended).toBe('rounds');
    expect(fixed.due).toHaveLength(12);
  });

  test('a spent budget ends it at the last look that it has room for', () => {
    const plan = planOf({ budgetSeconds: 60 });
    const roundSeconds = secondsAtMost(plan) / plan.rounds.atMost;
    const { next, due } = runPlan(plan, undecided);
    expect(next.ended).toBe('budget');
    expect(next.open).toHaveLength(2);
    expect([10, 13, 16, 20]).toContain(due.length);
    expect(due.length * roundSeconds).toBeLessThanOrEqual(60);
    // Rounds that take three times as long as planned: before the first look, too.
    expect(runPlan(plan, undecided, { paced: 3 }).due.length).toBeLessThan(10);
  });

  test('what is ahead fits into the budget that the plan names', () => {
    const next = new Course(
      planOf({ budgetSeconds: 60 }),
      foundOn(() => []),
    ).next(1);
    if ('ended' in next) throw new Error('expected a first round');
    expect(next.ahead.seconds).toBeLessThanOrEqual(60);
    expect(next.ahead.rounds).toBeGreaterThanOrEqual(10);
  });

  test('a budget without room for the first look fixes the number, at 6 at least', () => {
    expect(planOf({ budgetSeconds: 1 }).rounds).toEqual({ atLeast: 6, atMost: 6 });
    expect(runPlan(planOf({ budgetSeconds: 1 }), () => 4).due).toHaveLength(6);
    const eight = planOf({ budgetSeconds: 8.5 * 5 * 0.65 }).rounds;
    expect(eight).toEqual({ atLeast: 8, atMost: 8 });
    expect(planOf({ rounds: 3, budgetSeconds: 1 }).rounds).toEqual({ atLeast: 3, atMost: 3 });
    expect(planOf({ rounds: 1000 }).rounds).toEqual({ atLeast: 1000, atMost: 1000 });
  });

  test('a run that is resumed goes on as if it had not been stopped, blocks left out or not', () => {
    const plan = planOf({ budgetSeconds: 3600 });
    const gain: Gain = (workers, round) => (workers === 10 ? 4 : undecided(workers, round));
    const { due, rounds } = runPlan(plan, gain, { upTo: 14 });
    expect(due).toHaveLength(14);
    const scenarios = (plan.sides[0]?.scenarios ?? []).map(({ id }) => ({
      id,
      rounds: rounds.get(id) ?? [],
    }));
    const result = { ...buildResult([]), scenarios } as unknown as Parameters<typeof finishedOf>[0];
    expect(finishedOf(result, plan).count).toBe(14);
    // One arm of the block that is left lacks its last round.
    const cut = scenarios.map(one => (isAt(100)(one.id) ? { ...one, rounds: one.rounds.slice(0, -1) } : one));
    const { count, rounds: kept } = finishedOf(
      { ...result, scenarios: cut as typeof result.scenarios },
      plan,
    );
    expect(count).toBe(13);
    expect([...kept.values()].map(list => list.length).toSorted((a, b) => a - b)[0]).toBe(10);
  });
});
