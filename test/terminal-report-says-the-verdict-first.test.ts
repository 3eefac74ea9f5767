import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { Result } from '../src/aggregate/result.ts';
import { onTerminal } from './support/documents.ts';
import {
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  standInTarget,
} from './support/result-builder.ts';

const gains = buildMatrix({
  clients: ['ioredis', 'wire'],
  gain: ({ workers }) => (workers > 50 ? 1.4 : 1),
});

function render(result: Result): string[] {
  return onTerminal.result(result).split('\n');
}

test('the verdict comes first, in words, then a table for each client', () => {
  const lines = render(buildResult(gains));
  expect(lines[0]).toBe('C1 supported: 10–50 workers per pool; beyond 50, use several pools.');
  expect(lines).toContain('redis against redis 7.0.15, 1 thread (running at redis://localhost:6379/0)');
  expect(lines).toContain('ioredis, optimized pool, pipeline 1');
  expect(lines).toContain('wire, optimized pool, pipeline 1');
  expect(lines.filter(line => line.startsWith('workers  pools  ops/s'))).toHaveLength(2);
});

test('what was decided stands once more behind the tables', () => {
  expect(
    render(buildResult(gains))
      .filter(line => line !== '')
      .at(-1),
  ).toBe('C1 supported (see above)');
});

test.each([
  [1, 'Medians over 1 round with brackets that say nothing: one round has no interval.'],
  [2, 'Medians over 2 rounds with intervals that cover the true median in at least 50 % of such runs.'],
])('what brackets of %i rounds are worth', (rounds, sentence) => {
  const matrix = buildMatrix({ clients: ['wire'], gain: () => 1, rounds });
  expect(render(buildResult(matrix)).join(' ').replace(/\s+/g, ' ')).toContain(sentence);
});

test('a row has throughput and ratio with their intervals, p99 and what limited it', () => {
  const rounds = (rate: number) => Array.from({ length: 5 }, (_, round) => buildRound(round, rate + round));
  const scenarios = [
    buildScenario({ workers: 100 }, rounds(10_000)),
    buildScenario({ workers: 100, pools: 2 }, rounds(20_000)),
  ];
  const rows = render(buildResult(scenarios)).filter(line => /^ +100 /.test(line));
  expect(rows.map(row => row.trim().split(/ {2,}/))).toEqual([
    ['100', '1', '10.0k [10.0k, 10.0k]', '2.50', 'client'],
    ['100', '2', '20.0k [20.0k, 20.0k]', '×2.00 [2.00, 2.00]', '1.25', 'client'],
  ]);
});

test('everything fits 80 columns', () => {
  const results = [
    buildResult(gains),
    buildResult(gains, { target: standInTarget, complete: false, warnings: ['a warning '.repeat(30)] }),
    buildResult(
      [1, 64, 1024].flatMap(pools =>
        [1, 100_000].map(workers =>
          buildScenario(
            { client: 'ioredis', pools, workers, threads: Math.ceil(pools / 4) },
            [999_400, 1_234_567, 3_999_999].map((rate, round) => buildRound(round, rate * Math.sqrt(pools))),
          ),
        ),
      ),
    ),
  ];
  for (const result of results) {
    for (const line of render(result)) expect(line.length, line).toBeLessThanOrEqual(80);
  }
});

test('a stand-in is named in the first and in the last line', () => {
  const text = onTerminal.result(buildResult(gains, { target: standInTarget })).trim();
  const banner = 'STAND-IN: these are figures of redis 7.0.15, which stood in for dragonfly.';
  expect(text.startsWith(banner)).toBe(true);
  expect(text.endsWith(banner)).toBe(true);
  expect(text).toContain('C1 not tested:');
});

test('a run without rounds says that nothing was measured', () => {
  const lines = render(buildResult(buildMatrix({ gain: () => 1, rounds: 0 })));
  expect(lines).toContain('NOTHING MEASURED: no round of any scenario was finished.');
  expect(
    lines
      .find(line => /^ +200 +4 /.test(line))
      ?.trim()
      .split(/ {2,}/),
  ).toEqual(['200', '4', '–', '–', '–', 'unknown']);
  expect(render(buildResult([])).join('\n')).toContain('NOTHING MEASURED');
});

test('an interrupted run says how much it had', () => {
  const scenarios = gains.map((scenario, index) => ({
    ...scenario,
    rounds: scenario.rounds.slice(0, index === 0 ? 3 : 2),
  }));
  const text = render(buildResult(scenarios, { complete: false })).join(' ');
  expect(text).toContain('INCOMPLETE: the run ended early; these are the figures it had, of 2 to 3 rounds');
  expect(render(buildResult([], { complete: false })).join(' ')).toContain(
    'INCOMPLETE: the run ended early, before any',
  );
});

test('failures are told by code, and a run of nothing but failures is called that', () => {
  const failing = [0, 1].map(round =>
    buildRound(round, 0, { issued: 1500, failed: { OOM: 1200, TIMEOUT: 50 }, unfinished: 250 }),
  );
  const lines = render(buildResult([buildScenario({}, failing)]));
  expect(lines).toContain('NOTHING COMPLETED: every operation failed or stayed unanswered.');
  expect(lines.join(' ')).toContain(
    'Failed: 2,400 OOM, 100 TIMEOUT, 500 unfinished (100 % of 3,000 operations).',
  );
});

test('a run without failures does not speak of them', () => {
  expect(onTerminal.result(buildResult(gains))).not.toContain('Failed');
});

test('warnings are told', () => {
  const lines = render(buildResult(gains, { warnings: ['the database is in use by 3 others'] }));
  expect(lines).toContain('Warning: the database is in use by 3 others');
});

test('colour is added when told, and changes no character', () => {
  const result = buildResult(gains, { target: standInTarget });
  const coloured = onTerminal.result(result, true);
  expect(coloured).not.toBe(onTerminal.result(result));
  expect(stripVTControlCharacters(coloured)).toBe(onTerminal.result(result));
});

test('text from outside cannot steer the terminal', () => {
  const result = buildResult(gains, { warnings: ['a\u001b[2Jb\u0007\r\nc'] });
  result.target.detected.version = '7\u001b]0;x\u0007';
  expect(onTerminal.result(result)).not.toMatch(/(?!\n)\p{Cc}/u);
});
