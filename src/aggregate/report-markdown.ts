import { findImbalances } from './accounting.ts';
import {
  describeIntervals,
  formatInterval,
  formatMs,
  formatRate,
  formatRatioInterval,
  nothing,
} from './format.ts';
import { describeMeasured, describeShortfall, describeTarget, standInBanner } from './headline.ts';
import { asMarkdown, markdownCode, markdownTable, numberColumn, textColumn } from './markdown.ts';
import { pairWithOnePool } from './pairs.ts';
import { accountingSection } from './report-markdown-accounting.ts';
import { poolSection } from './report-markdown-pools.ts';
import type { ClaimResult, Result, ScenarioResult } from './result.ts';
import { describeArrival } from './setting.ts';

/** A result as the text of `report.md`. Text from outside is escaped. */
export function renderMarkdown(result: Result): string {
  const banner = standInBanner(result);
  const shortfall = describeShortfall(result);
  const loud = [banner, shortfall].flatMap(text => (text === null ? [] : `> **${asMarkdown(text)}**`));
  const warnings = [...result.warnings, ...findImbalances(result)];
  return `${[
    `# ${asMarkdown(result.name)}`,
    ...loud,
    ...result.claims.flatMap(verdictSection),
    '## Target and environment',
    targetTable(result),
    '## Results',
    `Medians over the rounds with ${sayIntervals(result.scenarios)}; ratios are paired within a round. Latencies are response times.`,
    resultsTable(result.scenarios),
    ...result.claims.flatMap(comparisonSection),
    '## What limited each scenario',
    limitsTable(result.scenarios),
    ...poolSection(result.scenarios),
    ...accountingSection(result.scenarios),
    '## Warnings',
    warnings.length === 0 ? 'None.' : warnings.map(warning => `- ${asMarkdown(warning)}`).join('\n'),
    '## Run it again',
    `Save this as \`${fileName(result.name)}\` (add the password to the URL, if there is one):`,
    markdownCode('json', JSON.stringify(result.config, null, 2)),
    markdownCode('sh', `npm start -- ${fileName(result.name)}`),
    ...(banner === null ? [] : [`> **${asMarkdown(banner)}**`]),
  ].join('\n\n')}\n`;
}

/** By the scenario with the fewest rounds. */
function sayIntervals(scenarios: readonly ScenarioResult[]): string {
  const rounds = scenarios.map(scenario => scenario.rounds.length).filter(count => count > 0);
  return rounds.length === 0 ? 'their intervals' : describeIntervals(Math.min(...rounds));
}

function fileName(name: string): string {
  return `${name.replace(/[^\w.-]+/g, '-').replace(/^-+/, '') || 'experiment'}.json`;
}

function verdictSection(claim: ClaimResult): string[] {
  return [
    `## ${asMarkdown(claim.id)}: ${asMarkdown(claim.verdict)}`,
    `**${asMarkdown(claim.statement)}**`,
    asMarkdown(claim.reason),
    asMarkdown(describeMeasured(claim)),
  ];
}

function targetTable({ target, environment, tool, seed, startedAt, finishedAt }: Result): string {
  const { declared } = target;
  const rows: [string, string][] = [
    ['declared', `${declared.server} at ${declared.url}`],
    ['measured', describeTarget(target)],
    ['stand-in', target.standIn ? 'yes' : 'no'],
    ['shares the machine with poolbench', target.local ? 'yes' : 'no'],
    ['machine', `${environment.cpu}, ${environment.cores} cores, ${formatMemory(environment.memoryBytes)}`],
    ['system', `${environment.os}, Node ${environment.node}`],
    ['tool', `${tool.name} ${tool.version}, seed ${seed}`],
    ['time', `${startedAt} to ${finishedAt}`],
  ];
  return markdownTable(rows, [textColumn('', ([name]) => name), textColumn('', ([, value]) => value)]);
}

function formatMemory(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function resultsTable(scenarios: readonly ScenarioResult[]): string {
  const pairs = new Map(pairWithOnePool(scenarios).map(pair => [pair.several, pair]));
  const ratio = (scenario: ScenarioResult) => {
    const pair = pairs.get(scenario);
    return pair === undefined ? '' : formatRatioInterval(pair.throughput.ratio);
  };
  return markdownTable(scenarios, [
    textColumn('client', scenario => scenario.client),
    textColumn('pool', scenario => scenario.pool),
    numberColumn('pipeline', scenario => scenario.pipeline),
    textColumn('arrival', scenario => describeArrival(scenario.arrival)),
    numberColumn('workers', scenario => scenario.workers),
    numberColumn('pools', scenario => scenario.pools),
    numberColumn('threads', scenario => scenario.threads),
    numberColumn('connections', scenario => scenario.connections),
    numberColumn('rounds', scenario => scenario.rounds.length),
    numberColumn('ops/s', ({ summary }) => formatInterval(summary?.opsPerSecond ?? null, formatRate)),
    numberColumn('to 1 pool', ratio),
    numberColumn('p50 ms', ({ summary }) => formatInterval(summary?.responseP50 ?? null, formatMs)),
    numberColumn('p95 ms', ({ summary }) => formatInterval(summary?.responseP95 ?? null, formatMs)),
    numberColumn('p99 ms', ({ summary }) => formatInterval(summary?.responseP99 ?? null, formatMs)),
    numberColumn('p99.9 ms', ({ summary }) => formatInterval(summary?.responseP999 ?? null, formatMs)),
    numberColumn('client µs/op', ({ summary }) => summary?.clientMicrosPerOp?.median.toFixed(2) ?? nothing),
    textColumn('limited by', scenario => scenario.limitedBy.resource),
  ]);
}

function comparisonSection(claim: ClaimResult): string[] {
  if (claim.comparisons.length === 0) return [];
  return [
    `## What ${asMarkdown(claim.id)} was judged by`,
    'Each row is several pools against one, equal in all totals. The p-value is that of an exact sign-flip permutation test over the rounds.',
    markdownTable(claim.comparisons, [
      textColumn('client', comparison => comparison.client),
      textColumn('pool', comparison => comparison.pool),
      numberColumn('pipeline', comparison => comparison.pipeline),
      numberColumn('workers', comparison => comparison.workers),
      numberColumn('connections', comparison => comparison.connections),
      numberColumn('pools', comparison => comparison.pools),
      numberColumn('rounds', comparison => comparison.rounds),
      numberColumn('throughput', comparison => formatRatioInterval(comparison.throughput)),
      numberColumn('p-value', comparison => comparison.throughputP.toFixed(4)),
      numberColumn('response p99', comparison => formatRatioInterval(comparison.responseP99)),
      textColumn('1 pool limited by', comparison => comparison.limitedBy.one),
      textColumn('pools limited by', comparison => comparison.limitedBy.several),
    ]),
  ];
}

function limitsTable(scenarios: readonly ScenarioResult[]): string {
  return markdownTable(scenarios, [
    textColumn('scenario', scenario => scenario.id),
    textColumn('limited by', scenario => scenario.limitedBy.resource),
    textColumn('evidence', scenario => scenario.limitedBy.evidence),
  ]);
}
