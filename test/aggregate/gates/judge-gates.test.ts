import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareResults } from '../../../src/aggregate/comparison/compare-results.ts';
import { comparisonSchema } from '../../../src/aggregate/comparison/schema.ts';
import { outcomeOf } from '../../../src/aggregate/gates/gate.ts';
import { renderGatesJunit } from '../../../src/aggregate/report/files/junit.ts';
import { renderComparisonPage } from '../../../src/aggregate/report/html/comparison-page.ts';
import type { Result, RoundResult } from '../../../src/aggregate/result.ts';
import { parseGates } from '../../../src/main/experiment/gate-flag.ts';
import { inMarkdown, onTerminal } from '../../support/documents.ts';
import {
  buildLatency,
  buildResult,
  buildRound,
  buildScenario,
  standInTarget,
} from '../../support/result-builder.ts';

const config = { workload: { keys: 100 }, rounds: 16, seconds: 1, warmupSeconds: 0.25 };
const p50 = 'response.p50 > +5%';

/** Rounds with these p50 in ms, 16 equal ones by default. */
const rounds = (p50s: readonly number[], changes: Partial<RoundResult> = {}) =>
  p50s.map((ms, index) =>
    buildRound(index + 1, 10_000 / ms, { response: buildLatency(10_000, ms), ...changes }),
  );

const equal = Array.from({ length: 16 }, () => 1);
const times = (factor: number) => equal.map(ms => ms * factor);

function side(name: string, p50s: readonly number[], changes: Partial<Result> = {}): Result {
  return buildResult([buildScenario({ workers: 10 }, rounds(p50s))], {
    ...{ name, config, claims: [], session: 'one' },
    ...changes,
  });
}

const gatesOf = (results: readonly Result[], conditions = p50) =>
  compareResults(results, parseGates(conditions)).gates;
const outcomesOf = (...given: Parameters<typeof gatesOf>) => gatesOf(...given).map(({ outcome }) => outcome);

