import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Arm, compareBlocks, type Question, questionsOf } from '../../src/aggregate/questions.ts';
import { describeComparisons } from '../../src/aggregate/report/documents/result.ts';
import type { Result, ScenarioResult } from '../../src/aggregate/result.ts';
import { fieldsOf } from '../../src/aggregate/scenario/scenario.ts';
import { lookRounds } from '../../src/aggregate/stats/sign-test.ts';
import { seededRandom } from '../../src/aggregate/stats/statistics.ts';
import { planRun } from '../../src/main/experiment/plan.ts';
import { readConfig } from '../../src/main/experiment/read-config.ts';
import { type FiguresOf, measureSuite } from '../support/claim-arms.ts';
import { usualMetrics } from '../support/preset-metrics.ts';
import {
  buildLatency,
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  buildUnread,
} from '../support/result-builder.ts';

const range = { atLeast: 10, atMost: 50 };

type Side = Pick<Result, 'environment' | 'target' | 'scenarios'>;

const { environment, target } = buildResult([], { claims: [] });

const sideOf = (scenarios: Side['scenarios']): Side => ({
  environment,
  target,
  scenarios: scenarios.map(scenario => ({ ...scenario, plannedRounds: range })),
});

/** A block for each list of ids, of one side. */
const blocksOf = (...ids: readonly (readonly string[])[]): Arm[][] =>
  ids.map(block => block.map(id => ({ side: 0, id })));

const idsOf = (scenarios: readonly ScenarioResult[]) => scenarios.map(({ id }) => id);
const labelsOf = (questions: readonly Question[]) => questions.map(({ label }) => label);

/** Blocks as a config that compares numbers of pools makes them. */
const byLevel = (scenarios: readonly ScenarioResult[]) => {
  const levels = new Set(scenarios.map(({ client, workers }) => `${client} ${workers}`));
  return blocksOf(
    ...[...levels].map(level =>
      idsOf(scenarios.filter(({ client, workers }) => `${client} ${workers}` === level)),
    ),
  );
};

describe('C1 asks each number of pools beyond 50 workers', () => {
  const ask = (
    gain: Parameters<typeof buildMatrix>[0]['gain'],
    changes: Partial<Parameters<typeof buildMatrix>[0]> = {},
  ) => {
    const scenarios = buildMatrix({ gain, rounds: 10, ...changes });
    return questionsOf([sideOf(scenarios)], byLevel(scenarios));
  };
  /** Above and below 5 % in turn. */
  const unclear = (round: number) => (round % 2 === 0 ? 1.2 : 0.9);

  test('and nothing else: no level up to 50 workers, and no wire beside ioredis', () => {
    const questions = ask(({ round }) => unclear(round), { clients: ['ioredis', 'wire'] });
    expect(labelsOf(questions)).toEqual(['C1, 2 pools', 'C1, 4 pools']);
    expect(questions.map(({ isDecided, rounds }) => ({ isDecided, rounds }))).toEqual([
      { isDecided: false, rounds: 10 },
      { isDecided: false, rounds: 10 },
    ]);
    const arms = questions.flatMap(question => question.arms.map(({ id }) => id));
    expect(new Set(arms)).toEqual(
      new Set(
        [1, 2, 4].flatMap(pools =>
          [100, 200].map(workers => `ioredis-optimized-${pools}pools-${workers}workers`),
        ),
      ),
    );
  });

  test('the shipped config asks nothing but C1', async () => {
    const experiment = await readConfig('configs/redis.json');
    const { sides, blocks } = planRun([experiment]);
    const scenarios = (sides[0]?.scenarios ?? [])
      .filter(({ control }) => control !== true)
      .map((scenario, index) =>
        buildScenario(
          { id: scenario.id, ...fieldsOf(scenario) },
          Array.from({ length: 10 }, (_, round) => buildRound(round, 20_000 + ((index + round) % 2) * 9000)),
        ),
      );
    const arms = blocks.map(({ elements }) =>
      elements.flat().flatMap(({ id, control }) => (control === true ? [] : [{ side: 0, id }])),
    );
    const labels = labelsOf(questionsOf([sideOf(scenarios)], arms));
    expect(labels.length).toBeGreaterThan(0);
    expect(labels.filter(label => !label.startsWith('C1, '))).toEqual([]);
  });

  test('once one number of pools pays, the others are decided, too', () => {
    const questions = ask(({ pools, round }) => (pools === 4 ? 1.4 : unclear(round)));
    expect(questions.map(({ isDecided }) => isDecided)).toEqual([true, true]);
  });

  test('a number that does not pay is decided; while another is open the claim is not', () => {
    const questions = ask(({ pools, round }) => (pools === 2 ? 0.9 : unclear(round)));
    expect(questions.map(({ isDecided }) => isDecided)).toEqual([true, false]);
  });

  test('levels that contradict their mean leave it open', () => {
    const questions = ask(({ workers }) => (workers === 100 ? 0.9 : 2));
    expect(questions.map(({ isDecided }) => isDecided)).toEqual([false, false]);
  });

  test('a flaw that rounds do not mend is no question; too few rounds are', () => {
    const lossy = buildMatrix({ gain: () => 1.4, rounds: 10 }).map(scenario => ({
      ...scenario,
      rounds: scenario.rounds.map(round => ({
        ...round,
        issued: round.issued * 1.01,
        failed: { TIMEOUT: round.issued * 0.01 },
      })),
    }));
    expect(questionsOf([sideOf(lossy)], byLevel(lossy))).toEqual([]);
    // No round counts before the first look.
    const few = ask(() => 1.4, { rounds: 3 });
    expect(few.map(({ isDecided, rounds }) => ({ isDecided, rounds }))).toEqual([
      { isDecided: false, rounds: 0 },
      { isDecided: false, rounds: 0 },
    ]);
    expect(ask(() => 1.4, { rounds: 0 }).map(({ isDecided }) => isDecided)).toEqual([false, false]);
  });

  test('a run that cannot tell identical arms apart asks nothing', () => {
    const scenarios = buildMatrix({ gain: () => 1.4, rounds: 10 });
    const [twin] = scenarios;
    if (twin === undefined) throw new Error('a matrix has scenarios');
    const control = {
      ...twin,
      id: `${twin.id}-control`,
      control: true as const,
      rounds: twin.rounds.map(round => ({ ...round, opsPerSecond: round.opsPerSecond * 2 })),
    };
    expect(questionsOf([sideOf([...scenarios, control])], byLevel(scenarios))).toEqual([]);
  });
});

