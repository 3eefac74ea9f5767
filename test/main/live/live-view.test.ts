import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { styleIf } from '../../../src/aggregate/text/text-layout.ts';
import { Repainted, Screen } from '../../../src/main/live/screen.ts';
import type { Moment, Running, Snapshot } from '../../../src/main/live/snapshot.ts';
import { describeLine, describeView } from '../../../src/main/live/view.ts';
import { canRedraw, takesColour } from '../../../src/main/terminal.ts';
import { FakeScreen } from '../../support/screen.ts';

describe('live view fits its terminal', () => {
  const step = {
    round: 2,
    rounds: 5,
    index: 7,
    total: 24,
    scenario: 'wire-optimized-2pools-100workers',
    threads: 2,
    warmupSeconds: 0.25,
    seconds: 1,
  };

  const running: Running = {
    step,
    phase: 'measuring',
    phaseSeconds: 0.4,
    opsPerSecond: 134_000,
    p99Ms: 1.27,
    warmupFailed: 0,
    busyRatios: [0.97, 0.41],
    connections: 200,
    idle: 37,
    waiting: 12,
    populations: [],
  };

  const moment = (opsPerSecond: number, p99Ms: number): Moment => ({ opsPerSecond, p99Ms });
  const snapshot: Snapshot = {
    running,
    measured: 30,
    planned: 120,
    doneRatio: 0.349,
    secondsLeft: 72,
    operations: { completed: 1e7, failed: {}, unfinished: 0 },
    ofPopulations: new Map(),
    moments: [moment(1, 8), moment(4, 4), null, moment(8, 1)],
  };
  const render = (shown: Snapshot, columns = 80) => describeView(shown, columns, styleIf(false));

  test('course, scenario, throughput, p99, threads, pools and failures, a line each', () => {
    expect(render(snapshot)).toEqual([
      'round 2/5   7/24  ━━━━━━━━━━━━━───────────────────────   34 %  1 min 12 s left',
      'wire-optimized-2pools-100workers                                      measuring',
      'ops/s       134k  ▂▅ █',
      'p99 ms      1.27  █▅ ▂',
      'threads     69 %  ━━━━━━ 97 %   ━━──── 41 %',
      'pools        163  of 200 connections in use; 12 workers waiting for one',
      'failed         0',
    ]);
  });

  test('a population has a line of its own, and its figures behind those of the scenario', () => {
    const { step: _, phase: __, phaseSeconds: ___, populations: ____, ...load } = running;
    const beside: Snapshot = {
      ...snapshot,
      running: {
        ...running,
        populations: [{ ...load, name: 'bulk-of-the-night', opsPerSecond: 31_200, p99Ms: 3.1 }],
      },
      ofPopulations: new Map([['bulk-of-the-night', { completed: 9, failed: { OOM: 2 }, unfinished: 1 }]]),
    };
    const lines = render(beside);
    expect(lines).toHaveLength(render(snapshot).length + 1);
    expect(lines.at(-2)).toBe('bulk-of-…  31.2k  ops/s; p99 3.10 ms; thread 97 % busy; 3 failed');
    expect(describeLine(beside, 200)).toMatch(
      /wire-optimized-2pools-100workers {2}bulk-of-the-night: 31\.2k ops\/s {2}p99 3\.10 ms {2}2 failed$/,
    );
  });

  test('failures are listed by code, the most frequent first, and those of a warm-up apart', () => {
    const failing = {
      ...snapshot,
      running: { ...running, warmupFailed: 12 },
      operations: { completed: 5, failed: { TIMEOUT: 4, OOM: 1200 }, unfinished: 3 },
    };
    expect(render(failing).at(-1)).toBe(
      'failed     1,207  1,200 OOM, 4 TIMEOUT, 3 unfinished; 12 in this warm-up',
    );
  });

  test('many threads are a block each, and a search has no time left', () => {
    const lines = render({
      ...snapshot,
      running: {
        ...running,
        step: { ...step, place: 'step 3  25.0k/s  repeat 4', seconds: 20 },
        phaseSeconds: 7.9,
        busyRatios: [0, 0.25, 0.5, 0.75, 0.99, 1],
      },
      doneRatio: null,
      secondsLeft: null,
    });
    expect(lines[0]).toBe('step 3  25.0k/s  repeat 4');
    expect(lines[1]).toMatch(/^wire-optimized-2pools-100workers +measuring 7\/20 s$/);
    expect(lines[4]).toBe('threads     58 %  ▁▃▅▇██');
  });

  test('a small terminal has one line', () => {
    expect(describeLine(snapshot, 200)).toBe(
      'round 2/5   7/24  134k ops/s  p99 1.27 ms  0 failed  1 min 12 s left  wire-optimized-2pools-100workers',
    );
    expect(describeLine(snapshot, 40)).toBe('round 2/5   7/24  134k ops/s  p99 1.27…');
  });

  test.each([
    [50, 24, false],
    [80, 10, false],
    [80, 24, true],
  ])('a terminal of %i columns and %i rows has room for the view: %o', (columns, rows, hasRoom) => {
    const terminal = new FakeScreen(columns, rows);
    const screen = new Screen(terminal as unknown as NodeJS.WriteStream, styleIf(false));
    screen.show(snapshot);
    expect(terminal.lines.filter(line => line !== '')).toHaveLength(hasRoom ? 7 : 1);
    expect(terminal.lines.join('\n').includes('threads     ')).toBe(hasRoom);
    screen.end();
    expect(terminal.lines).toEqual([]);
  });

  const ratio = fc.double({ min: 0, max: 1, noNaN: true });
  const amount = fc.double({ min: 0, max: 1e9, noNaN: true });
  const count = fc.nat(2 ** 31 - 1);
  /** Histograms end at ten minutes. */
  const p99Ms = fc.double({ min: 0, max: 600_000, noNaN: true });
  const momentOf = fc.record({ opsPerSecond: amount, p99Ms });
  const anySnapshot = fc.record({
    running: fc.option(
      fc
        .record({
          step: fc.record(
            {
              round: count,
              rounds: count,
              index: count,
              total: count,
              scenario: fc.string({ unit: 'grapheme-ascii', maxLength: 300, size: 'max' }),
              threads: count,
              warmupSeconds: amount,
              seconds: amount,
              place: fc.string({ unit: 'grapheme-ascii', maxLength: 300, size: 'max' }),
            },
            {
              requiredKeys: [
                'round',
                'rounds',
                'index',
                'total',
                'scenario',
                'threads',
                'warmupSeconds',
                'seconds',
              ],
            },
          ),
          phase: fc.constantFrom('connecting', 'warm-up', 'measuring', 'draining'),
          phaseSeconds: amount,
          opsPerSecond: amount,
          p99Ms,
          warmupFailed: count,
          busyRatios: fc.array(ratio, { maxLength: 300, size: 'max' }),
          connections: count,
          idle: count,
          waiting: count,
          populations: fc.array(
            fc.record({
              name: fc.string({ unit: 'grapheme-ascii', maxLength: 40, size: 'max' }),
              ...{ opsPerSecond: amount, p99Ms, warmupFailed: count },
              busyRatios: fc.array(ratio, { maxLength: 3 }),
              ...{ connections: count, idle: count, waiting: count },
            }),
            { maxLength: 3 },
          ),
        })
        .map(one => ({ ...one, idle: Math.min(one.idle, one.connections) })),
    ),
    measured: count,
    planned: fc.option(count),
    doneRatio: fc.option(ratio),
    secondsLeft: fc.option(amount),
    operations: fc.record({
      completed: count,
      failed: fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 80, size: 'max' }), count, {
        maxKeys: 9,
      }),
      unfinished: count,
    }),
    ofPopulations: fc.constant(new Map()),
    moments: fc.array(fc.option(momentOf), { maxLength: 300, size: 'max' }),
  }) as fc.Arbitrary<Snapshot>;

  test('at any width: as many lines, none as wide as the terminal, no control code from outside', () => {
    fc.assert(
      fc.property(anySnapshot, fc.constantFrom(60, 80, 200), fc.boolean(), (shown, columns, colour) => {
        const lines = describeView(shown, columns, styleIf(colour));
        expect(lines).toHaveLength(7 + (shown.running?.populations.length ?? 0));
        for (const line of lines) {
          const text = stripVTControlCharacters(line);
          expect(text.length).toBeLessThan(columns);
          expect(text).not.toMatch(/\p{Cc}/u);
          if (!colour) expect(line).toBe(text);
        }
        const [line = '', ...more] = describeLine(shown, 40).split('\n');
        expect(more).toEqual([]);
        expect(line.length).toBeLessThan(40);
        expect(line).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('lines are painted over in place', () => {
  const line = fc
    .string({ unit: fc.constantFrom('a', 'b', ' ', '━'), maxLength: 59, size: 'max' })
    .map(text => `${text}.`);
  const action = fc.oneof(
    fc.record({ paint: fc.array(line, { minLength: 1, maxLength: 8 }) }),
    fc.record({ above: line }),
    fc.record({ resize: fc.integer({ min: 20, max: 120 }) }),
    fc.constant({ clear: true }),
  );

  test('whatever is said, painted and resized: what was said stays, and the painted lines stand below it once', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), actions => {
        const screen = new FakeScreen(80, 24);
        const painted = new Repainted(screen as unknown as NodeJS.WriteStream);
        const said: string[] = [];
        let shown: readonly string[] = [];
        for (const step of actions) {
          if ('paint' in step) {
            // Each is shorter than the terminal is wide.
            shown = step.paint.map(text => text.slice(0, screen.columns - 1).trimEnd());
            painted.paint(shown);
          } else if ('above' in step) {
            painted.above(`${step.above}\n`);
            said.push(step.above);
          } else if ('resize' in step) screen.resize(step.resize);
          else {
            painted.clear();
            shown = [];
          }
          const expected = [...said, ...shown];
          while (expected.at(-1) === '') expected.pop();
          expect(screen.lines).toEqual(expected);
          expect(screen.cursorShown).toBe(shown.length === 0);
        }
        painted.clear();
        expect(screen.cursorShown).toBe(true);
      }),
    );
  });
});

describe('colours and redrawing suit the terminal', () => {
  const terminal = { isTTY: true, hasColors: () => true };
  const pale = { isTTY: true, hasColors: () => false };
  const pipe = { isTTY: false, hasColors: () => true };

  test.each([
    ['a terminal', terminal, {}, true],
    ['a pipe', pipe, {}, false],
    ['a pipe with FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, false],
    ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
    ['a terminal in CI', terminal, { CI: 'true' }, false],
    ['a terminal with CI=false', terminal, { CI: 'false' }, true],
  ])('%s: lines are written over: %o', (_, stream, env, expected) => {
    expect(canRedraw(stream as NodeJS.WriteStream, env)).toBe(expected);
  });

  test.each([
    ['a terminal', terminal, {}, true],
    ['a terminal without colours', pale, {}, false],
    ['a pipe', pipe, {}, false],
    ['NO_COLOR on a terminal', terminal, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR, which counts as none', terminal, { NO_COLOR: '' }, true],
    ['FORCE_COLOR on a pipe', pipe, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0 on a terminal', terminal, { FORCE_COLOR: '0' }, false],
    ['both', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, true],
  ])('%s: coloured: %o', (_, stream, env, expected) => {
    expect(takesColour(stream as NodeJS.WriteStream, env)).toBe(expected);
  });
});