describe('sides that were measured in turn', () => {
  test.each([
    [p50, 1.1, 'beyond'],
    [p50, 1.04, 'within'],
    ['response.p50 > +15%', 1.1, 'within'],
    ['response.p50 > -5%', 1, 'beyond'],
    ['response.p50 > +0%', 1, 'within'],
    ['opsPerSecond < -5%', 1.1, 'beyond'],
    ['opsPerSecond < -5%', 0.9, 'within'],
    ['opsPerSecond < -15%', 1.1, 'within'],
  ])('%s: ×%f of the response time is %s', (condition, factor, outcome) => {
    const [gate] = gatesOf([side('old', equal), side('new', times(factor))], condition);
    expect(gate).toMatchObject({ condition, side: 'new', outcome, rounds: 16, runs: null, reason: '' });
  });

  test('what is open says what is excluded, and about how many rounds would decide it', () => {
    const swinging = equal.map((_, round) => (round % 4 === 0 ? 1.01 : 1.08));
    const [gate] = gatesOf([side('old', equal), side('new', swinging)]);
    expect(gate?.outcome).toBe('cannot tell');
    expect(gate?.reason).toMatch(/more than ×1\.08 is excluded; .*80 % power; about \d+ rounds/i);
  });

  test('each side and scenario stands for itself, and they share the chance to fail the build in error', () => {
    const sixRounds = times(1.2).slice(0, 6);
    const several = (name: string, p50s: readonly number[], scenarios: number) =>
      side(name, p50s, {
        scenarios: Array.from({ length: scenarios }, (_, index) =>
          buildScenario({ workers: index + 1 }, rounds(p50s)),
        ),
      });
    const compared = (scenarios: number) => [
      several('old', equal.slice(0, 6), scenarios),
      several('new', sixRounds, scenarios),
    ];
    expect(outcomesOf(compared(1))).toEqual(['beyond']);
    expect(outcomesOf(compared(2))).toEqual(['cannot tell', 'cannot tell']);
    expect(outcomesOf(compared(1), `${p50}, opsPerSecond < -5%`)).toEqual(['cannot tell', 'cannot tell']);
    const three = [side('old', equal), side('new', equal), side('newer', times(1.2))];
    expect(gatesOf(three).map(({ side, outcome }) => [side, outcome])).toEqual([
      ['new', 'within'],
      ['newer', 'beyond'],
    ]);
  });

  const slow = times(1.2);
  test.each<[string, Partial<Result>, RegExp]>([
    ['that did not come to its end', { complete: false }, /end/],
    ['on which a stand-in answered', { target: standInTarget }, /redis stood in for dragonfly/],
    [
      'that lost operations',
      { scenarios: [buildScenario({ workers: 10 }, rounds(slow, { unfinished: 500 }))] },
      /failed or stayed unfinished/,
    ],
    [
      'with too few rounds',
      { scenarios: [buildScenario({ workers: 10 }, rounds(slow.slice(0, 5)))] },
      /Only 5 rounds/,
    ],
    [
      'of which two identical arms differ',
      {
        scenarios: [
          buildScenario({ workers: 10, id: 'a' }, rounds(slow)),
          buildScenario({ workers: 10, id: 'a-control' }, rounds(equal)),
        ].map((arm, index) => ({ ...arm, ...(index === 1 ? { control: true as const } : {}) })),
      } as Partial<Result>,
      /identical arms/,
    ],
  ])('a side %s decides nothing', (_, changes, reason) => {
    const { scenarios } = { scenarios: side('old', equal).scenarios, ...changes };
    const id = scenarios[0]?.id ?? '';
    const base = side('old', equal, {
      scenarios: [buildScenario({ workers: 10, id }, rounds(equal))],
    });
    const [gate, ...others] = gatesOf([base, side('new', slow, changes)]);
    expect(others).toEqual([]);
    expect(gate?.outcome).toBe('cannot tell');
    expect(gate?.reason).toMatch(reason);
  });

  test('the time of deliveries decides nothing if messages were lost', () => {
    const delivering = (name: string, lost: number) => {
      const arrived = { expected: 1000, received: 1000 - lost, lost, latency: buildLatency(1000 - lost, 1) };
      const of = rounds(equal, { deliveries: { subscribers: 1, closed: 0, ...arrived } });
      return side(name, equal, { scenarios: [buildScenario({ workers: 10 }, of)] });
    };
    const outcomes = (lost: number) =>
      gatesOf([delivering('old', 0), delivering('new', lost)], 'delivery.p99 > +5%');
    expect(outcomes(0)).toMatchObject([{ outcome: 'within' }]);
    expect(outcomes(500)).toMatchObject([
      { outcome: 'cannot tell', reason: expect.stringMatching(/only a lower bound/i) },
    ]);
  });

  test.each([
    ['new', 2, 'beyond'],
    ['new', 0.5, 'cannot tell'],
    ['old', 2, 'cannot tell'],
    ['old', 0.5, 'within'],
  ])(
    'a lower bound on the %s side, ×%f, is %s: its interval is open on one side',
    (lossy, factor, outcome) => {
      const of = (name: string, ms: number) =>
        buildResult(
          [
            buildScenario(
              { workers: 10 },
              rounds(times(ms), name === lossy ? { unfinished: Math.ceil(10_000 / ms / 2000) } : {}),
            ),
          ],
          { name, config, claims: [], session: 'one' },
        );
      const sides = [of('old', 1), of('new', factor)];
      expect(gatesOf(sides, 'response.p99 > +5%')).toMatchObject([{ outcome }]);
      const { ratios } = compareResults(sides).scenarios[0]?.sides[1] ?? {};
      const [separate] = compareResults(sides.map(({ session: _, ...rest }) => rest)).scenarios;
      const open = lossy === 'new' ? { high: Number.POSITIVE_INFINITY } : { low: 0 };
      expect(ratios?.responseP99).toMatchObject(open);
      expect(separate?.sides[1]?.ratios?.responseP99).toMatchObject(open);
    },
  );

  test('a lower bound stays one beside a window that was longer than all others', () => {
    const of = (name: string, ms: number, unfinished: number) => {
      const usual = rounds(times(ms), { unfinished });
      const long = buildRound(17, 10_000 / ms, { response: buildLatency(10_000, ms), seconds: 1.4 });
      return side(name, equal, { scenarios: [buildScenario({ workers: 10 }, [...usual, long])] });
    };
    const sides = (unfinished: number) => [of('old', 1, 0), of('new', 0.5, unfinished)];
    expect(outcomesOf(sides(0), 'response.p99 > +5%')).toEqual(['within']);
    expect(outcomesOf(sides(10), 'response.p99 > +5%')).toEqual(['cannot tell']);
  });

  test('a tail that is practically the worst stall is judged, and says so', () => {
    const few = (p50s: readonly number[]) =>
      rounds(p50s).map(round => ({ ...round, completed: 400, issued: 400 }));
    const [old, slower] = [equal, slow].map(p50s =>
      side('run', p50s, { scenarios: [buildScenario({ workers: 10 }, few(p50s))] }),
    );
    const [gate] = gatesOf(
      [old, slower].flatMap(one => one ?? []),
      'response.p99 > +5%',
    );
    expect(gate).toMatchObject({ outcome: 'beyond', reason: expect.stringMatching(/worst stall/) });
  });

  test('without a scenario in common nothing is decided', () => {
    const other = { scenarios: [buildScenario({ workers: 11 }, rounds(equal))] };
    expect(gatesOf([side('old', equal), side('new', equal, other)])).toMatchObject([
      { scenario: null, outcome: 'cannot tell', ratio: null },
    ]);
  });
});

