import type { ComparedScenario, ResultComparison, SideRatios } from '../../comparison/schema.ts';
import { type ComparedRow, comparedMetrics } from '../../stats/metrics.ts';
import { capitalise, excludesNothing, formatPlural } from '../../text/format.ts';
import { describeTarget } from '../../text/target-words.ts';
import { alerts, type Block, details, heading, list, note, paragraph, section, strong } from '../blocks.ts';
import {
  caveatOfRatio,
  comparedTable,
  describeAlarms,
  describeOutcomes,
  describeRatios,
  describeTitle,
  fairnessTable,
  sidesTable,
} from '../documents/comparison.ts';
import { describeGates, gateAlerts, gateTable } from '../documents/gates.ts';
import { controlBlocks, splitClaims } from '../documents/parts.ts';
import { describeThresholds } from '../documents/thresholds.ts';
import { chartedMetrics } from '../figure-columns.ts';
import type { MarkedInterval } from '../marks.ts';
import type { Strip, StripMark } from './charts/strip-chart.ts';
import { figureStrips, ratioStrips } from './charts/strip-chart.ts';
import { renderPage } from './page.ts';
import { thresholdDetails } from './report-page.ts';
import { verdictBlocks } from './sections/verdicts.ts';

/** A comparison as the text of `comparison.html`: one file that fetches nothing. */
export function renderComparisonPage(comparison: ResultComparison): string {
  const { tested, untested } = splitClaims(comparison.claims);
  const alarms = alertsOf(comparison);
  return renderPage({
    brand: 'poolbench comparison',
    title: `${describeTitle(comparison)} – poolbench`,
    blocks: [
      ...alarms,
      ...headOf(comparison),
      ...section('Gates', gateDetails(comparison)),
      ...section('Verdicts', verdictBlocks(tested, untested, [])),
      ...section('Differences', differences(comparison)),
      ...section('Is it fair?', [fairnessTable(worstFirst(comparison))]),
      ...section('Side by side', figureCharts(comparison)),
      ...section('Thresholds', thresholdDetails(comparison.thresholds)),
      ...section('Sides', [sidesTable(comparison.sides), ...noteDetails(comparison)]),
      ...alarms,
    ],
    footer: 'All figures are from the runs’ result.json. comparison.md has the same as text.',
  });
}

function alertsOf(comparison: ResultComparison): Block[] {
  const { scenarios, thresholds } = comparison;
  return alerts([
    ...describeAlarms(comparison),
    scenarios.length === 0 ? 'NOTHING TO COMPARE: no scenario was measured on two sides.' : null,
    thresholds.some(({ crossed }) => crossed) ? describeThresholds(thresholds) : null,
  ]);
}

function gateDetails({ gates }: ResultComparison): Block[] {
  if (gates.length === 0) return [];
  return [
    ...alerts(gateAlerts(gates)),
    details(`${describeGates(gates)}.`, [gateTable(gates)], { open: true }),
  ];
}

function headOf(comparison: ResultComparison): Block[] {
  const { sides, scenarios, checks } = comparison;
  const unequal = checks.filter(({ state }) => state === 'not ok').length;
  return [
    heading(1, describeTitle(comparison)),
    ...sides.map(({ name, target }) => paragraph([strong(name), ` ${describeTarget(target)}`])),
    list([
      formatPlural(scenarios.length, 'scenario'),
      `${unequal === 0 ? 'no' : unequal} unequal ${unequal === 1 ? 'condition' : 'conditions'}`,
    ]),
  ];
}

/** More rows than this are a table, not a chart. */
const maxRows = 60;

/** Ratios of every scenario to the first side, and their reliability. */
function differences(comparison: ResultComparison): Block[] {
  const { scenarios, sides } = comparison;
  if (scenarios.length === 0) return [];
  const first = sides[0]?.name ?? '';
  const chart = ({ name, ratioKey, summaryKey, better }: ComparedRow) => {
    const rows = rowsOf(comparison, ({ ratios, caveats }) => {
      const ratio = ratios?.[ratioKey] ?? null;
      return ratio === null || excludesNothing(ratio)
        ? null
        : { ...ratio, caveat: caveatOfRatio(caveats?.[summaryKey]) };
    });
    return ratioStrips({
      title: `${capitalise(name)}, to ${first}`,
      how: `ratios with their intervals, logarithmic: right of the line is ${better === 'more' ? 'more' : 'slower'}${describeRest(rows)}`,
      rows: rows.slice(0, maxRows),
      legend: sides.slice(1).map(({ name }, index) => ({ name, look: index + 1 })),
    });
  };
  return [
    ...describeOutcomes(comparison).map(sentence => paragraph(sentence)),
    ...sides.flatMap(side => controlBlocks(side, side.name)),
    note(describeRatios(comparison).join(' ')),
    ...comparedMetrics.flatMap(chart),
    details('Table: all scenarios', [comparedTable(scenarios)]),
  ];
}

/** All sides on the same axis. */
function figureCharts(comparison: ResultComparison): Block[] {
  const legend = comparison.sides.map(({ name }, look) => ({ name, look }));
  return chartedMetrics.flatMap(({ name, kind, summaryKey }) => {
    const rows = rowsOf(comparison, side => {
      const interval = side[summaryKey] ?? null;
      return interval && { ...interval, caveat: side.caveats?.[summaryKey] ?? null };
    });
    return figureStrips(
      {
        title: `${capitalise(name)} of each side`,
        how: `medians with their intervals, logarithmic${describeRest(rows)}`,
        rows: rows.slice(0, maxRows),
        legend,
      },
      kind,
    );
  });
}

type Side = ComparedScenario['sides'][number] & { readonly ratios: SideRatios | null };

/** A row for each scenario, with a mark for each side that has the figure. */
function rowsOf(
  { scenarios, sides }: ResultComparison,
  figure: (side: Side) => MarkedInterval | null,
): Strip[] {
  return scenarios.flatMap(({ id, sides: found, notes }): Strip[] => {
    const marks = sides.flatMap(({ name }, look): StripMark[] => {
      const side = found.find(one => one.side === name);
      const value = side === undefined ? null : figure(side);
      return value === null || value.median <= 0 ? [] : [{ name, look, ...value }];
    });
    const limits = found.map(({ side, limitedBy }) => `${side} limited by ${limitedBy.resource}`);
    return marks.length === 0 ? [] : [{ label: id, marks, notes: [...limits, ...notes] }];
  });
}

function describeRest({ length }: readonly Strip[]): string {
  return length > maxRows ? `; the first ${maxRows} of ${length}, the table has all` : '';
}

/** What is unequal comes first. */
function worstFirst({ checks, sides }: ResultComparison): Pick<ResultComparison, 'checks' | 'sides'> {
  const order = ['not ok', 'unknown', 'ok'];
  return { sides, checks: checks.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state)) };
}

function noteDetails({ scenarios }: ResultComparison): Block[] {
  const notes = scenarios.flatMap(({ id, notes }) => notes.map(text => ({ label: id, text })));
  return notes.length === 0 ? [] : [details(`Notes on single scenarios: ${notes.length}`, [list(notes)])];
}
