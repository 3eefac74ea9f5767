import { tookSeconds } from '../accounting.ts';
import { fileName } from '../report/file-name.ts';
import { resultNote } from '../report/result-columns.ts';
import { describeShortfall } from '../report/shortfall.ts';
import type { Result } from '../result.ts';
import { splitClaims } from '../text/claim-words.ts';
import { capitalise, formatPlural, toOneLine } from '../text/format.ts';
import { describeTarget, targetBanners } from '../text/target-words.ts';
import { describeThresholds, describeUnjudged } from '../thresholds/words.ts';
import { warningsOf } from '../warnings.ts';
import { renderDocument } from './document.ts';
import { type Content, type Html, html } from './html.ts';
import { section } from './section.ts';
import { commandCharts } from './sections/commands.ts';
import { percentileCharts } from './sections/latency.ts';
import { limits, resultsTable } from './sections/limits.ts';
import { loadCharts } from './sections/load.ts';
import { overTime } from './sections/over-time.ts';
import { poolCharts } from './sections/pools.ts';
import { repeat } from './sections/repeat.ts';
import { standOuts } from './sections/stand-outs.ts';
import { surroundings } from './sections/surroundings.ts';
import { thresholdTable } from './sections/thresholds.ts';
import { throughputCharts } from './sections/throughput.ts';
import { verdicts } from './sections/verdicts.ts';

/** A result as the text of `report.html`: one file that fetches nothing. Text from outside is escaped. */
export function renderReportPage(result: Result): string {
  const { name, claims, scenarios } = result;
  const { told, silent } = splitClaims(claims, { atLeast: 1 });
  return renderDocument({
    title: `${toOneLine(name)} – poolbench`,
    header: header(result),
    alarms: alarmsOf(result),
    sections: [
      section('verdicts', 'Verdicts', verdicts(told, silent, scenarios)),
      section('warnings', 'Warnings', warnings(result)),
      section('throughput', 'Throughput', throughput(result)),
      section('latency', 'Latency', percentileCharts(scenarios)),
      section('time', 'Over time', overTime(result)),
      section('pools', 'Pools', poolCharts(scenarios)),
      section('limits', 'What limited it', limits(scenarios)),
      section('load', 'Load', loadCharts(scenarios)),
      section('commands', 'Commands', commandCharts(scenarios)),
      section('thresholds', 'Thresholds', thresholdTable(result.thresholds)),
      section('stand-outs', 'Rounds that stand out', standOuts(result)),
      section('environment', 'Target and environment', surroundings(result)),
      section('repeat', 'Run it again', repeat(result)),
    ].flat(),
    footer: footer(result),
  });
}

function header(result: Result): Html {
  const { name, target, startedAt, scenarios } = result;
  const rounds = Math.max(0, ...scenarios.map(scenario => scenario.rounds.length));
  const seconds = tookSeconds(result);
  const took =
    seconds === null
      ? ''
      : `, ${seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(0)} minutes`}`;
  return html`<p class="brand">poolbench report</p><h1>${name}</h1><p class="lead">${describeTarget(target)}</p><p class="facts">${[
    formatPlural(scenarios.length, 'scenario'),
    formatPlural(rounds, 'round'),
    `${result.environment.cores} cores${target.local ? ', shared with the server' : ''}`,
    `${startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}${took}`,
  ].map(fact => html`<span>${fact}</span>`)}</p>`;
}

/** What nobody may overlook. */
function alarmsOf(result: Result): string[] {
  const crossed = result.thresholds.filter(threshold => threshold.crossed).length;
  return [
    ...targetBanners(result),
    describeShortfall(result),
    crossed > 0 ? describeThresholds(result.thresholds) : null,
    describeUnjudged(result),
  ].filter(text => text !== null);
}

function warnings(result: Result): Content {
  const all = warningsOf(result);
  return (
    all.length > 0 &&
    html`<ul class="warnings">${all.map(warning => html`<li>${capitalise(toOneLine(warning))}</li>`)}</ul>`
  );
}

function throughput({ scenarios }: Result): Content {
  if (scenarios.every(({ summary }) => summary === null)) return null;
  return html`<p class="note">${resultNote(scenarios)}</p>${throughputCharts(scenarios)}${resultsTable(scenarios)}`;
}

function footer({ tool, name }: Result): Html {
  return html`<p>${tool.name} ${tool.version}. All figures are from this run’s result.json; <code>poolbench report</code> makes this page anew, and report.md says the same as text. To run it again: <code>npm start -- ${fileName(name)}</code>.</p>`;
}
