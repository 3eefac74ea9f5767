import { describeBounded } from '../../claims/judging/reason.ts';
import { findFlaw } from '../../claims/judging/soundness.ts';
import type { ClaimResult, Comparison, Result, ScenarioResult } from '../../result.ts';
import { describePair } from '../../scenario/setting.ts';
import { accountOf, sumByCode } from '../../stats/accounting.ts';
import { findControlFlaw, withoutControls } from '../../stats/control.ts';
import { p99, throughput } from '../../stats/measures.ts';
import { describeOutliers } from '../../stats/outliers.ts';
import { loadsOf } from '../../stats/populations.ts';
import { hasCompleted, hasDue, pairByRound, plannedRounds } from '../../stats/rounds.ts';
import { changeOf, sumOf } from '../../stats/statistics.ts';
import { warningsOf } from '../../stats/warnings.ts';
import {
  formatCount,
  formatFraction,
  formatPlural,
  formatRatioInterval,
  formatSureEnd,
} from '../../text/format.ts';
import { describeTarget, targetBanners } from '../../text/target-words.ts';
import { accountingBlocks } from '../accounting-table.ts';
import {
  alerts,
  type Block,
  code,
  codeSpan,
  details,
  heading,
  list,
  narrow,
  note,
  only,
  paragraph,
  type Span,
  section,
  strong,
  wide,
} from '../blocks.ts';
import { commandNote, commandRows, commandTable } from '../command-table.ts';
import { deliveryBlocks } from '../delivery-table.ts';
import { hostBlocks } from '../host-table.ts';
import {
  hysteresisBlocks,
  isOpen,
  loadNote,
  loadTable,
  loadTables,
  recordingBlocks,
  stageBlocks,
} from '../load-tables.ts';
import { populationBlocks } from '../population-table.ts';
import {
  hasInterval,
  judgedNote,
  judgedTable,
  limitTable,
  outlierBlocks,
  poolNote,
  poolTable,
  ratioNote,
  resultNote,
  resultTable,
  settingTables,
  threadBlocks,
  timeSplitBlocks,
  untestedTable,
} from '../result-tables.ts';
import { scriptBlocks } from '../script-table.ts';
import { serverBlocks, serverTitle } from '../server-tables.ts';
import {
  claimBlocks,
  configCode,
  controlBlocks,
  environmentBlocks,
  splitClaims,
  warningBlocks,
} from './parts.ts';
import { describeUnjudged, thresholdBlocks } from './thresholds.ts';

/** Max scenarios whose commands a terminal lists: nobody reads a table that has scrolled away. */
const maxCommandTables = 3;
/** Max comparisons that a terminal lists. */
const maxComparisons = 8;

/** A result: the report, of which a terminal shows a digest with the verdicts in words and a table for each client. */
export function resultDocument(result: Result): Block[] {
  const { name, target, claims } = result;
  const scenarios = withoutControls(result);
  const { tested, untested } = splitClaims(claims);
  const banners = targetBanners(result);
  const unjudged = describeUnjudged(result);
  return [
    ...only(wide, [heading(1, name)]),
    ...alerts([...banners, describeShortfall(result)]),
    ...budgetBlocks(result),
    ...thresholdBlocks(result.thresholds),
    ...(unjudged === null ? [] : [paragraph(unjudged, 'warning')]),
    ...controlBlocks(result),
    ...comparedBlocks(result),
    ...tested.flatMap(claimBlocks),
    ...only(narrow, [paragraph([strong(`${name}, measured on ${describeTarget(target)}`)])]),
    ...environmentBlocks(result, `, seed ${result.seed}`),
    ...resultBlocks(result),
    ...recordingBlocks(result),
    ...loadBlocks(scenarios),
    ...populationBlocks(scenarios),
    ...only(wide, claims.flatMap(judgedBlocks)),
    ...only(wide, [
      heading(2, 'What limited each scenario'),
      limitTable(scenarios),
      ...threadBlocks(scenarios),
    ]),
    ...hostBlocks(result),
    ...only(wide, section('Where the time goes', timeSplitBlocks(scenarios))),
    ...only(wide, section(serverTitle, serverBlocks(result.serverSeries))),
    ...commandBlocks(scenarios),
    ...scriptBlocks(scenarios),
    ...deliveryBlocks(scenarios),
    ...only(narrow, failureBlocks(scenarios)),
    ...only(narrow, [paragraph(describeOutliers(result) ?? '')]),
    ...only(wide, section('Outliers', outlierBlocks(result))),
    ...only(wide, [
      heading(2, 'Pools'),
      note(poolNote),
      poolTable(scenarios),
      heading(2, 'Accounting'),
      ...accountingBlocks(scenarios),
    ]),
    ...warningBlocks(warningsOf(result)),
    ...only(wide, [
      ...section('Not tested by this run', untested.length === 0 ? [] : [untestedTable(untested)]),
      ...repeatBlocks(result),
    ]),
    ...only(narrow, verdictBlocks(tested, scenarios)),
    ...alerts(banners),
  ];
}

