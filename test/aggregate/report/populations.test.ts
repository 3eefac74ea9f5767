import { describe, expect, test } from 'vitest';
import { renderScenariosCsv, renderSeriesCsv } from '../../../src/aggregate/report/files/csv.ts';
import { derivedFiles } from '../../../src/aggregate/report/files/result-files.ts';
import { renderReportPage } from '../../../src/aggregate/report/html/report-page.ts';
import { type RoundResult, resultSchema } from '../../../src/aggregate/result.ts';
import { summarise } from '../../../src/aggregate/stats/summary.ts';
import { inMarkdown, onTerminal } from '../../support/documents.ts';
import { encodeHistogram } from '../../support/encoded-histogram.ts';
import { buildOpenScenario } from '../../support/open-loop-round.ts';
import { rowsOf, tipsOf } from '../../support/page-text.ts';
import { parseCsv } from '../../support/parse-csv.ts';
import { buildLatency, buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

const histogram = encodeHistogram([0.1, 0.2, 5]);
const histograms = { service: histogram, response: histogram };

/** Counts of a command in a mix. */
function commandOf(name: string, completed: number): RoundResult['commands'][number] {
  const latency = buildLatency(completed, 1);
  return { name, completed, failed: {}, misses: 0, service: latency, response: latency };
}

/** One load alone, and beside a population that has lost some of its operations. The server knows only their sum. */
const alone = buildScenario(
  { id: 'a', client: 'wire' },
  [1, 2, 3].map(round => buildRound(round, 1000, { histograms })),
);
const ofBulk = [1, 2, 3].map(round =>
  buildRound(round, 300, {
    ...{ issued: 310, failed: { TIMEOUT: 10 }, serverCalls: null, histograms },
    commands: [commandOf('LPUSH', 200), commandOf('LPOP', 100)],
  }),
);
const {
  id: _,
  rounds: __,
  summary: ___,
  limitedBy: ____,
  ...load
} = buildScenario({ client: 'node-redis', workers: 7 }, []);
const beside = buildScenario(
  {
    ...{ id: 'a-beside-bulk', client: 'wire', beside: 'bulk' },
    populations: [
      {
        ...{ name: 'bulk', load, summary: summarise(ofBulk) },
        limitedBy: { resource: 'server', evidence: 'the server was full' },
      },
    ],
  },
  ofBulk.map((bulk, index) =>
    buildRound(index + 1, 900, {
      ...{ serverCalls: null, histograms, populations: [{ ...bulk, name: 'bulk' }] },
      together: { issued: 1210, completed: 1200, serverCalls: 1205 },
    }),
  ),
);
const result = buildResult([alone, beside]);
const bulkId = 'a-beside-bulk, population bulk';

describe('a population in a report', () => {
  const page = renderReportPage(result);

  test('has rows in the accounts, the commands and the limits, and the server counts the sum of all loads', () => {
    const rows = rowsOf(page, 'target-and-environment');
    expect(rows.filter(([id = '']) => id.startsWith('a')).map(([id, issued]) => [id, issued])).toEqual([
      ['a', '3,000'],
      ['a-beside-bulk', '2,700'],
      [bulkId, '930'],
      ['a-beside-bulk, all loads', '3,630'],
    ]);
    expect(rows.find(([id]) => id === bulkId)).toContain('TIMEOUT 30 (3.2 %)');
    expect(rows.find(([id]) => id === bulkId)?.at(-1)).toBe('–');
    expect(rows.at(-1)?.at(-1)).toBe('3,615 (+15)');
    const commands = rowsOf(page, 'commands').filter(([id]) => id === bulkId);
    // Both have lost too many operations for any of their four latencies to be more than a lower bound.
    expect(commands.map(cells => cells.filter(cell => cell.startsWith('≥')).length)).toEqual([4, 4]);
    expect(rowsOf(page, 'what-limited-it')).toContainEqual([bulkId, 'server', 'the server was full']);
    const report = inMarkdown.result(result);
    for (const id of [bulkId, 'a-beside-bulk, all loads']) expect(report).toContain(`| ${id} `);
  });

  test('has marks on its latencies, with an explanation, and a row in the table of pools', () => {
    const report = inMarkdown.result(result);
    const rowsWith = (start: RegExp) => report.split('\n').filter(line => start.test(line));
    const [, ...cells] =
      rowsWith(/^\| a-beside-bulk +\| bulk /)[0]
        ?.split('|')
        .map(cell => cell.trim()) ?? [];
    // It has lost 3 % of its operations.
    expect(cells.filter(cell => cell.startsWith('≥'))).toHaveLength(2);
    expect(onTerminal.result(result)).toMatch(/bulk .*≥.*≥/);
    for (const text of [report, page, onTerminal.result(result)])
      expect(text).toMatch(/≥ marks a lower bound/);
    expect(rowsOf(page, 'pools').map(([id]) => id)).toContain(bulkId);
  });

  test('stands beside the load alone in one chart for each metric, and in one table', () => {
    expect(page.match(/<b>Latency by percentile/g)).toHaveLength(1);
    const tips = tipsOf(page).filter(([head]) => head === 'p50');
    expect(tips.map(([, ...lines]) => lines.map(line => line.split(':')[0]))).toEqual([
      ['alone', 'beside bulk'],
    ]);
    const lines = onTerminal.result(result).split('\n');
    expect(lines.filter(line => line.trimStart().startsWith('workers  pools'))).toHaveLength(1);
    for (const row of ['alone', 'beside bulk']) expect(lines).toContain(row);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});

test('an open loop has a curve alone and beside each population in one chart for each metric', () => {
  const open = [null, 'bulk'].flatMap(beside =>
    [1000, 2000].map(rate => {
      const scenario = buildOpenScenario(rate, [1, 1, 1]);
      return { ...scenario, id: `${scenario.id}-${beside}`, beside };
    }),
  );
  const page = renderReportPage(buildResult(open));
  const titles = [...page.matchAll(/<b>Latency against load: ([^<]*)/g)].map(([, title]) => title);
  expect(titles).toEqual(['response p50', 'response p99', 'response p99.9']);
  const tip = tipsOf(page).find(([head, line]) => head === '2.00k ops/s due' && line?.startsWith('alone'));
  expect(tip?.map(line => line.split(':')[0])).toEqual(['2.00k ops/s due', 'alone', 'beside bulk']);
  const rows = rowsOf(page, 'load').filter(row => row.length > 10);
  expect(rows.map(([rate, populations]) => [rate, populations])).toEqual([
    ['rate', 'populations'],
    ['1.00k', 'alone'],
    ['1.00k', 'beside bulk'],
    ['2.00k', 'alone'],
    ['2.00k', 'beside bulk'],
  ]);
});

describe('a population in files', () => {
  test('has lines of its own with what it is, under an id that no scenario has', () => {
    const [names = [], ...rows] = parseCsv(renderScenariosCsv(result));
    const pick = (row: readonly string[], name: string) => row[names.indexOf(name)];
    const columns = ['scenario', 'population', 'client', 'workers', 'completed', 'failed', 'limitedBy'];
    expect(rows.map(row => columns.map(name => pick(row, name)))).toEqual([
      ['a', '', 'wire', '50', '3000', '0', alone.limitedBy.resource],
      ['a-beside-bulk', '', 'wire', '50', '2700', '0', beside.limitedBy.resource],
      [bulkId, 'bulk', 'node-redis', '7', '900', '30', 'server'],
    ]);
    expect(rows.map(row => pick(row, 'opsPerSecond'))).toEqual(['1000', '900', '300']);
    const [, ...series] = parseCsv(renderSeriesCsv(result));
    expect(series.filter(([id]) => id === bulkId).map(row => [row[4], row.at(-1)])).toEqual(
      ofBulk.map(() => ['300', 'bulk']),
    );
    expect(series.filter(row => row.at(-1) === '')).toHaveLength(6);
  });

  test('has histograms of its own', () => {
    const files = derivedFiles(result);
    const name = 'a-beside-bulk__population_bulk';
    expect(files.map(({ path }) => path)).toContain(`histograms/${name}.response.hgrm`);
    const log = files.find(({ path }) => path === 'histograms.hlog')?.render() ?? '';
    expect(log.match(new RegExp(`^Tag=${name}\\.service,`, 'gm'))).toHaveLength(3);
  });

  test('of a result of 0.10, which does not say what it is, has no parameters', () => {
    const { load: _, ...population } = beside.populations?.[0] ?? expect.fail();
    const old = buildResult([{ ...beside, populations: [population] }]);
    const read = resultSchema.parse(JSON.parse(JSON.stringify(old)));
    const [names = [], , row = []] = parseCsv(renderScenariosCsv(read));
    expect(['scenario', 'client', 'workers', 'failed'].map(name => row[names.indexOf(name)])).toEqual([
      ...[bulkId, '', '', '30'],
    ]);
    expect(inMarkdown.result(old)).toContain(`| ${bulkId} `);
  });
});

test('the part of a recording that a population replays is that of its own workload, if it has one', () => {
  const arrival = { kind: 'recorded', rate: 10, speed: 2 };
  const populations = beside.populations?.map(one => ({ ...one, load: { ...load, arrival } })) ?? [];
  const files = [
    { key: 'workload.replay', file: 'a.replay', sha256: 'ab', recordedSeconds: 20 },
    { key: 'populations[1].workload.replay', file: 'b.replay', sha256: 'cd', recordedSeconds: 40 },
  ];
  const partsWith = (workload: object | null) => {
    const config = {
      populations: [
        { name: 'other', workload: null },
        { name: 'bulk', workload },
      ],
    };
    const result = buildResult([{ ...beside, populations }], { files, config });
    return /Measured in every round: (.*)\./.exec(inMarkdown.result(result))?.[1];
  };
  expect(partsWith({})).toBe('population bulk ×2, the first 2 s of the 40 s recording');
  expect(partsWith(null)).toBe('population bulk ×2, the first 2 s of the 20 s recording');
});
