import { accountOf, sumByCode } from '../accounting.ts';
import { type Pair, pairWithOnePool } from '../claims/judging/arms.ts';
import { describeOutliers } from '../outliers.ts';
import type { ClaimResult, Interval, Result, ScenarioResult } from '../result.ts';
import { groupBySetting } from '../setting.ts';
import { clearlyLess, clearlyMore } from '../statistics.ts';
import { describeMeasured, saysNothing, splitClaims } from '../text/claim-words.ts';
import {
  formatCount,
  formatIds,
  formatInterval,
  formatMs,
  formatRate,
  formatRatioInterval,
  formatShare,
  nothing,
  toOneLine,
} from '../text/format.ts';
import { describeTarget, targetBanners } from '../text/target-words.ts';
import { type Format, type Style, styleIf, terminalWidth, verdictColours } from '../text/terminal-style.ts';
import { alignColumns, wrapText } from '../text/text-layout.ts';
import { renderThresholds } from '../thresholds/terminal.ts';
import { describeUnjudged } from '../thresholds/words.ts';
import { warningsOf } from '../warnings.ts';
import { isOpen } from './load-tables.ts';
import { resultNote } from './result-columns.ts';
import { describeShortfall } from './shortfall.ts';
import { renderCommands } from './terminal-commands.ts';
import { renderLoad } from './terminal-load.ts';

const width = terminalWidth;
/** Of a row. */
const ratioColumn = 3;

/** A result for a terminal of 80 columns: the verdicts in words, then a table for each client. */
export function renderTerminal(result: Result, colour: boolean): string {
  const style = styleIf(colour);
  const paragraph = (text: string, format?: Format) =>
    wrapText(toOneLine(text), width).map(line => (format === undefined ? line : style(format, line)));

  const banners = targetBanners(result);
  const shortfall = describeShortfall(result);
  const loud = ['bold', 'yellow'] as const;
  const { told, silent } = splitClaims(result.claims, { atLeast: 1 });
  const closed = result.scenarios.filter(scenario => !isOpen(scenario));
  // Most runs ask something else: what they measured comes first then.
  const tells = result.target.standIn || !told.every(saysNothing);
  const blocks = [
    ...banners.map(banner => paragraph(banner, [...loud])),
    renderThresholds(result.thresholds, style),
    paragraph(describeUnjudged(result) ?? '', 'yellow'),
    ...(tells ? told.map(claim => renderClaim(claim, style)) : []),
    tells && silent.length > 0 ? paragraph(sayUntested(silent)) : [],
    paragraph(`${toOneLine(result.name)} against ${describeTarget(result.target)}`, 'bold'),
    shortfall === null ? [] : paragraph(shortfall, [...loud]),
    ...renderTables(closed, style),
    closed.length > 0 ? paragraph(resultNote(closed), 'dim') : [],
    ...renderLoad(result.scenarios, style),
    ...renderCommands(result.scenarios, style),
    renderFailures(result.scenarios, style),
    paragraph(describeOutliers(result) ?? ''),
    tells || told.length === 0 ? [] : paragraph('No claim is tested by this run (report.md says why).'),
    warningsOf(result).flatMap(warning => paragraph(`Warning: ${warning}`, 'yellow')),
    told.filter(({ verdict }) => verdict !== 'not tested').map(claim => renderVerdict(claim, style)),
    ...banners.map(banner => paragraph(banner, [...loud])),
  ];
  return `${blocks
    .filter(block => block.length > 0)
    .map(block => block.join('\n'))
    .join('\n\n')}\n`;
}

function renderClaim(claim: ClaimResult, style: Style): string[] {
  const [first = '', ...rest] = wrapText(
    toOneLine(`${claim.id} ${claim.verdict}: ${claim.statement}`),
    width,
  );
  const indented = (text: string) => wrapText(toOneLine(text), width, '  ');
  return [
    ...[first, ...rest].map(line => style(['bold', verdictColours[claim.verdict]], line)),
    ...indented(claim.reason),
    ...indented(describeMeasured(claim)),
  ];
}