/** The answers of a run without claims. */
function comparedBlocks(result: Result): Block[] {
  const items = describeComparisons(result);
  if (items.length === 0) return [];
  const left = items.length - maxComparisons;
  return [
    ...only(narrow, [
      list(items.slice(0, maxComparisons)),
      ...(left > 0 ? [paragraph(`${formatPlural(left, 'more comparison')} in report.md.`)] : []),
    ]),
    ...only(wide, [
      heading(2, 'What was compared'),
      list(items),
      ...ratioBlocks(result.comparisons, ratioNote),
    ]),
  ];
}

/** The finding of each comparison of a run without claims, or why it decides nothing. */
export function describeComparisons(result: Pick<Result, 'comparisons' | 'control' | 'scenarios'>): string[] {
  const flawOfRun = findControlFlaw(result.control);
  const scenarios = new Map(withoutControls(result).map(scenario => [scenario.id, scenario]));
  return result.comparisons.flatMap(comparison => {
    const [base, other] = [scenarios.get(comparison.base), scenarios.get(comparison.other)];
    if (base === undefined || other === undefined) return [];
    const measure = comparison.measure === p99.name ? p99 : throughput;
    const { series } = pairByRound(base, other, measure);
    const arms = [base, other];
    const flaw = flawOfRun ?? findFlaw([{ arms, series, measure }]);
    const found = describeCompared(comparison, flaw, describeBounded({ arms, measure }));
    return [`${describePair(base, other)}: ${found}${describeClientCpu(base, other)}`];
  });
}

const findings = {
  more: 'clearly more',
  less: 'clearly less',
  same: 'the same within 5 %',
} as const;

/** The cost of both clients; empty if they are the same, or if it was not measured. */
function describeClientCpu(base: ScenarioResult, other: ScenarioResult): string {
  const [before, now] = [base, other].map(({ summary }) => summary?.clientMicrosPerOp?.median);
  if (base.client === other.client || before === undefined || now === undefined) return '';
  return `; client CPU per operation: ${other.client} ${now.toFixed(1)} µs, ${base.client} ${before.toFixed(1)} µs`;
}

/**
 * "throughput ×1.32 [1.20, 1.45]: clearly more", "response p99 ×2.40 [2.10, ∞]: clearly more, at least ×2.10; in 8 of
 * 10 rounds, …".
 *
 * @param flaw why the figures are no ground for a verdict, as a clause; null if they are one
 * @param bounded which figures are only bounds, as clauses
 */
function describeCompared(comparison: Comparison, flaw: string | null, bounded: readonly string[]): string {
  const { measure, ratio } = comparison;
  const figure = hasInterval(comparison) ? ` ${formatRatioInterval(ratio)}` : '';
  if (flaw !== null) return `${measure}${figure}: this decides nothing, because ${flaw}`;
  const change = changeOf(ratio);
  const finding =
    change !== null
      ? findings[change]
      : figure === ''
        ? 'still open; nothing is excluded'
        : 'still open; only what lies outside the brackets is excluded';
  const sure = bounded.length === 0 ? null : formatSureEnd(ratio);
  return [`${measure}${figure}: ${finding}${sure === null ? '' : `, ${sure}`}`, ...bounded].join('; ');
}

/** The last lines in a terminal, because the first ones have scrolled away by then. */
function verdictBlocks(claims: readonly ClaimResult[], scenarios: readonly ScenarioResult[]): Block[] {
  const judged = claims.filter(({ verdict }) => verdict !== 'not tested');
  if (judged.length === 0 || !scenarios.some(hasCompleted)) return [];
  const verdicts = judged.map(({ id, verdict }, index): (string | Span)[] => [
    index === 0 ? 'Verdicts: ' : ', ',
    { text: `${id} ${verdict}`, tone: verdict, strong: true },
  ]);
  return [paragraph([...verdicts.flat(), '.'])];
}

function resultBlocks(result: Result): Block[] {
  const scenarios = withoutControls(result);
  const closed = scenarios.filter(scenario => !isOpen(scenario));
  const digest = settingTables(closed);
  return [
    ...only(wide, [
      heading(2, 'Results'),
      note(resultNote(scenarios, { ended: result.ended })),
      resultTable(scenarios),
    ]),
    ...only(
      narrow,
      closed.length === 0 ? [] : [...digest, note(resultNote(closed, { digest, ended: result.ended }))],
    ),
  ];
}