describe('a claim asks its predictions', () => {
  const lockFreeBlocks = (arms: readonly ScenarioResult[]) => {
    const groups = new Map<string, string[]>();
    for (const { client, workers, id } of arms) {
      const key = `${client} ${workers}`;
      groups.set(key, [...(groups.get(key) ?? []), id]);
    }
    return blocksOf(...groups.values());
  };
  const tails = (figuresOf: FiguresOf) =>
    measureSuite(
      'tails',
      (scenario, round) => ({ poolMetrics: usualMetrics(scenario), ...figuresOf(scenario, round) }),
      10,
    );
  const ofC4 = (questions: readonly Question[]) => questions.filter(({ label }) => label.startsWith('C4, '));

  test('those whose pairs lie within blocks, each with the arms of its pairs', async () => {
    const arms = await tails((_, round) => ({ speed: round % 2 === 0 ? 1.3 : 0.7 }));
    const asked = ofC4(questionsOf([sideOf(arms)], lockFreeBlocks(arms)));
    expect(asked.length).toBeGreaterThan(0);
    for (const question of asked) {
      expect(question.arms.length).toBeGreaterThan(1);
      for (const { id } of question.arms) expect(id).toMatch(/baseline|lock-free/);
    }
    // With an arm to a block nothing that is a ratio is asked.
    const alone = questionsOf([sideOf(arms)], blocksOf(...idsOf(arms).map(id => [id])));
    expect(ofC4(alone)).toEqual([]);
  });

  test('once one of them has refuted the claim, the others are decided', async () => {
    // Throughput clearly misses its promise, and tails cannot be told.
    const arms = await tails(({ preset }, round) => ({
      speed: 1,
      slowness: preset === 'lock-free' ? (round % 2 === 0 ? 0.5 : 2) : 1,
    }));
    const asked = ofC4(questionsOf([sideOf(arms)], lockFreeBlocks(arms)));
    expect(asked.map(({ isDecided }) => isDecided)).toEqual(asked.map(() => true));
    expect(asked.length).toBeGreaterThan(2);
  });
});

