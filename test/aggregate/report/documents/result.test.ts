import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { accountingBlocks } from '../../../../src/aggregate/report/accounting-table.ts';
import { renderReportPage } from '../../../../src/aggregate/report/html/report-page.ts';
import { renderMarkdown } from '../../../../src/aggregate/report/markdown.ts';
import {
  type Comparison,
  type Result,
  resultSchema,
  type ScenarioResult,
} from '../../../../src/aggregate/result.ts';
import { mergeCommands } from '../../../../src/aggregate/stats/merge.ts';
import type { CommandSample } from '../../../../src/workers/contract.ts';
import { inMarkdown, onTerminal } from '../../../support/documents.ts';
import { createHistogram, encodeHistogram } from '../../../support/library-histogram.ts';
import { buildOpenScenario, buildStagedScenario } from '../../../support/open-loop-round.ts';
import { explanationsOf } from '../../../support/page-text.ts';
import {
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  standInTarget,
} from '../../../support/result-builder.ts';

describe('a result in a terminal', () => {
  const gains = buildMatrix({
    clients: ['ioredis', 'wire'],
    gain: ({ workers }) => (workers > 50 ? 1.4 : 1),
  });

  function render(result: Result): string[] {
    return onTerminal.result(result).split('\n');
  }

  test('the verdict comes first, in words, then a table for each client', () => {
    const lines = render(buildResult(gains));
    expect(lines[0]).toMatch(/^C1 supported: /);
    expect(lines).toContainEqual(expect.stringMatching(/^redis, measured on redis 7\.0\.15, 1 thread /));
    expect(lines).toContain('ioredis, optimized pool, pipeline 1');
    expect(lines).toContain('wire, optimized pool, pipeline 1');
    expect(lines.filter(line => line.startsWith('workers  pools  ops/s'))).toHaveLength(2);
  });

  test('arms with unequal numbers of rounds are told, and that medians of early decisions overshoot', () => {
    const plannedRounds = { atLeast: 10, atMost: 50 };
    const unequal = buildMatrix({ gain: () => 1.4, rounds: 13 }).map(scenario =>
      scenario.workers > 50
        ? { ...scenario, plannedRounds }
        : { ...scenario, plannedRounds, rounds: scenario.rounds.slice(0, 10) },
    );
    const lines = render(buildResult(unequal));
    const head = lines.find(line => line.startsWith('workers  pools  rounds')) ?? '';
    expect(head.length).toBeGreaterThan(0);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.join(' ').replace(/ +/g, ' ')).toContain('10 to 13 rounds of at most 50');
    expect(onTerminal.result(buildResult(unequal))).toContain('overstates');
    // Whose rounds the budget ended was not decided early.
    const equal = unequal.map(scenario => ({ ...scenario, rounds: scenario.rounds.slice(0, 10) }));
    const budget = onTerminal.result({ ...buildResult(equal), ended: 'budget' });
    expect(budget.replace(/\s+/g, ' ')).toContain('10 rounds of at most 50');
    expect(budget).not.toContain('overstates');
    expect(budget.replace(/\s+/g, ' ')).toContain('limit of 50 rounds');
    expect(onTerminal.result({ ...buildResult(equal), ended: 'decided' })).toContain('overstates');
    const all = unequal.map(scenario => ({ ...scenario, plannedRounds: { atLeast: 13, atMost: 13 } }));
    expect(onTerminal.result(buildResult(all))).not.toContain('overstates');
  });

  test('what was decided stands once more behind the tables', () => {
    expect(
      render(buildResult(gains))
        .filter(line => line !== '')
        .at(-1),
    ).toBe('Verdicts: C1 supported, C20 supported.');
  });

  test.each([
    [1, /over the rounds with no interval/],
    [2, /over the rounds with 50 % /],
  ])('the coverage of intervals of %i rounds is told', (rounds, coverage) => {
    const matrix = buildMatrix({ clients: ['wire'], gain: () => 1, rounds });
    expect(render(buildResult(matrix)).join(' ').replace(/\s+/g, ' ')).toMatch(coverage);
  });

  test('a ratio of too few rounds for an interval is not shown, and a verdict says that nothing is excluded', () => {
    const text = render(buildResult(buildMatrix({ gain: () => 3, rounds: 2 })))
      .join(' ')
      .replace(/\s+/g, ' ');
    expect(text).toContain('No verdict, and nothing is excluded: only 2 rounds');
    expect(text).toMatch(/a ratio needs \d+ rounds, so none is shown/);
    expect(text.match(/×\d\S*/g)).toBeNull();
  });

  test.each([
    ['a fixed number, by which it is judged as it is', { atLeast: 30, atMost: 30 }, 6],
    ['rounds until decided', { atLeast: 10, atMost: 50 }, 10],
  ])('an interrupted run says how many rounds a ratio needs: %s', (_, plannedRounds, needed) => {
    const matrix = buildMatrix({ gain: () => 3, rounds: 2 }).map(scenario => ({
      ...scenario,
      plannedRounds,
    }));
    expect(render(buildResult(matrix)).join(' ').replace(/\s+/g, ' ')).toContain(
      `a ratio needs ${needed} rounds`,
    );
  });

  test('a row has throughput and ratio with their intervals, p99 and what limited it', () => {
    const rounds = (rate: number) => Array.from({ length: 6 }, (_, round) => buildRound(round, rate + round));
    const scenarios = [
      buildScenario({ workers: 20 }, rounds(10_000)),
      buildScenario({ workers: 20, pools: 2 }, rounds(20_000)),
    ];
    const rows = render(buildResult(scenarios)).filter(line => /^ +20 /.test(line));
    expect(rows.map(row => row.trim().split(/ {2,}/))).toEqual([
      ['20', '1', '10.0k [10.0k, 10.0k]', '2.50', 'client'],
      ['20', '2', '20.0k [20.0k, 20.0k]', '×2.00 [2.00, 2.00]', '1.25', 'client'],
    ]);
  });

  test('a p99 that is practically the worst stall is marked, and the pooled one stands beside it once it is known', () => {
    const stalled = buildScenario({ workers: 100 }, [buildRound(1, 10_000), buildRound(2, 10_000)]);
    const { summary } = stalled;
    const done = { ...stalled, summary: summary && { ...summary, pooledResponseP99: 7 } };
    const [rowSoFar, row] = [stalled, done].map(scenario =>
      render(buildResult([scenario])).find(line => /^ +100 /.test(line)),
    );
    expect(rowSoFar).toContain('2.50†');
    expect(row).toMatch(/ 2\.50† +7\.00† /);
    // The note on the column comes and goes with it: so long a figure has no room in a terminal.
    const tooLong = { ...stalled, summary: summary && { ...summary, pooledResponseP99: 12_345 } };
    const hasNote = [stalled, done, tooLong].map(scenario =>
      render(buildResult([scenario]))
        .join(' ')
        .includes('"all"'),
    );
    expect(hasNote).toEqual([false, true, false]);
    expect(render(buildResult([done])).join(' ')).toMatch(/† marks .* longer\s+windows/);
    expect(render(buildResult([buildScenario({ workers: 2 }, stalled.rounds)])).join(' ')).not.toContain('†');
  });

  test('a mark is explained once in a document, also if only a ratio of a claim has it', () => {
    const result = buildResult(gains);
    const claims = result.claims.map(claim => ({
      ...claim,
      comparisons: claim.comparisons.map(comparison => ({ ...comparison, caveat: 'worst stall' as const })),
    }));
    const marked = { ...result, claims };
    expect(inMarkdown.result(marked).match(/† marks/g)).toHaveLength(1);
    // On a page, where each is in a fold of its own, once in each.
    const behind = claims.filter(({ comparisons }) => comparisons.length > 0).flatMap(() => [1, 1]);
    const sections = renderReportPage(marked).split('<section ');
    const verdicts = sections.find(section => section.startsWith('id="verdicts"'));
    expect(explanationsOf(`<section ${verdicts}`, '†')).toEqual(behind);
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
              [999_400, 1_234_567, 3_999_999].map((rate, round) =>
                buildRound(round, rate * Math.sqrt(pools)),
              ),
            ),
          ),
        ),
      ),
    ];
    const usual = buildMatrix({ gain: () => 1.234, workers: [200], rounds: 5 }).map((scenario, index) => ({
      ...scenario,
      summary: scenario.summary && { ...scenario.summary, pooledResponseP99: index === 0 ? 0.517 : 17.3 },
    }));
    results.push(buildResult(usual));
    expect(render(buildResult(usual)).join('\n')).toMatch(/ all +limit\n/);
    for (const result of results) {
      for (const line of render(result)) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  test('a stand-in is named in the first and in the last line', () => {
    const text = onTerminal.result(buildResult(gains, { target: standInTarget })).trim();
    expect(text).toMatch(/^STAND-IN: .* redis 7\.0\.15, .* dragonfly\.\n/);
    expect(text).toMatch(/\nSTAND-IN: .* redis 7\.0\.15, .* dragonfly\.$/);
    expect(text).toContain('C1 not tested:');
  });

  test('a run without rounds says that nothing was measured', () => {
    const lines = render(buildResult(buildMatrix({ gain: () => 1, rounds: 0 })));
    expect(lines[0]).toMatch(/^NOTHING MEASURED: /);
    expect(
      lines
        .find(line => /^ +200 +4 /.test(line))
        ?.trim()
        .split(/ {2,}/),
    ).toEqual(['200', '4', '–', '–', '–', 'unknown']);
    expect(render(buildResult([])).join('\n')).toContain('NOTHING MEASURED');
  });

  test('a run in which nothing was due is not said to have failed; a closed loop that got no reply is', () => {
    const [notDue] = render(buildResult([buildOpenScenario(0, [1])]));
    const [held] = render(buildResult([buildScenario({}, [buildRound(1, 0)])]));
    expect(notDue).toMatch(/^NOTHING WAS DUE/);
    expect(held).toMatch(/^NOTHING COMPLETED/);
  });

  test('an interrupted run states how much it had measured', () => {
    const scenarios = gains.map((scenario, index) => ({
      ...scenario,
      rounds: scenario.rounds.slice(0, index === 0 ? 3 : 2),
    }));
    const text = render(buildResult(scenarios, { complete: false })).join(' ');
    expect(text).toMatch(/INCOMPLETE: .* 2 to 3 rounds/);
    expect(render(buildResult([], { complete: false }))[0]).toMatch(/^INCOMPLETE: /);
  });

  test('failures are listed by code, and a run of nothing but failures is marked', () => {
    const failing = [0, 1].map(round =>
      buildRound(round, 0, { issued: 1500, failed: { OOM: 1200, TIMEOUT: 50 }, unfinished: 250 }),
    );
    const lines = render(buildResult([buildScenario({}, failing)]));
    expect(lines[0]).toMatch(/^NOTHING COMPLETED: /);
    expect(lines.join(' ')).toContain(
      'Failed: 2,400 OOM, 100 TIMEOUT, 500 unfinished (100 % of 3,000 operations).',
    );
  });

  test('a run without failures does not speak of them', () => {
    expect(onTerminal.result(buildResult(gains))).not.toContain('Failed');
  });

  test('warnings are shown', () => {
    expect(render(buildResult(gains, { warnings: ['very odd'] }))).toContain('Warning: Very odd.');
  });

  test('colour is added on request, and changes no character', () => {
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
});

describe('open loops in a report', () => {
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
      buildOpenScenario(5000, [2, 2, 2, 2, 2, 4], { leg: 'down' }),
      buildOpenScenario(1000, [1, 1, 1, 1, 1, 1], { leg: 'up' }),
      buildOpenScenario(1000, [1, 1.5, 1.5, 1.5, 1.5, 2], { leg: 'down' }),
      buildOpenScenario(5000, [2, 2, 2, 2, 2, 2], { leg: 'up' }),
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
    const few = ways.map(({ rounds, ...way }) => buildScenario(way, rounds.slice(0, 5)));
    expect(rowsAfter(terminal(few), /rate +p99 up/)).toEqual([
      ['1.00k', '1.00', '1.50', '–'],
      ['5.00k', '2.00', '2.00', '–'],
    ]);
  });

  test('replays are named by their speeds, with the part of the recording that their shortest window covered', () => {
    const replayed = (speed: number, rate: number, seconds: readonly number[]): ScenarioResult => {
      const open = buildOpenScenario(rate, [1, 1, 1]);
      const rounds = open.rounds.map((round, index) => ({ ...round, seconds: seconds[index] ?? 1 }));
      return { ...open, id: `recorded${speed}x`, arrival: { kind: 'recorded', speed, rate }, rounds };
    };
    const speeds = [
      replayed(4, 400, [2.0004, 2, 2]),
      replayed(1, 100, [2, 1.5, 2]),
      replayed(2, 200, [2, 2, 2]),
    ];
    const files = [{ key: 'workload.replay', file: 'mine.replay', sha256: 'ab', recordedSeconds: 5 }];
    const result = buildResult(speeds, { files });
    const lines = onTerminal.result(result).split('\n');
    expect(rowsAfter(lines, /speed +due\/s/).map(([speed]) => speed)).toEqual(['×1', '×2', '×4']);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const part =
      'Measured in every round: ×4, the 5 s recording 1.6 times; ×1, the first 1.5 s of the 5 s recording; ×2, the first 4 s of the 5 s recording.';
    const report = inMarkdown.result(result);
    for (const text of [lines.join(' '), report, renderReportPage(result)])
      expect(text.replace(/\s+/g, ' ').split(part)).toHaveLength(2);
    expect(report).toMatch(/\| speed \| mean rate \|.*\n.*\n\| ×1 \| 100 \|/);
    // Results of 0.12 do not have the length of the recording.
    expect(inMarkdown.result(buildResult(speeds))).not.toContain('Measured in every round');
  });

  test('stages: what was due in each, what came of it, and that its percentiles are lower bounds', () => {
    const staged = buildStagedScenario();
    const other = buildOpenScenario(1000, [1]);
    const words = 'constant arrivals, 1000/s for 0.5 s, 1000/s to 7000/s for 0.5 s, 50 workers';
    expect(inMarkdown.result(buildResult([staged, other]))).toContain(words);
    expect(rowsAfter(terminal([staged, other]), /seconds +rate +due +done/)).toEqual([
      ['0 to 0.5', '1000/s', '500', '500', '0', '0.100', '0.250'],
      ['0.5 to 1', '1000/s to 7000/s', '2,000', '1,900', '1.50k', '≥20.0', '–'],
    ]);
    const report = inMarkdown.result(buildResult([staged]));
    expect(report).toContain('Stages of staged, times in ms');
    expect(report).toContain('| 0.5 to 1 | 1000/s to 7000/s | 2,000 | 1,900 | 1.50k | ≥20.0 |');
    expect(report).toContain('≥ marks a lower bound');
    expect(inMarkdown.result(buildResult(sweep))).not.toContain('Stages');
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

  test('books that do not balance are reported', () => {
    const broken = buildOpenScenario(1000, [1], { openLoop: { offered: 1001 } });
    expect(terminal([broken]).join(' ')).toMatch(/Warning: .* 1,001 .* 1,000 /);
  });

  test('a result of an earlier version, which has no open loops, is read', () => {
    const result = buildResult([buildScenario({}, [buildRound(0, 9000)])]);
    const old = JSON.parse(JSON.stringify(result));
    delete old.scenarios[0].rounds[0].openLoop;
    expect(resultSchema.parse(old).scenarios[0]?.rounds[0]?.openLoop).toBeNull();
  });
});

describe('hits and misses in the accounts', () => {
  const none = encodeHistogram(createHistogram(3));

  /** The cells of the table's only row, by their headings. */
  function cellsOf(hits: readonly (number | null)[]): Record<string, string> {
    const rounds = hits.map((count, round) => ({ ...buildRound(round, 100), hits: count, misses: 10 }));
    const [, table = ''] = renderMarkdown(accountingBlocks([buildScenario({}, rounds)]))
      .trim()
      .split('\n\n');
    const [heading = [], , row = []] = table
      .split('\n')
      .map(line => line.split('|').map(cell => cell.trim()));
    return Object.fromEntries(heading.map((name, column) => [name, row[column] ?? '']));
  }

  test('hits of all rounds stand beside misses, if they were counted', () => {
    expect(cellsOf([60, 70])).toMatchObject({ hits: '130', misses: '20' });
    expect(cellsOf([60, null])).toMatchObject({ hits: '–', misses: '20' });
    expect(cellsOf([null, null])).not.toHaveProperty('hits');
  });

  test('if no command shows whether it found something, hits are absent rather than 0', () => {
    const sample = (nullIsMiss: boolean): CommandSample[] => [
      { name: 'GET', nullIsMiss, completed: 5, failed: {}, misses: 2, service: none, response: none },
    ];
    expect(mergeCommands(sample(true)).hits).toBe(3);
    expect(mergeCommands(sample(false)).hits).toBeNull();
  });
});

describe('other programs on the machine', () => {
  /** A run on 8 cores of which poolbench and its server used 1.6. */
  function runBeside(machineBusyShares: readonly number[]) {
    const rounds = machineBusyShares.map((machineBusyShare, index) => {
      const round = buildRound(index + 1, 1000);
      return { ...round, cpu: { ...round.cpu, machineBusyShare } };
    });
    return buildResult([buildScenario({}, rounds)]);
  }

  const renderings = (result: ReturnType<typeof runBeside>) =>
    [onTerminal.result(result), inMarkdown.result(result), renderReportPage(result)].map(text =>
      text.replaceAll(/\s+/g, ' '),
    );

  test('every rendering warns of other programs that use a quarter of the machine all the time', () => {
    for (const text of renderings(runBeside([0.5, 0.5, 0.6])))
      expect(text).toMatch(/other programs used 2\.4 of .{0,30} 8 cores/i);
  });

  test('there is no warning of others that use less, or only in few measurements', () => {
    for (const shares of [
      [0.4, 0.4, 0.4],
      [0.2, 0.2, 0.9],
    ])
      for (const text of renderings(runBeside(shares))) expect(text).not.toMatch(/other programs used/i);
  });
});

describe('what a run without claims compared', () => {
  const scenarios = ['ioredis', 'wire'].map(client =>
    buildScenario(
      { id: client, client },
      Array.from({ length: 10 }, (_, round) => buildRound(round, 20_000)),
    ),
  );
  const compared = (low: number, high: number): Result => ({
    ...buildResult(scenarios),
    comparisons: [
      {
        measure: 'throughput',
        base: 'ioredis',
        other: 'wire',
        rounds: 10,
        ratio: { median: 1.2, low, high },
        p: 0.01,
        predicted: null,
        limitedBy: { base: 'client', other: 'client' },
      },
    ],
  });

  test.each([
    { low: 1.8, high: 2.2, finding: 'clearly more' },
    { low: 0.5, high: 0.7, finding: 'clearly less' },
    { low: 0.96, high: 1.04, finding: 'the same within 5 %' },
    { low: 0.9, high: 1.2, finding: 'still open' },
  ])('$low to $high: $finding, in the terminal, in the report and on the page', ({ low, high, finding }) => {
    const result = compared(low, high);
    const terminal = onTerminal.result(result).replace(/\s+/g, ' ');
    expect(terminal).toContain(`wire to ioredis: throughput ×`);
    expect(terminal).toContain(finding);
    expect(inMarkdown.result(result)).toContain(finding);
    const page = renderReportPage(result);
    expect(page).toContain('What was compared');
    expect(page).toContain(finding);
  });

  test('of arms that have too few rounds in common, or that lost operations, nothing is found', () => {
    const result = compared(1.8, 2.2);
    type Rounds = Result['scenarios'][number]['rounds'];
    const change = (rounds: (rounds: Rounds) => Rounds) => ({
      ...result,
      scenarios: result.scenarios.map(arm =>
        arm.id === 'wire' ? { ...arm, rounds: rounds(arm.rounds) } : arm,
      ),
    });
    const few = inMarkdown.result(change(rounds => rounds.slice(0, 5)));
    expect(few).toContain('this decides nothing, because only 5 rounds are common');
    const lossy = change(rounds =>
      rounds.map(round => ({ ...round, issued: 21_000, failed: { OOM: 1000 } })),
    );
    expect(inMarkdown.result(lossy)).toMatch(
      /this decides nothing, because 4\.8 % of the operations of wire failed/,
    );
    expect(renderReportPage(lossy)).toContain('this decides nothing');
  });

  test('a ratio of percentiles that are practically the worst stall is marked and decides nothing', () => {
    const [one] = compared(1.8, 2.2).comparisons;
    const result = buildResult(
      scenarios.map(scenario => ({ ...scenario, workers: 1000 })),
      {
        claims: [],
        comparisons: [{ ...(one as Comparison), measure: 'response p99', caveat: 'worst stall' }],
      },
    );
    for (const text of [inMarkdown.result(result), renderReportPage(result)]) {
      expect(text).toContain(
        'this decides nothing, because the response p99 of ioredis is practically the worst',
      );
      expect(text).toContain('response p99†');
      expect(text).toMatch(/† marks a percentile/);
    }
  });

  test('of a run that cannot tell identical arms apart nothing is found', () => {
    const control = { ratio: { median: 1.3, low: 1.2, high: 1.4 }, rounds: 10, controls: ['wire-control'] };
    const text = inMarkdown.result({ ...compared(1.8, 2.2), control });
    expect(text).toContain('this decides nothing, because two identical arms differ');
    expect(text).not.toContain('clearly more');
  });
});