/** Open loops: a curve for each setting; if rates went up and down, the difference between the directions. */
function loadBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const tables = loadTables(scenarios);
  if (tables.length === 0) return [];
  return [
    ...only(wide, [heading(2, 'Latency against load'), note(loadNote)]),
    ...tables.flatMap(one => [loadTable(one), ...stageBlocks(one), ...hysteresisBlocks(one)]),
  ];
}

function judgedBlocks({ id, comparisons }: ClaimResult): Block[] {
  return section(`The ratios behind ${id}`, ratioBlocks(comparisons, judgedNote));
}

/** Those that have an interval; nothing without any. */
function ratioBlocks(comparisons: readonly Comparison[], how: string): Block[] {
  const shown = comparisons.filter(hasInterval);
  return shown.length === 0 ? [] : [note(how), judgedTable(shown)];
}

/** Each command of a mix; nothing if no scenario has several. */
function commandBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = commandRows(scenarios);
  if (rows.length === 0) return [];
  const ids = [...new Set(rows.map(({ id }) => id))];
  const left = ids.length - maxCommandTables;
  return [
    ...only(wide, [heading(2, 'Commands'), note(commandNote), commandTable(rows)]),
    ...only(narrow, [
      ...ids.slice(0, maxCommandTables).map(id =>
        commandTable(
          rows.filter(row => row.id === id),
          `Commands of ${id}`,
        ),
      ),
      ...(left > 0 ? [paragraph(`Commands of ${left} more in report.md.`)] : []),
    ]),
  ];
}

function failureBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rounds = scenarios.flatMap(loadsOf).flatMap(load => load.rounds);
  const { issued, unfinished } = accountOf(rounds);
  const counts = [
    ...Object.entries(sumByCode(rounds.map(round => round.failed))),
    ['unfinished', unfinished] as const,
  ].filter(([, count]) => count > 0);
  if (counts.length === 0) return [];
  const lost = sumOf(counts, ([, count]) => count);
  const byCode = counts.map(([code, count]) => `${formatCount(count)} ${code}`).join(', ');
  return [
    paragraph(
      `Failed: ${byCode} (${formatFraction(lost / issued)} of ${formatCount(issued)} operations).`,
      'bad',
    ),
  ];
}

/** The command that repeats the run, and its config, including the seed: both to copy. */
export function repeatBlocks({ name, config, seed }: Pick<Result, 'name' | 'config' | 'seed'>): Block[] {
  const file = fileName(name);
  return [
    heading(2, 'Run it again'),
    paragraph([
      'Save the config as ',
      codeSpan(file),
      ` (add the password to the URL, if there is one); its seed is ${seed}. Then:`,
    ]),
    code('sh', 'The command', [`npm start -- ${file}`]),
    ...only(['markdown'], [configCode(config)]),
    ...only(['html'], [details('The config, every key with its value', [configCode(config)])]),
  ];
}

/** The file name that a report suggests for the config; never mistaken for an option. */
function fileName(name: string): string {
  return `${name.replace(/[^\w.-]+/g, '-').replace(/^-+/, '') || 'experiment'}.json`;
}

/** Says that a run was ended by its budget: more time could have decided more. */
function budgetBlocks({ ended, scenarios }: Pick<Result, 'ended' | 'scenarios'>): Block[] {
  if (ended !== 'budget') return [];
  const rounds = Math.max(0, ...scenarios.map(scenario => scenario.rounds.length));
  const limit = Math.max(0, ...scenarios.map(scenario => plannedRounds(scenario).atMost));
  const text = `The run ended after ${formatPlural(rounds, 'round')} because its time budget was used up. A larger one (--budget, or budgetSeconds of a config) may decide what is still open, within the limit of ${formatPlural(limit, 'round')} (--rounds).`;
  return [paragraph(text, 'warning')];
}

/** The alert for a run that is incomplete or measured nothing; null if it is complete. */
export function describeShortfall({
  complete,
  scenarios,
}: Pick<Result, 'complete' | 'scenarios'>): string | null {
  const measured = scenarios.filter(scenario => scenario.rounds.length > 0);
  if (measured.length === 0) {
    return complete
      ? 'NOTHING MEASURED: no round of any scenario was finished.'
      : 'INCOMPLETE: the run ended early, before any round of a scenario was finished.';
  }
  if (!complete) {
    const rounds = scenarios.map(scenario => scenario.rounds.length);
    const min = Math.min(...rounds);
    const max = Math.max(...rounds);
    const had = min === max ? formatPlural(max, 'round') : `${min} to ${formatPlural(max, 'round')}`;
    return `INCOMPLETE: the run ended early; these are its figures so far, of ${had} per scenario.`;
  }
  if (!measured.some(hasCompleted)) {
    return measured.some(hasDue)
      ? 'NOTHING COMPLETED: every operation failed or stayed unanswered.'
      : 'NOTHING WAS DUE: no operation was scheduled in the measured time.';
  }
  return null;
}