describe('where no claim is tested, each arm is asked against the first of its block', () => {
  const arm = (id: string, rates: readonly number[], more: Partial<ScenarioResult> = {}) =>
    buildScenario(
      { id, pool: 'shared', ...more },
      rates.map((rate, round) => buildRound(round, rate)),
    );
  const steady = Array<number>(10).fill(1000);

  test('by throughput: clearly more, clearly less or clearly neither is decided', () => {
    const scenarios = [
      arm('first', steady),
      arm(
        'more',
        steady.map(rate => rate * 1.2),
      ),
      arm(
        'less',
        steady.map(rate => rate * 0.8),
      ),
      arm(
        'equal',
        steady.map(rate => rate * 1.01),
      ),
      arm(
        'open',
        steady.map((rate, round) => rate * (round % 2 === 0 ? 1.01 : 1.2)),
      ),
      arm('elsewhere', steady),
    ];
    const questions = questionsOf(
      [sideOf(scenarios)],
      blocksOf(['first', 'more', 'less', 'equal', 'open'], ['elsewhere']),
    );
    expect(questions.map(({ arms: [, other], isDecided }) => [other?.id, isDecided])).toEqual([
      ['more', true],
      ['less', true],
      ['equal', true],
      ['open', false],
    ]);
  });

  test('as of a claim, what rounds do not mend is no question: lost operations, identical arms that differ', () => {
    const arms = [
      arm('first', steady),
      arm(
        'more',
        steady.map(rate => rate * 1.2),
      ),
    ];
    const ask = (scenarios: Side['scenarios']) =>
      questionsOf([sideOf(scenarios)], blocksOf(['first', 'more']));
    expect(ask(arms)).toMatchObject([{ isDecided: true }]);
    const [first, more] = arms;
    if (first === undefined || more === undefined) throw new Error('there are two arms');
    const lossy = more.rounds.map(round => ({
      ...round,
      issued: round.issued * 1.01,
      failed: { TIMEOUT: round.issued * 0.01 },
    }));
    expect(ask([first, { ...more, rounds: lossy }])).toEqual([]);
    const control = { ...more, id: 'first-control', control: true as const };
    expect(ask([...arms, control])).toEqual([]);
  });

  test('of open loops by their p99, unless that is a lower bound', () => {
    const openArm = (id: string, p50: number, unfinished = 0) =>
      buildScenario(
        { id, pool: 'shared', arrival: { kind: 'constant', rate: 1000 } },
        steady.map((rate, round) =>
          buildRound(round, rate, { response: buildLatency(rate, p50), unfinished }),
        ),
      );
    const scenarios = [openArm('first', 1), openArm('slower', 2), openArm('lost', 1, 100)];
    const questions = questionsOf([sideOf(scenarios)], blocksOf(idsOf(scenarios)));
    expect(questions).toMatchObject([{ arms: [{ id: 'first' }, { id: 'slower' }], isDecided: true }]);
    expect(labelsOf(questions)[0]).toContain('p99');
  });

  test('of several sides, each arm against the same on the first side', () => {
    const sides = [
      sideOf([arm('a', steady)]),
      sideOf([
        arm(
          'a',
          steady.map(rate => rate * 1.5),
        ),
      ]),
    ];
    const blocks = [[0, 1].map(side => ({ side, id: 'a' }))];
    expect(questionsOf(sides, blocks)).toMatchObject([
      {
        arms: [
          { side: 0, id: 'a' },
          { side: 1, id: 'a' },
        ],
        isDecided: true,
        rounds: 10,
      },
    ]);
  });

  test('arms without a round are asked, and open', () => {
    const scenarios = [arm('first', []), arm('second', [])];
    expect(questionsOf([sideOf(scenarios)], blocksOf(idsOf(scenarios)))).toMatchObject([
      { isDecided: false, rounds: 0 },
    ]);
  });
});

