import { expect, test } from 'vitest';
import { resultSchema, type ScenarioResult } from '../src/aggregate/result.ts';
import { inMarkdown, onTerminal } from './support/documents.ts';
import { buildOpenScenario } from './support/open-loop-round.ts';
import { buildResult, buildRound, buildScenario } from './support/result-builder.ts';

const overloaded = {
  openLoop: {
    sent: 42_500,
    completed: 42_000,
    shortfall: 8000,
    unsent: 7500,
    largestBacklog: 7550,
    oldestUnsentMs: 151,
  },
  round: { opsPerSecond: 42_500, issued: 42_500, completed: 42_000, unfinished: 500 },
};

const sweep = [
  buildOpenScenario(50_000, [150, 160, 170], overloaded),
  buildOpenScenario(1000, [0.2, 0.3, 0.4]),
  buildOpenScenario(20_000, [0.5, 0.6, 0.7]),
];

const terminal = (scenarios: readonly ScenarioResult[]) =>
  onTerminal.result(buildResult(scenarios)).split('\n');
const cells = (line = '') => line.trim().split(/ {2,}/);
const rowsAfter = (lines: readonly string[], heading: RegExp): string[][] => {
  const start = lines.findIndex(line => heading.test(line));
  expect(start).toBeGreaterThanOrEqual(0);
  return lines.slice(start + 1, lines.indexOf('', start)).map(cells);
};

test('terminal: a row for each rate, ascending, with what was due, done, missing and late', () => {
  const lines = terminal(sweep);
  expect(lines).toContain('wire, optimized pool, pipeline 1, 50 workers on 1 pool, 100 connections, times');
  const rows = rowsAfter(lines, /rate +due\/s +done\/s/);
  expect(rows).toEqual([
    ['1.00k', '1.00k', '1.00k', '0 %', '0', '0.120', '0.300', '0.720', '0.025', 'none'],
    ['20.0k', '20.0k', '20.0k', '0 %', '0', '0.240', '0.600', '1.44', '0.025', 'none'],
    ['50.0k', '50.0k', '42.5k', '16 %', '7.55k', '≥64.0', '≥160', '≥384', '0.025', expect.any(String)],
  ]);
});

test('a closed loop beside them keeps its own table', () => {
  const closed = buildScenario({ client: 'wire' }, [buildRound(0, 9000)]);
  const lines = terminal([closed, ...sweep]);
  expect(lines.filter(line => line.startsWith('workers  pools  ops/s'))).toHaveLength(1);
  expect(lines.filter(line => /^ *rate +due/.test(line))).toHaveLength(1);
});

test('up and down: both ways of a rate side by side, with the ratio of their p99', () => {
  const ways = [
    buildOpenScenario(5000, [2, 2, 4], { leg: 'down' }),
    buildOpenScenario(1000, [1, 1, 1], { leg: 'up' }),
    buildOpenScenario(1000, [1, 1.5, 2], { leg: 'down' }),
    buildOpenScenario(5000, [2, 2, 2], { leg: 'up' }),
  ];
  const lines = terminal(ways);
  expect(rowsAfter(lines, /rate +due/).map(([rate]) => rate)).toEqual([
    '1.00k up',
    '1.00k down',
    '5.00k up',
    '5.00k down',
  ]);
  expect(rowsAfter(lines, /rate +p99 up/)).toEqual([
    ['1.00k', '1.00', '1.50', '×1.50 [1.00, 2.00]'],
    ['5.00k', '2.00', '2.00', '×1.00 [1.00, 2.00]'],
  ]);
  const report = inMarkdown.result(buildResult(ways));
  expect(report).toContain('| 1.00k | 1.00 [1.00, 1.00] | 1.50 [1.00, 2.00] | ×1.50 [1.00, 2.00] |');
});

test('the report has the same curve with intervals, and every operation in its books', () => {
  const report = inMarkdown.result(buildResult(sweep));
  expect(report).toContain('## Latency against load');
  expect(report).toMatch(
    /\| 20\.0k \| 20\.0k \| 20\.0k \[20\.0k, 20\.0k\] \| 0 % \| 0 \| .* \| 0\.025 \| 60 % \|/,
  );
  expect(report).toContain('≥160 [150, 170]');
  expect(report).toContain('offered = issued + unsent');
  expect(report).toMatch(/constant50000 \| 150,000 \| 22,500 \| 127,500 \| 126,000 \|/);
  expect(report).not.toContain('A defect of poolbench');
});

test('a report without open loops has nothing of it', () => {
  const report = inMarkdown.result(buildResult([buildScenario({}, [buildRound(0, 9000)])]));
  for (const word of ['Latency against load', 'offered', 'unsent', '≥']) expect(report).not.toContain(word);
});

test('everything fits 80 columns', () => {
  const wide = [
    buildOpenScenario(9_990_000, [123_456], { ...overloaded, leg: 'up' }),
    buildOpenScenario(99.9, [12.3], { leg: 'down' }),
  ];
  for (const line of terminal(wide)) expect(line.length, line).toBeLessThanOrEqual(80);
});

test('books that do not balance are told', () => {
  const broken = buildOpenScenario(1000, [1], { openLoop: { offered: 1001 } });
  expect(terminal([broken]).join(' ').replace(/ +/g, ' ')).toContain(
    '1,001 operations were due, but 1,000 were issued',
  );
});

test('a result of an earlier version, which has no open loops, is read', () => {
  const result = buildResult([buildScenario({}, [buildRound(0, 9000)])]);
  const old = JSON.parse(JSON.stringify(result));
  delete old.scenarios[0].rounds[0].openLoop;
  expect(resultSchema.parse(old).scenarios[0]?.rounds[0]?.openLoop).toBeNull();
});
