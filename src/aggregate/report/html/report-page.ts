import type { Result } from '../../result.ts';
import { tookSeconds } from '../../stats/accounting.ts';
import { warningsOf } from '../../stats/warnings.ts';
import { splitClaims } from '../../text/claim-words.ts';
import { capitalise, formatPlural } from '../../text/format.ts';
import { describeTarget } from '../../text/target-words.ts';
import { describeThresholds, describeUnjudged, type ToldThreshold } from '../../thresholds/words.ts';
import { alert, type Block, code, codeSpan, details, heading, list, note, paragraph } from '../blocks.ts';
import { bannerAlerts, configCode, environmentBlocks } from '../documents/parts.ts';
import { describeShortfall, fileName } from '../documents/result.ts';
import { thresholdTable } from '../documents/thresholds.ts';
import { renderPage } from '../html.ts';
import { accountingBlocks, resultNote, resultTable, standOutBlocks } from '../result-tables.ts';
import { commandBlocks } from './sections/commands.ts';
import { percentileCharts } from './sections/latency.ts';
import { limitBlocks } from './sections/limits.ts';
import { loadBlocks } from './sections/load.ts';
import { overTime } from './sections/over-time.ts';
import { poolBlocks } from './sections/pools.ts';
import { throughputCharts } from './sections/throughput.ts';
import { verdictBlocks } from './sections/verdicts.ts';

/** A result as the text of `report.html`: one file that fetches nothing. */
export function renderReportPage(result: Result): string {
  const { name, claims, scenarios, tool } = result;
  const { told, silent } = splitClaims(claims, { atLeast: 1 });
  const alerts = alertsOf(result);
  return renderPage({
    brand: 'poolbench report',
    title: `${name} – poolbench`,
    blocks: [
      ...alerts,
      ...headOf(result),
      ...section('Verdicts', verdictBlocks(told, silent, scenarios)),
      ...section('Warnings', warningList(result)),
      ...section('Throughput', throughputBlocks(result)),
      ...section('Latency', percentileCharts(scenarios)),
      ...section('Over time', overTime(result)),
      ...section('Pools', poolBlocks(scenarios)),
      ...section('What limited it', limitBlocks(scenarios)),
      ...section('Load', loadBlocks(scenarios)),
      ...section('Commands', commandBlocks(scenarios)),
      ...section('Thresholds', thresholdDetails(result.thresholds)),
      ...section('Rounds that stand out', standOutBlocks(result)),
      ...environmentBlocks(result, `, seed ${result.seed}`),
      ...(scenarios.length === 0
        ? []
        : [details('Table: where every operation went', accountingBlocks(scenarios))]),
      ...section('Run it again', repeatBlocks(result)),
      ...alerts,
    ],
    footer: [
      `${tool.name} ${tool.version}. All figures are from this run’s result.json; `,
      codeSpan('poolbench report'),
      ' writes this page again, and report.md has the same as text.',
    ],
  });
}

/** A heading with what belongs to it; nothing where there is nothing to say. */
export function section(title: string, blocks: readonly Block[]): Block[] {
  return blocks.length === 0 ? [] : [heading(2, title), ...blocks];
}

/** What nobody may overlook. */
function alertsOf(result: Result): Block[] {
  const crossed = result.thresholds.some(threshold => threshold.crossed);
  const texts = [
    describeShortfall(result),
    crossed ? describeThresholds(result.thresholds) : null,
    describeUnjudged(result),
  ];
  return [...bannerAlerts(result), ...texts.filter(text => text !== null).map(text => alert(text))];
}

function headOf(result: Result): Block[] {
  const { name, target, environment, startedAt, scenarios } = result;
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
      `${environment.cores} cores${target.local ? ', shared with the server' : ''}`,
      `${startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}${took}`,
    ]),
  ];
}

function warningList(result: Result): Block[] {
  const warnings = warningsOf(result);
  return warnings.length === 0 ? [] : [list(warnings.map(capitalise))];
}

function throughputBlocks({ scenarios }: Result): Block[] {
  if (scenarios.every(({ summary }) => summary === null)) return [];
  return [
    note(resultNote(scenarios)),
    ...throughputCharts(scenarios),
    details('Table: all results', [resultTable(scenarios)]),
  ];
}

/** More checks are folded, unless one was crossed. */
const maxOpenThresholds = 30;

/** Every threshold, crossed ones first. */
export function thresholdDetails(thresholds: readonly ToldThreshold[]): Block[] {
  const title = describeThresholds(thresholds);
  if (title === null) return [];
  const open = thresholds.length <= maxOpenThresholds || thresholds.some(({ crossed }) => crossed);
  return [details(`${title}.`, [thresholdTable(thresholds)], { open })];
}

/** The command that repeats the run, and the config it takes, seed included: both to copy. */
function repeatBlocks({ name, config, seed }: Result): Block[] {
  const file = fileName(name);
  return [
    paragraph([
      'Save the config as ',
      codeSpan(file),
      ` (add the password to the URL, if there is one); its seed is ${seed}. Then:`,
    ]),
    code('sh', 'The command', [`npm start -- ${file}`]),
    details('The config, every key with its value', [configCode(config)]),
  ];
}
