import type { ScenarioResult } from '../result.ts';
import { formatRate, formatRatioInterval, nothing, toOneLine } from '../text/format.ts';
import { type Style, terminalWidth } from '../text/terminal-style.ts';
import { alignColumns, wrapText } from '../text/text-layout.ts';
import { formatLatency, hysteresisOf, type LoadTable, loadCells, loadTables } from './load-tables.ts';

/** Latency against load, a block of lines for each curve; and where rates went up and down, how far the ways differ. */
export function renderLoad(scenarios: readonly ScenarioResult[], style: Style): string[][] {
  return loadTables(scenarios).flatMap(table => [
    [
      ...wrapText(toOneLine(table.heading), terminalWidth).map(line => style('bold', line)),
      ...tableOf(
        ['rate', 'due/s', 'done/s', 'short', 'backlog', 'p50', 'p99', 'p99.9', 'lag', 'limit'],
        table.scenarios.map(rowOf),
        style,
      ),
    ],
    ...renderHysteresis(table, style),
  ]);
}

function rowOf(scenario: ScenarioResult): string[] {
  const { summary, limitedBy } = scenario;
  return [
    loadCells.rate(scenario),
    loadCells.offered(scenario),
    summary === null ? nothing : formatRate(summary.opsPerSecond.median),
    loadCells.shortfall(scenario),
    loadCells.backlog(scenario),
    formatLatency(scenario, summary?.responseP50, false),
    formatLatency(scenario, summary?.responseP99, false),
    formatLatency(scenario, summary?.responseP999, false),
    loadCells.lagP99(scenario),
    limitedBy.resource,
  ];
}

function renderHysteresis(table: LoadTable, style: Style): string[][] {
  const ways = hysteresisOf(table);
  if (ways.length === 0) return [];
  const rows = ways.map(({ rate, up, down, ratio }) => [
    formatRate(rate),
    formatLatency(up, up.summary?.responseP99, false),
    formatLatency(down, down.summary?.responseP99, false),
    formatRatioInterval(ratio),
  ]);
  return [tableOf(['rate', 'p99 up', 'p99 down', 'down / up'], rows, style)];
}

function tableOf(head: readonly string[], rows: readonly string[][], style: Style): string[] {
  // The last column is words, or an interval.
  const flushRight = head.map((_, column) => column < head.length - 1);
  const [heading = '', ...lines] = alignColumns([head, ...rows], flushRight);
  return [style('dim', heading), ...lines];
}
