import { expect, test } from 'vitest';
import { claims } from '../src/aggregate/claims/claims.ts';
import { measureSuite } from './support/claim-arms.ts';
import { inMarkdown, onTerminal } from './support/documents.ts';
import { usualMetrics } from './support/preset-metrics.ts';
import { buildMatrix, buildResult } from './support/result-builder.ts';

const ids = claims.map(({ id }) => id);

test('claims have ids of their own, in order', () => {
  const numbers = ids.map(id => Number(id.slice(1)));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(new Set(ids).size).toBe(ids.length);
});

test('a run tells in full what it tests, and names the rest', async () => {
  const scenarios = await measureSuite('optimizations', scenario => ({
    poolMetrics: usualMetrics(scenario),
  }));
  const result = buildResult(scenarios);
  const tested = ['C2', 'C4', 'C5', 'C7', 'C8'];
  const rest = ids.filter(id => !tested.includes(id));

  const lines = onTerminal.result(result).split('\n');
  const told = lines.flatMap(
    line => /^(C\d+) (?:supported|refuted|inconclusive|not tested):/.exec(line)?.[1] ?? [],
  );
  expect(told).toEqual(tested);
  expect(lines.join(' ')).toContain('Not tested by this run: C1, C3, C6, C9 to C19 (report.md says why).');
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);

  const markdown = inMarkdown.result(result);
  expect(markdown.match(/^## C\d+/gm)?.map(heading => heading.slice(3))).toEqual(tested);
  const table = markdown.split('## Not tested by this run')[1]?.split('\n## ')[0] ?? '';
  expect(table.match(/^\| C\d+/gm)?.map(cell => cell.slice(2))).toEqual(rest);
  expect(table).toContain('configs/claims/pipeline.json tests it.');
});

test('a run that tests nothing says so in a line behind its figures; with a stand-in C1 is told first', () => {
  const result = buildResult([]);
  const text = onTerminal.result(result);
  expect(text).toMatch(/^NOTHING MEASURED.*\n\nredis against redis/);
  expect(text).toContain('\n\nNo claim is tested by this run (report.md says why).\n');
  expect(text).not.toContain('C1');
  const standIn = onTerminal.result({ ...result, target: { ...result.target, standIn: true } });
  expect(standIn).toMatch(/^C1 not tested: /m);
  expect(standIn).not.toContain('No claim');
});

test('a ratio that no verdict comes of is told all the same', async () => {
  const tested = await measureSuite('optimizations', scenario => ({ poolMetrics: usualMetrics(scenario) }));
  const result = buildResult([...buildMatrix({ workers: [10], gain: () => 1.2 }), ...tested]);
  expect(onTerminal.result(result)).toMatch(/^C1 not tested: /);
  expect(onTerminal.result(result)).toMatch(/^C4 /m);
  expect(inMarkdown.result(result)).toContain('## What C1 was judged by');
});

test('a result without claims has no list of them', () => {
  const result = buildResult([], { claims: [] });
  expect(onTerminal.result(result)).not.toContain('Not tested');
  expect(inMarkdown.result(result)).not.toContain('Not tested');
});
