import type { Result, ScenarioResult } from '../../result.ts';
import { describeSize, groupWithPopulations, linesOf, type SettingGroup } from '../../scenario/setting.ts';
import { tookSeconds } from '../../stats/accounting.ts';
import { withoutControls } from '../../stats/control.ts';
import { metrics } from '../../stats/metrics.ts';
import { sumOf } from '../../stats/statistics.ts';
import { warningsOf } from '../../stats/warnings.ts';
import { formatCount, formatPlural, formatRate } from '../../text/format.ts';
import { describeTarget, targetBanners } from '../../text/target-words.ts';
import { accountingBlocks } from '../accounting-table.ts';
import {
  alerts,
  type Block,
  chart,
  codeSpan,
  details,
  heading,
  list,
  note,
  paragraph,
  type Span,
  section,
  table,
  toned,
  words,
} from '../blocks.ts';
import { commandNote, commandRows, commandTable, markedLatencyOf } from '../command-table.ts';
import { deliveryBlocks } from '../delivery-table.ts';
import { controlBlocks, environmentBlocks, splitClaims } from '../documents/parts.ts';
import { describeShortfall, repeatBlocks } from '../documents/result.ts';
import {
  describeThresholds,
  describeUnjudged,
  type ListedThreshold,
  thresholdTable,
} from '../documents/thresholds.ts';
import { hostBlocks } from '../host-table.ts';
import { recordingBlocks } from '../load-tables.ts';
import { populationBlocks } from '../population-table.ts';
import {
  limitBadge,
  limitTable,
  outlierBlocks,
  resultNote,
  resultTable,
  threadBlocks,
  timeSplitBlocks,
} from '../result-tables.ts';
import { scriptBlocks } from '../script-table.ts';
import { serverBlocks, serverTitle } from '../server-tables.ts';
import { figureStrips, type Strip } from './charts/strip-chart.ts';
import { type Html, html } from './markup.ts';
import { renderPage, renderTable } from './page.ts';
import { percentileCharts } from './sections/latency.ts';
import { loadBlocks } from './sections/load.ts';
import { overTime } from './sections/over-time.ts';
import { poolBlocks } from './sections/pools.ts';
import { serverCharts } from './sections/server.ts';
import { stageSection } from './sections/stages.ts';
import { throughputCharts } from './sections/throughput.ts';
import { comparedBlocks, verdictBlocks } from './sections/verdicts.ts';

/** A result as the text of `report.html`: one file that fetches nothing. */
export function renderReportPage(result: Result): string {
  const { name, claims, tool } = result;
  const scenarios = withoutControls(result);
  const { tested, untested } = splitClaims(claims);
  const alarms = alertsOf(result);
  return renderPage({
    brand: 'poolbench report',
    title: `${name} – poolbench`,
    blocks: [
      ...alarms,
      ...headOf(result),
      // A run with these tests no claim, so they are its answer.
      ...section('What was compared', comparedBlocks(result)),
      ...section('Verdicts', [...controlBlocks(result), ...verdictBlocks(tested, untested, scenarios)]),
      ...section('Warnings', warningList(result)),
      ...section('Throughput', throughputBlocks(result)),
      ...section('Latency', percentileCharts(scenarios)),
      ...populationBlocks(scenarios),
      ...section('Over time', overTime(scenarios, result.config)),
      ...section(
        serverTitle,
        serverBlocks(result.serverSeries, series => serverCharts(series, result)),
      ),
      ...section('Pools', poolBlocks(scenarios)),
      ...section('What limited it', limitBlocks(scenarios)),
      ...hostBlocks(result),
      ...section('Load', [...recordingBlocks(result), ...loadBlocks(scenarios)]),
      ...section('Stages', stageSection(scenarios)),
      ...section('Commands', commandBlocks(scenarios)),
      ...scriptBlocks(scenarios),
      ...deliveryBlocks(scenarios),
      ...section('Thresholds', thresholdDetails(result.thresholds)),
      ...section('Outliers', outlierBlocks(result)),
      ...environmentBlocks(result, `, seed ${result.seed}`),
      ...(scenarios.length === 0
        ? []
        : [details('Table: where every operation went', accountingBlocks(scenarios))]),
      ...repeatBlocks(result),
      ...alarms,
    ],
    footer: [
      `${tool.name} ${tool.version}. All figures are from this run’s result.json; `,
      codeSpan('poolbench report'),
      ' writes this page again, and report.md has the same as text.',
    ],
  });
}

/** The alerts of a page. */
function alertsOf(result: Result): Block[] {
  return alerts([
    ...targetBanners(result),
    describeShortfall(result),
    result.thresholds.some(({ crossed }) => crossed) ? describeThresholds(result.thresholds) : null,
    describeUnjudged(result),
  ]);
}