describe('an interval decides', () => {
  const ends = fc.tuple(
    fc.double({ min: 0.5, max: 2, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  const gate = fc.record({
    fails: fc.constantFrom('above' as const, 'below' as const),
    threshold: fc.double({ min: 0.5, max: 2, noNaN: true }),
  });

  test('beyond where all of it lies beyond the threshold, within where none of it does', () => {
    fc.assert(
      fc.property(gate, ends, ({ fails, threshold }, [low, width]) => {
        const points = [low, low + width];
        const isBeyond = (ratio: number) => (fails === 'above' ? ratio > threshold : ratio < threshold);
        const expected = points.every(isBeyond) ? 'beyond' : points.some(isBeyond) ? 'cannot tell' : 'within';
        expect(outcomeOf({ fails, threshold }, { low, high: low + width })).toBe(expected);
      }),
    );
  });

  test('a slower side never passes where a faster one fails', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.8, max: 1.4, noNaN: true }), { minLength: 10, maxLength: 10 }),
        fc.double({ min: 1, max: 1.5, noNaN: true }),
        (factors, slower) => {
          const outcomes = [1, slower].map(
            factor =>
              outcomesOf([
                side('old', equal.slice(0, 10)),
                side(
                  'new',
                  factors.map(ms => ms * factor),
                ),
              ])[0],
          );
          const order = ['within', 'cannot tell', 'beyond'];
          expect(order.indexOf(outcomes[1] ?? '')).toBeGreaterThanOrEqual(order.indexOf(outcomes[0] ?? ''));
        },
      ),
      { numRuns: 10 },
    );
  });
});