describe('claims about two servers', () => {
  const sideOn = async (server: 'redis' | 'valkey'): Promise<Side> => {
    const busy = {
      ...buildRound(0, 1).cpu,
      eventLoopUtilization: [0.6],
      serverCores: 1,
      serverMainThreadCores: 0.98,
    };
    const scenarios = await measureSuite(
      'versus',
      (_, round) => ({
        speed: server === 'valkey' && round % 2 === 0 ? 1.3 : 1,
        slowness: server === 'valkey' && round % 2 === 0 ? 0.7 : 1,
        round: { cpu: busy },
      }),
      10,
    );
    const side = sideOf(scenarios);
    return { ...side, target: { ...side.target, detected: { server, version: '8.0.0', threads: 1 } } };
  };

  test('whose arms are not those of the run throw, as they would never be decided', async () => {
    const sides = [await sideOn('redis'), await sideOn('valkey')];
    const copied = sides.map(side => ({
      ...side,
      scenarios: side.scenarios.map(scenario =>
        Object.defineProperty({ ...scenario }, 'rounds', {
          get: () => [...scenario.rounds],
          enumerable: true,
        }),
      ),
    }));
    expect(() => questionsOf(copied, [])).toThrow('whose rounds are not those of the run');
  });

  test('ask the arms of both sides', async () => {
    const sides = [await sideOn('redis'), await sideOn('valkey')];
    const ids = idsOf(sides[0]?.scenarios as ScenarioResult[]);
    const blocks = ids.map(id => [0, 1].map(side => ({ side, id })));
    const questions = questionsOf(sides, blocks).filter(({ label }) => label.startsWith('C9, '));
    expect(questions.length).toBeGreaterThan(0);
    for (const { label, arms, isDecided } of questions) {
      expect(new Set(arms.map(({ side }) => side))).toEqual(new Set([0, 1]));
      for (const { id } of arms) expect(ids).toContain(id);
      expect(isDecided, label).toBe(false);
    }
  });
});

test('a question that is decided at a look stays decided at all later ones', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0.9, max: 1.3, noNaN: true }),
      fc.double({ min: 0.01, max: 0.3, noNaN: true }),
      (seed, gain, noise) => {
        const random = seededRandom(seed);
        const scenarios = buildMatrix({
          workers: [100],
          rounds: range.atMost,
          gain: () => gain * Math.exp(noise * (random() + random() + random() - 1.5) * 2),
        });
        let before: boolean[] = [];
        for (const look of lookRounds(range)) {
          const cut = scenarios.map(scenario => ({ ...scenario, rounds: scenario.rounds.slice(0, look) }));
          const now = questionsOf([sideOf(cut)], byLevel(cut)).map(({ isDecided }) => isDecided);
          for (const [index, was] of before.entries()) if (was) expect(now[index]).toBe(true);
          before = now;
        }
      },
    ),
    { seed: 1, numRuns: 6 },
  );
});