/** Only what was decided: the first lines, which say why, have scrolled away by now. */
function renderVerdict({ id, verdict }: ClaimResult, style: Style): string {
  return style(['bold', verdictColours[verdict]], toOneLine(`${id} ${verdict} (see above)`));
}

function sayUntested(claims: readonly ClaimResult[]): string {
  return `Not tested by this run: ${formatIds(claims.map(({ id }) => toOneLine(id)))} (report.md says why).`;
}

function renderTables(scenarios: readonly ScenarioResult[], style: Style): string[][] {
  const pairs = new Map(pairWithOnePool(scenarios).map(pair => [pair.several, pair]));
  return groupBySetting(scenarios).map(group => [
    ...wrapText(toOneLine(group.heading), width).map(line => style('bold', line)),
    ...renderTable(group.scenarios, pairs, style),
  ]);
}

function renderTable(
  scenarios: readonly ScenarioResult[],
  pairs: ReadonlyMap<ScenarioResult, Pair>,
  style: Style,
): string[] {
  const sorted = scenarios.toSorted(
    (a, b) => a.workers - b.workers || a.pools - b.pools || a.threads - b.threads,
  );
  const rows = sorted.map(scenario => renderRow(scenario, pairs.get(scenario)));
  const head = ['workers', 'pools', 'ops/s', 'to 1 pool', 'p99 ms', 'limit'];
  const flushRight = [true, true, false, false, true, false];
  // Nothing to compare with: no column for it.
  const compared = scenarios.some(scenario => pairs.has(scenario));
  const shown = <T>(cells: readonly T[]) => cells.filter((_, column) => compared || column !== ratioColumn);
  const [heading = '', ...lines] = alignColumns([head, ...rows].map(shown), shown(flushRight));
  return [
    style('dim', heading),
    ...lines.map((line, index) => {
      const [cell = ''] = rows[index]?.slice(ratioColumn) ?? [];
      const ratio = pairs.get(sorted[index] as ScenarioResult)?.throughput.ratio;
      const colour = ratio == null ? undefined : ratioColour(ratio);
      return colour === undefined ? line : line.replace(cell, style(colour, cell));
    }),
  ];
}

/** Of what is clear of the bounds within which nothing is worth a change. */
function ratioColour({ low, high }: Interval): Format | undefined {
  if (low > clearlyMore) return 'green';
  return high < clearlyLess ? 'red' : undefined;
}

function renderRow(scenario: ScenarioResult, pair: Pair | undefined): string[] {
  const { summary, pools, threads } = scenario;
  return [
    String(scenario.workers),
    // A pool has a thread of its own unless the row says otherwise.
    threads === pools ? String(pools) : `${pools} on ${threads}`,
    formatInterval(summary?.opsPerSecond ?? null, formatRate),
    pair === undefined ? '' : formatRatioInterval(pair.throughput.ratio),
    summary?.responseP99 ? formatMs(summary.responseP99.median) : nothing,
    scenario.limitedBy.resource,
  ];
}

function renderFailures(scenarios: readonly ScenarioResult[], style: Style): string[] {
  const rounds = scenarios.flatMap(scenario => scenario.rounds);
  const { issued, unfinished } = accountOf(rounds);
  const counts = Object.entries(sumByCode(rounds.map(round => round.failed)))
    .concat(unfinished > 0 ? [['unfinished', unfinished]] : [])
    .filter(([, count]) => count > 0);
  if (counts.length === 0) return [];
  const lost = counts.reduce((sum, [, count]) => sum + count, 0);
  const byCode = counts.map(([code, count]) => `${formatCount(count)} ${toOneLine(code)}`).join(', ');
  const share = `${formatShare(lost / issued)} of ${formatCount(issued)} operations`;
  return wrapText(`Failed: ${byCode} (${share}).`, width).map(line => style('red', line));
}
