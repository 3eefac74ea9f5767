import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assembleLedger } from '../../../../src/aggregate/claims/ledger.ts';
import { compareResults } from '../../../../src/aggregate/comparison/compare-results.ts';
import { renderComparisonPage } from '../../../../src/aggregate/report/html/comparison-page.ts';
import { renderReportPage } from '../../../../src/aggregate/report/html/report-page.ts';
import type { Result } from '../../../../src/aggregate/result.ts';
import { inMarkdown, onTerminal } from '../../../support/documents.ts';
import { buildClaim, ledgerHead } from '../../../support/ledger-builder.ts';
import { runPoolbench } from '../../../support/poolbench.ts';
import {
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  standInTarget,
} from '../../../support/result-builder.ts';
import { buildSearch } from '../../../support/search-builder.ts';

describe('a result in Markdown', () => {
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
      '## C20: supported',
      '## Target and environment',
      '## Results',
      '## The ratios behind C1',
      '## The ratios behind C20',
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
    const comparisons = rowsOf(markdown, 'The ratios behind C1');
    expect(comparisons).toHaveLength(2 + 2 * 8);
    expect(comparisons[2]).toEqual([
      'throughput',
      'ioredis-optimized-1pools-10workers',
      'ioredis-optimized-2pools-10workers',
      '8',
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

  test('a stand-in and an interruption are named at the top', () => {
    const markdown = inMarkdown.result(buildResult(gains, { target: standInTarget, complete: false }));
    const top = markdown.slice(0, markdown.indexOf('\n## '));
    expect(top).toMatch(/STAND-IN: .* redis 7\.0\.15, .* dragonfly\./);
    expect(top).toContain('INCOMPLETE');
    expect(markdown).toMatch(/\*\*STAND-IN: .* dragonfly\.\*\*\n$/);
  });

  test('a run without rounds, or of nothing but failures, is a report too', () => {
    expect(inMarkdown.result(buildResult([]))).toContain('NOTHING MEASURED');
    const failing = buildScenario({}, [buildRound(0, 0, { issued: 10, failed: { OOM: 10 } })]);
    const markdown = inMarkdown.result(buildResult([failing]));
    expect(markdown).toContain('NOTHING COMPLETED');
    expect(markdown).not.toMatch(/NaN|Infinity|undefined|null/);
  });
});

describe('text from outside moves no cursor of a terminal', () => {
  /** Clears the screen, writes over the line, turns the text around. */
  const hostile = '\u001b[2J\u009b1A\r\u202e\u0007';
  const control = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;

  /** What the schemas leave free, with that behind every text. */
  function poisoned<T>(value: T, key = ''): T {
    const closed = [
      'verdict',
      'resource',
      'leg',
      'state',
      'service',
      'response',
      'startedAt',
      'finishedAt',
      'kind',
    ];
    if (typeof value === 'string') return (closed.includes(key) ? value : value + hostile) as T;
    if (Array.isArray(value)) return value.map(item => poisoned(item, key)) as T;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, poisoned(member, name)]),
    ) as T;
  }

  const failing = buildRound(1, 10, { issued: 30, failed: { [`OOM${hostile}`]: 20 } });
  const result = poisoned(
    buildResult(
      buildMatrix({ gain: () => 1 }).map(scenario => ({
        ...scenario,
        rounds: [...scenario.rounds, failing],
      })),
      { warnings: ['odd'], config: { workload: {} } },
    ),
  );
  const ledger = poisoned(
    assembleLedger(ledgerHead, [{ ...buildClaim('C1'), suite: 'first' }], [], new Date(0)),
  );

  test.each([
    ['result', onTerminal.result(result)],
    ['comparison', onTerminal.comparison(compareResults([result, result]))],
    ['ledger', onTerminal.ledger(ledger)],
    ['search', onTerminal.search({ ...poisoned(buildSearch()), conditions: buildSearch().conditions })],
  ])('%s', (_, text) => {
    expect(text.length).toBeGreaterThan(200);
    expect(text).not.toMatch(control);
  });

  test('report and compare, rendered and as JSON', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const paths = await Promise.all(
      ['one', 'other'].map(async name => {
        await mkdir(join(folder, name));
        await writeFile(join(folder, name, 'result.json'), JSON.stringify(result));
        return join(folder, name);
      }),
    );
    // One after another: of several at once all but the first take a process each.
    const outcomes = [
      await runPoolbench(['report', paths[0] ?? '']),
      await runPoolbench(['compare', ...paths]),
      await runPoolbench(['compare', ...paths, '--json']),
    ];
    for (const { code, stdout, stderr } of outcomes) {
      expect(code, stderr).toBe(0);
      expect(stdout + stderr).not.toMatch(control);
    }
    // JSON says the same, escaped.
    expect(JSON.parse(outcomes[2]?.stdout ?? '').sides[0].target.detected.version).toContain(hostile);
  });
});

describe('a certificate that was not checked is named in every rendering', () => {
  const rounds = [1, 2, 3, 4, 5, 6].map(round => buildRound(round, 1000));

  /** Every rendering of what this target was measured for. */
  function renderAll(target: Result['target']): Record<string, string> {
    const config = { workload: {} };
    const result = buildResult([buildScenario({}, rounds)], { target, config });
    const comparison = compareResults([result, result]);
    const ledger = assembleLedger({ ...ledgerHead, target }, [], [], new Date());
    const search = buildSearch({ target });
    return {
      terminal: onTerminal.result(result),
      'report.md': inMarkdown.result(result),
      'report.html': renderReportPage(result),
      comparison: onTerminal.comparison(comparison),
      'comparison.md': inMarkdown.comparison(comparison),
      'comparison.html': renderComparisonPage(comparison),
      ledger: onTerminal.ledger(ledger),
      'ledger.md': inMarkdown.ledger(ledger),
      search: onTerminal.search(search),
      'search.md': inMarkdown.search(search),
    };
  }

  const { target } = buildResult([]);
  const unverified = renderAll({ ...target, unverified: true });
  const verified = renderAll({ ...target, unverified: false });

  test.each(Object.keys(unverified))('%s', name => {
    expect(unverified[name]).toContain('NOT VERIFIED: ');
    expect(verified[name]).not.toMatch('NOT VERIFIED');
  });
});
