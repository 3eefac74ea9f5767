import { findImbalances } from '../accounting.ts';
import { pairWithOnePool } from '../pairs.ts';
import type { ClaimResult, Comparison, Result, ScenarioResult } from '../result.ts';
import { describeArrival } from '../setting.ts';
import { describeMeasured, splitClaims } from '../text/claim-words.ts';
import {
  describeIntervals,
  formatInterval,
  formatRange,
  formatRate,
  formatRatio,
  formatRatioInterval,
  nothing,
} from '../text/format.ts';
import { asMarkdown, markdownCode, markdownTable, numberColumn, textColumn } from '../text/markdown.ts';
import { describeSurroundings, standInBanner } from '../text/target-words.ts';
import { thresholdSection } from '../thresholds/markdown.ts';
import { describeUnjudged } from '../thresholds/words.ts';
import { formatLatency } from './load-tables.ts';
import { accountingSection } from './markdown-accounting.ts';
import { commandSection } from './markdown-commands.ts';
import { loadSection } from './markdown-load.ts';
import { poolSection } from './markdown-pools.ts';
import { standOutSection } from './markdown-stand-out.ts';
import { describeShortfall } from './shortfall.ts';

/** A result as the text of `report.md`. Text from outside is escaped. */
export function renderMarkdown(result: Result): string {
  const banner = standInBanner(result);
  const shortfall = describeShortfall(result);
  const loud = [banner, shortfall].flatMap(text => (text === null ? [] : `> **${asMarkdown(text)}**`));
  const { told, silent } = splitClaims(result.claims);
  const warnings = [...result.warnings, ...findImbalances(result)];
  return `${[
    `# ${asMarkdown(result.name)}`,
    ...loud,
    ...thresholdSection(result.thresholds),
    ...[describeUnjudged(result)].flatMap(text => (text === null ? [] : [asMarkdown(text)])),
    ...told.flatMap(verdictSection),
    ...untestedSection(silent),
    '## Target and environment',
    targetTable(result),
    '## Results',
    `Medians over the rounds with ${sayIntervals(result.scenarios)}; ratios are paired within a round. Latencies are response times.`,
    resultsTable(result.scenarios),
    ...loadSection(result.scenarios),
    ...result.claims.flatMap(comparisonSection),
    '## What limited each scenario',
    limitsTable(result.scenarios),
    ...standOutSection(result),
    ...commandSection(result.scenarios),
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

function untestedSection(claims: readonly ClaimResult[]): string[] {
  if (claims.length === 0) return [];
  return [
    '## Not tested by this run',
    markdownTable(claims, [
      textColumn('claim', claim => claim.id),
      textColumn('statement', claim => claim.statement),
      textColumn('why', claim => claim.reason),
    ]),
  ];
}

function targetTable(result: Result): string {
  const rows = describeSurroundings(result, `, seed ${result.seed}`);
  return markdownTable(rows, [textColumn('', ([name]) => name), textColumn('', ([, value]) => value)]);
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
    numberColumn('p50 ms', scenario => formatLatency(scenario, scenario.summary?.responseP50)),
    numberColumn('p95 ms', scenario => formatLatency(scenario, scenario.summary?.responseP95)),
    numberColumn('p99 ms', scenario => formatLatency(scenario, scenario.summary?.responseP99)),
    numberColumn('p99.9 ms', scenario => formatLatency(scenario, scenario.summary?.responseP999)),
    numberColumn('client µs/op', ({ summary }) => summary?.clientMicrosPerOp?.median.toFixed(2) ?? nothing),
    textColumn('limited by', scenario => scenario.limitedBy.resource),
  ]);
}

function comparisonSection(claim: ClaimResult): string[] {
  if (claim.comparisons.length === 0) return [];
  return [
    `## What ${asMarkdown(claim.id)} was judged by`,
    'Each row is the ratio other / base of two scenarios, paired by round. The p-value is that of a sign-flip permutation test over the rounds, exact up to 30 of them and from 10,000 random samples above. Where nothing is predicted, the ratio is shown and decides nothing.',
    markdownTable(claim.comparisons, [
      textColumn('measure', comparison => comparison.measure),
      textColumn('base', comparison => comparison.base),
      textColumn('other', comparison => comparison.other),
      numberColumn('rounds', comparison => comparison.rounds),
      numberColumn('ratio', comparison => formatRatioInterval(comparison.ratio)),
      numberColumn('predicted', sayPredicted),
      numberColumn('p-value', comparison => comparison.p.toFixed(4)),
      textColumn('base limited by', comparison => comparison.limitedBy.base),
      textColumn('other limited by', comparison => comparison.limitedBy.other),
    ]),
  ];
}

function sayPredicted({ predicted }: Comparison): string {
  return predicted === null ? nothing : formatRange(predicted, formatRatio);
}

function limitsTable(scenarios: readonly ScenarioResult[]): string {
  return markdownTable(scenarios, [
    textColumn('scenario', scenario => scenario.id),
    textColumn('limited by', scenario => scenario.limitedBy.resource),
    textColumn('evidence', scenario => scenario.limitedBy.evidence),
  ]);
}
