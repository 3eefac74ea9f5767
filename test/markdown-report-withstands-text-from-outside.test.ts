import { expect, test } from 'vitest';
import { inMarkdown } from './support/documents.ts';
import {
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  standInTarget,
} from './support/result-builder.ts';

const gains = buildMatrix({ gain: ({ workers }) => (workers > 50 ? 1.4 : 1) });

/** Rows of the tables of a section, each as its cells. */
function rowsOf(markdown: string, heading: string): string[][] {
  const section = markdown.split(/^## /m).find(part => part.startsWith(heading)) ?? '';
  return section
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line => line.slice(2, -2).split(/(?<!\\) \| /));
}

test('a report has every section', () => {
  const headings = inMarkdown.result(buildResult(gains)).match(/^## .*$/gm);
  expect(headings).toEqual([
    '## C1: supported',
    '## Target and environment',
    '## Results',
    '## What C1 was judged by',
    '## What limited each scenario',
    '## Pools',
    '## Accounting',
    '## Warnings',
    '## Not tested by this run',
    '## Run it again',
  ]);
});

test('each scenario has its row in every table, each pair its comparison', () => {
  const markdown = inMarkdown.result(buildResult(gains));
  for (const heading of ['Results', 'What limited', 'Pools', 'Accounting']) {
    expect(rowsOf(markdown, heading), heading).toHaveLength(2 + gains.length);
  }
  const comparisons = rowsOf(markdown, 'What C1 was judged by');
  expect(comparisons).toHaveLength(2 + 2 * 8);
  expect(comparisons[2]).toEqual([
    'throughput',
    'ioredis-optimized-1pools-10workers',
    'ioredis-optimized-2pools-10workers',
    '5',
    expect.stringMatching(/^×1\.0\d \[/),
    '×1.05 or less',
    expect.stringMatching(/^\d\.\d{4}$/),
    'client',
    'client',
  ]);
  expect(comparisons[3]?.[5]).toBe('–');
});

test('the books are shown by code, with the difference to the count of the server', () => {
  const round = buildRound(0, 1000, {
    issued: 1030,
    failed: { OOM: 20, TIMEOUT: 5 },
    unfinished: 5,
    serverCalls: 1010,
    misses: 7,
  });
  const markdown = inMarkdown.result(
    buildResult([buildScenario({ id: 'one' }, [round, { ...round, round: 1 }])]),
  );
  expect(rowsOf(markdown, 'Accounting').at(-1)).toEqual([
    'one',
    '2,060',
    '2,000',
    'OOM 40, TIMEOUT 10 (2.4 %)',
    '10',
    '14',
    '0',
    '2,020 (+20)',
  ]);
});

test('text from outside breaks no table and starts no markup', () => {
  const hostile = '7 | x\n| y <img src=a> `code` [link](b) **bold** \u001b[31m & \\| z';
  const result = buildResult(
    [
      buildScenario({ id: hostile, client: hostile }, [
        buildRound(0, 0, { issued: 1, failed: { [hostile]: 1 } }),
      ]),
    ],
    { name: hostile, warnings: [hostile], config: { name: '```\n</code>' } },
  );
  result.target.detected.version = hostile;
  result.environment.cpu = hostile;
  const markdown = inMarkdown.result(result);
  const outsideCode = markdown.replace(/^(`{3,})[\s\S]*?^\1$/gm, '');
  expect(outsideCode).not.toMatch(/<img|(?<!\\)`code|(?<!\\)\[link|(?<!\\)\*\*bold|(?!\n)\p{Cc}/u);
  for (const heading of ['Target', 'Results', 'What limited', 'Pools', 'Accounting']) {
    const rows = rowsOf(markdown, heading);
    expect(rows.length, heading).toBeGreaterThan(2);
    for (const row of rows) expect(row.length, row.join(' | ')).toBe(rows[0]?.length);
  }
});

test('the config can be copied, with the command that repeats the run', () => {
  const config = { name: 'my run', note: 'a ``` fence', rounds: 5 };
  const markdown = inMarkdown.result(buildResult(gains, { name: 'my run; x', seed: 42, config }));
  const [, fence, json] = /^(`{3,})json\n([\s\S]*?)\n\1$/m.exec(markdown) ?? [];
  expect(fence).toBe('````');
  expect(JSON.parse(json ?? '')).toEqual(config);
  expect(markdown).toContain('npm start -- my-run-x.json');
});

test('a stand-in and an interruption are said at the top', () => {
  const markdown = inMarkdown.result(buildResult(gains, { target: standInTarget, complete: false }));
  const top = markdown.slice(0, markdown.indexOf('\n## '));
  expect(top).toContain('STAND-IN: these are figures of redis 7.0.15, which stood in for dragonfly.');
  expect(top).toContain('INCOMPLETE');
  expect(markdown.trimEnd().endsWith('stood in for dragonfly.**')).toBe(true);
});

test('a run without rounds, or of nothing but failures, is a report too', () => {
  expect(inMarkdown.result(buildResult([]))).toContain('NOTHING MEASURED');
  const failing = buildScenario({}, [buildRound(0, 0, { issued: 10, failed: { OOM: 10 } })]);
  const markdown = inMarkdown.result(buildResult([failing]));
  expect(markdown).toContain('NOTHING COMPLETED');
  expect(markdown).not.toMatch(/NaN|Infinity|undefined|null/);
});