function headOf(result: Result): Block[] {
  const { name, target, environment, hosts, startedAt } = result;
  const scenarios = withoutControls(result);
  const seconds = tookSeconds(result);
  const took =
    seconds === null
      ? ''
      : `, ${seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(0)} minutes`}`;
  return [
    heading(1, name),
    paragraph(describeTarget(target)),
    list([
      formatPlural(scenarios.length, 'scenario'),
      formatPlural(Math.max(0, ...scenarios.map(({ rounds }) => rounds.length)), 'round'),
      `${hosts === undefined ? environment.cores : sumOf(hosts, ({ cores }) => cores)} cores${hosts === undefined ? '' : ` on ${formatPlural(hosts.length, 'agent')}`}${target.local ? ', shared with the server' : ''}`,
      `${startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}${took}`,
    ]),
  ];
}

function warningList(result: Result): Block[] {
  const warnings = warningsOf(result);
  return warnings.length === 0 ? [] : [list(warnings)];
}

function throughputBlocks(result: Result): Block[] {
  const scenarios = withoutControls(result);
  if (scenarios.every(({ summary }) => summary === null)) return [];
  return [
    note(resultNote(scenarios, { ended: result.ended })),
    ...throughputCharts(scenarios),
    details('Table: all results', [resultTable(scenarios)]),
  ];
}

/** More checks are folded, unless one was crossed. */
const maxOpenThresholds = 30;

/** Every threshold, crossed ones first. */
export function thresholdDetails(thresholds: readonly ListedThreshold[]): Block[] {
  const title = describeThresholds(thresholds);
  if (title === null) return [];
  const open = thresholds.length <= maxOpenThresholds || thresholds.some(({ crossed }) => crossed);
  return [details(`${title}.`, [thresholdTable(thresholds)], { open })];
}

/** Rows of evidence that are open at once. */
const maxOpen = 30;

/** What limited each scenario: a map of every setting, and the evidence. */
function limitBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  if (scenarios.length === 0) return [];
  const maps = groupWithPopulations(scenarios).filter(isMap);
  const split = timeSplitBlocks(scenarios);
  return [
    paragraph(sumUp(scenarios)),
    ...(maps.length === 0 ? [] : [chart(() => html`<div class="maps">${maps.map(limitMap)}</div>`)]),
    details('The evidence for each scenario', [limitTable(scenarios)], { open: scenarios.length <= maxOpen }),
    ...(split.length === 0
      ? []
      : [details('Where the time goes', split, { open: scenarios.length <= maxOpen })]),
    ...threadBlocks(scenarios),
  ];
}

function sumUp(scenarios: readonly ScenarioResult[]): (string | Span)[] {
  const counts = new Map<string, number>();
  for (const { limitedBy } of scenarios)
    counts.set(limitedBy.resource, (counts.get(limitedBy.resource) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .flatMap(([resource, count], index) => [
      index === 0 ? '' : ' · ',
      limitBadge(resource),
      ` ${formatCount(count)} of ${formatCount(scenarios.length)}`,
    ]);
}

/** Whether there are several scenarios, each with its own cell. */
function isMap({ scenarios }: SettingGroup): boolean {
  const { nameOf } = linesOf(scenarios);
  const cells = new Set(scenarios.map(scenario => `${scenario.workers} ${nameOf(scenario)}`));
  return cells.size === scenarios.length && cells.size > 1;
}

function limitMap({ heading, scenarios }: SettingGroup): Html {
  const levels = [...new Set(scenarios.map(({ workers }) => workers))].toSorted((a, b) => a - b);
  const { names, nameOf } = linesOf(scenarios);
  const cell = (workers: number, name: string) => {
    const found = scenarios.find(scenario => scenario.workers === workers && nameOf(scenario) === name);
    if (found === undefined) return '';
    const rate = found.summary === null ? '' : `${formatRate(found.summary.opsPerSecond.median)} ops/s`;
    return [limitBadge(found.limitedBy.resource), toned(rate, 'muted')];
  };
  const columns = [
    words('workers', String),
    ...names.map(name => words<number>(name, workers => cell(workers, name))),
  ];
  return html`<div><h4>${heading}</h4>${renderTable(table(levels, columns, `What limited ${heading}`))}</div>`;
}

const maxRows = 40;
/** In the chart of commands. */
const commandPercentiles = [metrics['response.p50'], metrics['response.p99']] as const;

/** The commands of mixes: their latencies, and their counts; nothing if there is no mix. */
function commandBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = commandRows(scenarios);
  if (rows.length === 0) return [];
  const names = new Map(
    scenarios.map(scenario => [scenario.id, `${scenario.client}, ${describeSize(scenario)}`]),
  );
  const strips = rows.slice(0, maxRows).flatMap((row): Strip[] => {
    const marks = commandPercentiles.flatMap((metric, look) => {
      const latency = markedLatencyOf(metric, row);
      return latency === null ? [] : [{ name: metric.short, look, ...latency }];
    });
    return marks.length === 0 ? [] : [{ label: row.name, group: names.get(row.id) ?? row.id, marks }];
  });
  const rest = rows.length > maxRows ? `; ${maxRows} of ${rows.length}` : '';
  return [
    note(commandNote),
    ...figureStrips(
      {
        title: 'Response time of each command',
        how: `medians over the rounds, logarithmic${rest}`,
        rows: strips,
        legend: commandPercentiles.map(({ short }, look) => ({ name: short, look })),
      },
      metrics['response.p99'].kind,
    ),
    details('Table: commands', [commandTable(rows)], { open: rows.length <= maxRows }),
  ];
}