describe('a run keeps the ratios that it was asked for', () => {
  const arms = (client: string, opsPerSecond: number, rounds = 10) =>
    buildScenario(
      { id: client, client },
      Array.from({ length: rounds }, (_, round) => buildRound(round, opsPerSecond + round)),
    );
  const clients = [arms('ioredis', 20_000), arms('wire', 40_000)];

  test('those of a block to its first arm, where it tests no claim', () => {
    expect(compareBlocks(sideOf(clients), blocksOf(['ioredis', 'wire']))).toEqual([
      expect.objectContaining({
        measure: 'throughput',
        base: 'ioredis',
        other: 'wire',
        rounds: 10,
        ratio: expect.objectContaining({ median: expect.closeTo(2, 2) }),
      }),
    ]);
  });

  test('none of fewer rounds than a verdict takes', () => {
    const few = [arms('ioredis', 20_000, 5), arms('wire', 40_000, 5)];
    expect(compareBlocks(sideOf(few), blocksOf(['ioredis', 'wire']))).toEqual([]);
  });

  test('one of which a round was cut short, so that too few are left, stays open', () => {
    const [base, other] = [arms('ioredis', 20_000, 6), arms('wire', 40_000, 6)];
    const cut = {
      ...other,
      rounds: other.rounds.map((round, index) => ({ ...round, ...(index === 2 ? { seconds: 0.6 } : {}) })),
    };
    const plannedRounds = { atLeast: 6, atMost: 6 };
    const side = sideOf([base, cut]);
    const fixed = { ...side, scenarios: side.scenarios.map(arm => ({ ...arm, plannedRounds })) };
    const [{ rounds, ratio } = { rounds: Number.NaN, ratio: {} }] = compareBlocks(
      fixed,
      blocksOf(['ioredis', 'wire']),
    );
    expect({ rounds, ratio }).toMatchObject({
      rounds: 5,
      ratio: { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
    });
  });

  test('those beside a population, by p99 in a closed loop, too, also where it tests a claim', () => {
    const scenarios = buildMatrix({ gain: () => 1.4, rounds: 10, workers: [10, 100] });
    const beside = scenarios.map(scenario => ({ ...scenario, id: `${scenario.id}-bulk`, beside: 'bulk' }));
    const blocks = blocksOf(...scenarios.map(({ id }) => [id, `${id}-bulk`]));
    const compared = compareBlocks(sideOf([...scenarios, ...beside]), blocks);
    // With 100 workers it is practically the worst stall, which decides nothing, however many rounds there are.
    const caveatOf = (workers: number) => (workers === 100 ? 'worst stall' : undefined);
    expect(compared.map(({ measure, base, other, caveat }) => [measure, base, other, caveat])).toEqual(
      scenarios.flatMap(({ id, workers }) => [
        ['response p99', id, `${id}-bulk`, caveatOf(workers)],
        ['throughput', id, `${id}-bulk`, undefined],
      ]),
    );
    const asked = labelsOf(questionsOf([sideOf([...scenarios, ...beside])], blocks));
    expect(asked).toHaveLength(compared.filter(({ caveat }) => caveat === undefined).length);
  });

  describe('with a p99 that is only a lower bound', () => {
    /** One in 2000 operations is never answered: too few to spoil the arm, and enough to move its p99. */
    const openArm = (id: string, p50: number, unfinished = 0, lossyRounds = 10) =>
      buildScenario(
        { id, pool: 'shared', arrival: { kind: 'constant', rate: 20_000 } },
        Array.from({ length: 10 }, (_, round) =>
          buildRound(round, 20_000, {
            response: buildLatency(20_000, p50),
            unfinished: round < lossyRounds ? unfinished : 0,
          }),
        ),
      );
    const compare = (base: ScenarioResult, other: ScenarioResult) => {
      const result = buildUnread([base, other]);
      const blocks = blocksOf([base.id, other.id]);
      const comparisons = compareBlocks(result, blocks);
      return {
        comparisons,
        questions: questionsOf([result], blocks),
        found: describeComparisons({ ...result, comparisons }).join(),
      };
    };
    const open = { caveat: 'lower bound', ratio: { high: Number.POSITIVE_INFINITY } };

    test('an interval wholly above 1 decides that it is more, and says what is sure', () => {
      const { comparisons, questions, found } = compare(openArm('first', 1), openArm('lossy', 3, 10));
      expect(comparisons).toMatchObject([{ ...open, ratio: { low: 3, high: Number.POSITIVE_INFINITY } }]);
      expect(questions).toMatchObject([{ isDecided: true }]);
      expect(found).toMatch(/clearly more, at least ×3\.00; in 10 of 10 rounds, .*lossy/);
    });

    test('if the base has it, an interval wholly below 1 decides that the other has less', () => {
      const { comparisons, questions, found } = compare(openArm('lossy', 3, 10), openArm('second', 1));
      expect(comparisons).toMatchObject([{ caveat: 'lower bound', ratio: { low: 0 } }]);
      expect(questions).toMatchObject([{ isDecided: true }]);
      expect(found).toMatch(/clearly less, at most ×0\.33/);
    });

    test('the side on which it is open is never decided', () => {
      const { questions, found } = compare(openArm('first', 3), openArm('lossy', 1, 10));
      expect(questions).toMatchObject([{ isDecided: false }]);
      expect(found).toMatch(/still open/);
    });

    test('lower bounds in a few rounds of both leave a question that further rounds can decide', () => {
      const asked = (lossyRounds: number) =>
        compare(openArm('first', 1, 10, lossyRounds), openArm('lossy', 1.2, 10, lossyRounds)).questions;
      expect(asked(4)).toMatchObject([{ isDecided: false }]);
      expect(asked(5)).toEqual([]);
    });

    test('nothing is asked of two lower bounds, because no number of rounds would decide it', () => {
      const { questions, found } = compare(openArm('first', 1, 10), openArm('lossy', 3, 10));
      expect(questions).toEqual([]);
      expect(found).toMatch(/nothing is excluded/);
    });
  });

  test('none between blocks', () => {
    expect(compareBlocks(sideOf(clients), blocksOf(['ioredis'], ['wire']))).toEqual([]);
  });

  test('none where it tests a claim, which has its own', () => {
    const scenarios = buildMatrix({ gain: () => 1.4, rounds: 10 });
    expect(compareBlocks(sideOf(scenarios), byLevel(scenarios))).toEqual([]);
  });
});