describe('runs that were made apart', () => {
  const run = (day: number, ms: number, changes: Partial<Result> = {}) => {
    const { session: _, ...alone } = side('nightly', times(ms), {
      startedAt: `2026-11-${10 + day}T10:00:00.000Z`,
      ...changes,
    });
    return alone;
  };
  const baseline = [1, 1.01, 0.99, 1.005, 0.995, 1].map((ms, day) => run(day, ms));

  test.each([
    [1.2, 'beyond'],
    [1.0, 'within'],
  ])('×%f of a baseline of 6 is %s', (ms, outcome) => {
    expect(gatesOf([...baseline, run(9, ms)])).toMatchObject([
      { side: 'nightly-7', outcome, rounds: null, runs: 6, reason: '' },
    ]);
  });

  test.each([
    [1.2, 'beyond'],
    [1.0, 'cannot tell'],
  ])('×%f of the baseline is %s if it is only a lower bound: the true figure is larger', (ms, outcome) => {
    const lossy = (day: number, factor: number) =>
      run(day, factor, {
        scenarios: [buildScenario({ workers: 10 }, rounds(times(factor), { unfinished: 5 }))],
      });
    const p99 = 'response.p99 > +5%';
    const [gate] = gatesOf([...baseline, lossy(9, ms)], p99);
    expect(gate).toMatchObject({ outcome, ratio: { high: Number.POSITIVE_INFINITY } });
    const [ofLossy] = gatesOf([lossy(0, 1), ...baseline.slice(1), run(9, ms)], p99);
    expect(ofLossy).toMatchObject({
      outcome: 'cannot tell',
      reason: expect.stringMatching(/baseline is only a lower bound/),
    });
  });

  test('a few rounds with lower bounds raise the median by some ranks, and the ratio no further', () => {
    const halves = equal.map((ms, round) => (round < 9 ? ms : ms * 1.5));
    const lossy = (lost: number) =>
      run(9, 1, {
        scenarios: [
          buildScenario(
            { workers: 10 },
            rounds(halves).map((round, index) => (index < lost ? { ...round, unfinished: 5 } : round)),
          ),
        ],
      });
    const gateOf = (lost: number) => gatesOf([...baseline, lossy(lost)], 'response.p99 > +5%')[0];
    expect(gateOf(0)?.outcome).toBe('within');
    expect(gateOf(2)?.outcome).toBe('cannot tell');
    expect(gateOf(2)?.ratio?.high).toBeCloseTo(1.5 * (gateOf(0)?.ratio?.high ?? 0), 6);
    expect(gateOf(2)?.reason).toMatch(/only a lower bound; more than ×1\.\d+ is excluded/);
  });

  test('what the spread of the baseline leaves open is open, with what would decide it', () => {
    const [gate] = gatesOf([...baseline, run(9, 1.07)]);
    expect(gate?.outcome).toBe('cannot tell');
    expect(gate?.reason).toMatch(/More than ×1\.\d+ is excluded; a baseline of about \d+ runs/);
    const [close] = gatesOf([...baseline, run(9, 1.05)]);
    expect(close?.reason).toMatch(/no number of runs/);
  });

  const flawed = { ratio: { median: 1.2, low: 1.1, high: 1.3 }, rounds: 16, controls: ['a-control'] };
  test.each<[string, readonly Result[], RegExp]>([
    ['two results', [run(1, 1), run(9, 2)], /at least 6 runs .*found 1/],
    ['five runs', [...baseline.slice(1), run(9, 2)], /found 5/],
    ['the same run twice', [...baseline, baseline[0] ?? run(1, 1)], /more than once/],
    ['a run with a flaw', [...baseline, run(9, 2, { control: flawed })], /nightly-7, .*identical arms/],
    [
      'another machine',
      [...baseline, run(9, 2, { environment: { ...run(1, 1).environment, cores: 4 } })],
      /machine .*4 cores/,
    ],
    [
      'another config',
      [...baseline, run(9, 2, { config: { ...config, seconds: 2 } })],
      /time of a measurement/,
    ],
    ['an unfinished run', [...baseline, run(9, 2, { complete: false })], /end/],
  ])('%s decide nothing', (_, results, reason) => {
    const [gate, ...others] = gatesOf(results);
    expect(others).toEqual([]);
    expect(gate).toMatchObject({ outcome: 'cannot tell', scenario: null, ratio: null });
    expect(gate?.reason).toMatch(reason);
  });

  test('a change of what is tested is no other config', () => {
    const detected = { server: 'redis', version: '7.4.0', threads: 4 };
    const target = { ...run(1, 1).target, detected };
    expect(outcomesOf([...baseline, run(9, 1.2, { target, name: 'candidate' })])).toEqual(['beyond']);
  });
});

describe('gates stand in every output', () => {
  const decided = compareResults([side('old', equal), side('new', times(1.2))], parseGates(p50));
  const open = compareResults([side('old', equal), side('new', equal, { complete: false })], parseGates(p50));

  test('in comparison.json, which comparisons without gates do not lack', () => {
    expect(comparisonSchema.parse(JSON.parse(JSON.stringify(decided)))).toEqual(decided);
    const { gates: _, ...earlier } = decided;
    expect(comparisonSchema.parse(earlier).gates).toEqual([]);
    expect(compareResults([side('old', equal), side('new', equal)]).gates).toEqual([]);
  });

  test('in the reports, with an alert for what failed, or is open', () => {
    for (const [comparison, alert, outcome] of [
      [decided, 'GATE FAILED', 'beyond'],
      [open, 'GATE CANNOT TELL', 'cannot tell'],
    ] as const) {
      const texts = [
        onTerminal.comparison(comparison),
        inMarkdown.comparison(comparison),
        renderComparisonPage(comparison),
      ];
      for (const text of texts) {
        // Once: the run's last line on standard error has it again.
        expect(text.split(alert)).toHaveLength(2);
        expect(text).toContain(`Gates: 1 ${outcome}`);
      }
    }
    const passed = onTerminal.comparison(
      compareResults([side('old', equal), side('new', equal)], parseGates(p50)),
    );
    expect(passed).toContain('Gates: 1 within');
    expect(passed).not.toContain('GATE');
  });

  test('in junit.xml: a failure, or skipped', () => {
    expect(renderGatesJunit(decided)).toMatch(/tests="1" failures="1" errors="0" .*skipped="0"/);
    expect(renderGatesJunit(decided)).toContain('<failure type="beyond"');
    expect(renderGatesJunit(open)).toMatch(/failures="0" errors="0" .*skipped="1"/);
    expect(renderGatesJunit(open)).toContain('<skipped message="response.p50 &gt; +5%');
    expect(renderGatesJunit(compareResults([side('old', equal), side('new', equal)]))).toBeNull();
  });
});
