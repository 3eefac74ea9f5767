import type {
  ComparedScenario,
  FairnessCheck,
  ResultComparison,
  SideRatios,
} from '../../comparison/schema.ts';
import type { Caveat, Interval } from '../../result.ts';
import { type ComparedRow, comparedMetrics, pooledTails } from '../../stats/metrics.ts';
import { falseVerdictChance, minRounds } from '../../stats/sign-test.ts';
import { sumOf } from '../../stats/statistics.ts';
import {
  excludesNothing,
  formatConfidence,
  formatInterval,
  formatList,
  formatPlural,
  formatRatio,
  formatRatioInterval,
  nothing,
} from '../../text/format.ts';
import { describeTarget, targetBanners } from '../../text/target-words.ts';
import {
  alerts,
  type Block,
  badge,
  type Column,
  figures,
  heading,
  type Item,
  list,
  narrow,
  only,
  paragraph,
  section,
  strong,
  type Table,
  type Tone,
  table,
  wide,
  words,
} from '../blocks.ts';
import { headOf, isNamedByUnit } from '../figure-columns.ts';
import { withMark, withMedianMarked } from '../marks.ts';
import { untestedTable } from '../result-tables.ts';
import { gateBlocks } from './gates.ts';
import { claimBlocks, controlBlocks, splitClaims } from './parts.ts';
import { thresholdBlocks } from './thresholds.ts';

/** The sentences of every rendering of a comparison. Foreign text is unchanged. */

/** "redis against valkey". */
export function describeTitle({ sides }: ResultComparison): string {
  const [first, ...others] = sides.map(({ name }) => name);
  return `${formatList(others)} against ${first ?? 'nothing'}`;
}

/** Alerts: another server stood in, a certificate was not checked, the run ended early. */
export function describeAlarms({ sides, complete }: ResultComparison): string[] {
  return [
    ...sides.flatMap(({ name, target }) => targetBanners({ target }).map(banner => `${banner} (${name})`)),
    ...(complete ? [] : ['INCOMPLETE: not every side was measured to its end.']),
  ];
}

/**
 * For each side except the first: in how many scenarios its throughput is higher, lower, or not clearly different; and
 * how many of those outcomes could be due to chance alone.
 */
export function describeOutcomes(comparison: ResultComparison): string[] {
  const [{ name: first = '' } = {}, ...others] = comparison.sides;
  return others.map(({ name, paired }) => {
    const ratios = ratiosOf(comparison, name);
    const count = (outcome: ReturnType<typeof outcomeOf>) =>
      formatPlural(ratios.filter(one => outcomeOf(one) === outcome).length, 'scenario');
    if (ratios.length === 0) return `${name}: no scenario in common with ${first}.`;
    if (ratios.every(({ rounds }) => rounds < minRounds))
      return `Whether ${name} and ${first} differ cannot be shown: that needs ${minRounds} rounds on both sides.`;
    return (
      `${name} has more throughput than ${first} in ${count('more')}, ` +
      `less in ${count('less')}, and no clear difference in ${count('unclear')}${describeExcluded(ratios)}.${describeLuck(ratios, paired === true)}`
    );
  });
}

/** The difference that all scenarios without a clear difference exclude: that is their answer. Few rounds exclude none. */
function describeExcluded(ratios: readonly SideRatios[]): string {
  const undecided = ratios.filter(one => outcomeOf(one) === 'unclear');
  if (undecided.some(({ rounds }) => rounds < minRounds)) return '';
  const unclear = undecided.flatMap(({ throughput }) => throughput ?? []);
  const most = Math.max(...unclear.map(({ high }) => high));
  const least = Math.min(...unclear.map(({ low }) => low));
  return unclear.length > 0 && least > 0 && Number.isFinite(most)
    ? ` (less than ${formatRatio(least)} and more than ${formatRatio(most)} are excluded there)`
    : '';
}

/** How the ratios were made, and the coverage of their intervals. */
export function describeRatios(comparison: ResultComparison): string[] {
  const [first, ...others] = comparison.sides;
  return others.flatMap(({ name, paired }) => {
    const ratios = ratiosOf(comparison, name);
    if (ratios.length === 0) return [];
    const covering = ratios.map(({ coverage }) => coverage).filter(coverage => coverage > 0);
    const how = paired
      ? 'are paired within each round'
      : `come from separate runs${covering.length === 0 ? '' : ', so each interval covers those of both'}`;
    const few = ratios.some(({ rounds }) => rounds < minRounds)
      ? `; with fewer than ${minRounds} common rounds, no difference can be shown`
      : '';
    const none = ratios.every(({ rounds }) => rounds === 1)
      ? 'one round has no interval'
      : 'there are too few rounds for an interval';
    const worth =
      covering.length === 0
        ? `${none}, so no ratio is shown`
        : `brackets show their ${formatConfidence(Math.min(...covering))}`;
    return `Ratios of ${name} to ${first?.name ?? ''} ${how}; ${worth}${few}.`;
  });
}

/** Of the scenarios that this side and the first have measured. */
function ratiosOf({ scenarios }: Pick<ResultComparison, 'scenarios'>, name: string): SideRatios[] {
  return scenarios.flatMap(({ sides }) => sides.find(({ side }) => side === name)?.ratios ?? []);
}

/**
 * The max mean number of intervals that would exclude 1 by chance if nothing differed. For pairs within rounds this
 * follows from the sign test on either side of 1; for separate runs, from the probability that an interval misses the
 * true ratio.
 */
function describeLuck(ratios: readonly SideRatios[], paired: boolean): string {
  const decidable = ratios.filter(isDecidable);
  if (decidable.length === 0) return '';
  const expected = sumOf(decidable, ({ coverage }) => (paired ? falseVerdictChance(2) : 1 - coverage));
  const drift = paired ? '' : ', and drift between the runs more';
  return ` If nothing differed, chance alone would put up to ${Number(expected.toPrecision(2))} of ${formatPlural(decidable.length, 'interval')} above or below ×1${drift}.`;
}

/** Whether there are enough rounds to tell the sides apart. */
function isDecidable({ throughput, rounds }: SideRatios): boolean {
  return throughput !== null && rounds >= minRounds;
}

function outcomeOf(ratios: SideRatios): 'more' | 'less' | 'unclear' {
  const { throughput } = ratios;
  if (throughput === null || !isDecidable(ratios)) return 'unclear';
  if (throughput.low > 1) return 'more';
  return throughput.high < 1 ? 'less' : 'unclear';
}

/** Room in a terminal for a side's name next to three ratios with their intervals. */
const nameWidth = 18;

/** Results side by side: what differs, and whether the comparison is fair. */
export function comparisonDocument(comparison: ResultComparison): Block[] {
  const { sides, scenarios, checks } = comparison;
  const { tested, untested } = splitClaims(comparison.claims);
  const alarms = alerts(describeAlarms(comparison));
  const title = describeTitle(comparison);
  return [
    ...only(wide, [heading(1, title)]),
    ...alarms,
    ...gateBlocks(comparison.gates),
    ...thresholdBlocks(comparison.thresholds),
    ...only(narrow, [
      paragraph([strong(title)]),
      list(sides.map(({ name, target }) => `${name}: ${describeTarget(target)}`)),
    ]),
    ...tested.flatMap(claimBlocks),
    ...describeOutcomes(comparison).map(sentence => paragraph(sentence)),
    ...sides.flatMap(side => controlBlocks(side, side.name)),
    ...only(wide, [
      ...section('Not tested', untested.length === 0 ? [] : [untestedTable(untested)]),
      heading(2, 'Sides'),
      sidesTable(sides),
      heading(2, 'Scenarios'),
    ]),
    ...(scenarios.length === 0 ? [] : [comparedTable(scenarios)]),
    paragraph(
      [
        ...describeRatios(comparison),
        '× marks a ratio to the first side; figures without it are medians over the rounds.',
      ].join(' '),
    ),
    ...only(wide, noteBlocks(scenarios)),
    heading(2, 'Is it fair?'),
    ...only(wide, [fairnessTable(comparison)]),
    ...only(narrow, [list(checks.map(check => checkItem(check, sides)))]),
    ...alarms,
  ];
}

export function sidesTable(sides: ResultComparison['sides']): Table {
  return table(sides, [
    words('side', side => side.name),
    words('server', side => describeTarget(side.target)),
    words('declared', ({ target }) => `${target.declared.server} at ${target.declared.url}`),
    words('stand-in', ({ target }) => (target.standIn ? 'yes' : 'no')),
    words('time', side => `${side.startedAt} to ${side.finishedAt}`),
  ]);
}

/** One scenario on one side. */
type SideRow = ComparedScenario['sides'][number] &
  Pick<ComparedScenario, 'id' | 'notes'> & { readonly index: number; readonly isLast: boolean };

/** Every scenario on every side. A terminal has the ratios where the first side has its figures. */
export function comparedTable(scenarios: readonly ComparedScenario[]): Table {
  const rows = scenarios.flatMap(({ id, notes, sides }) =>
    sides.map((side, index): SideRow => ({ ...side, id, notes, index, isLast: index === sides.length - 1 })),
  );
  const id = ({ id, index }: SideRow) => (index === 0 ? id : '');
  return table<SideRow>(rows, [
    words('', id, { on: narrow, ownLine: 'above' }),
    words('scenario', id, { on: wide }),
    words('side', ({ side }) => side, {
      terminal: { name: '', cell: ({ side, index }) => shortName(side, index) },
    }),
    ...comparedMetrics.flatMap(figureAndRatio),
    ...(rows.some(row => typeof row[pooledKey] === 'number') ? [pooledColumn] : []),
    ...comparedMetrics.map(digestColumn),
    words('limited by', ({ limitedBy }) => limitedBy.resource, { on: wide }),
    figures('rounds', ({ ratios }) => ratios?.rounds ?? '', { on: wide }),
    words('', ({ isLast, notes }) => (isLast ? [{ text: notes.join('; '), tone: 'warning' }] : ''), {
      on: narrow,
      ownLine: 'below',
    }),
  ]);
}

const { summaryKey: pooledKey, kind: pooledKind } = pooledTails.responseP99;

/** Left out of a digest to make room for the ratios. */
const pooledColumn = figures<SideRow>(
  headOf(pooledTails.responseP99),
  ({ [pooledKey]: value = null, caveats }) =>
    value === null ? nothing : withMark(pooledKind.formatNumber(value), caveats?.[pooledKey]),
  { on: wide },
);

/** Of a ratio of figures with a caveat. It has no mark for a lower bound: it is open on the side that is not known. */
export function caveatOfRatio(caveat: Caveat | undefined): Caveat | null {
  return caveat === undefined || caveat === 'lower bound' ? null : 'worst stall';
}

function formatRatioOf(ratio: Interval | null = null, caveat?: Caveat): string {
  return withMedianMarked(formatRatioInterval(ratio), caveatOfRatio(caveat));
}

function figureAndRatio(metric: ComparedRow): Column<SideRow>[] {
  const { kind, name, short, summaryKey, ratioKey } = metric;
  return [
    figures(
      headOf(metric),
      row =>
        withMedianMarked(
          formatInterval(row[summaryKey] ?? null, kind.formatNumber),
          row.caveats?.[summaryKey],
        ),
      { on: wide },
    ),
    figures(
      isNamedByUnit(metric) ? name : short,
      ({ ratios, caveats }) =>
        ratios === null ? '' : formatRatioOf(ratios[ratioKey], caveats?.[summaryKey]),
      { on: wide },
    ),
  ];
}

/** The ratio to the first side, or the median where there is none: on the first side, and if it would exclude nothing. */
function digestColumn(metric: ComparedRow): Column<SideRow> {
  const { kind, name, short, summaryKey, ratioKey } = metric;
  const [head, format] = isNamedByUnit(metric) ? [short, kind.formatNumber] : [name, kind.format];
  return words(
    head,
    row => {
      const ratio = row.ratios?.[ratioKey] ?? null;
      // The figures have the marks; next to three ratios there is no room for them.
      if (ratio !== null && !excludesNothing(ratio)) return formatRatioInterval(ratio);
      const interval = row[summaryKey] ?? null;
      return interval === null ? nothing : withMark(format(interval.median), row.caveats?.[summaryKey]);
    },
    { on: narrow },
  );
}

/** Two long names that begin alike are distinguished by their position. */
function shortName(name: string, index: number): string {
  const place = `…${index + 1}`;
  return name.length <= nameWidth ? name : `${name.slice(0, nameWidth - place.length)}${place}`;
}

const stateTones = { ok: 'good', 'not ok': 'bad', unknown: 'unknown' } as const satisfies Record<
  FairnessCheck['state'],
  Tone
>;

export function fairnessTable({ checks, sides }: Pick<ResultComparison, 'checks' | 'sides'>): Table {
  return table(checks, [
    words('', ({ state }) => [badge(state, stateTones[state])]),
    words('what', ({ name }) => name),
    ...sides.map(({ name }, index) => words<FairnessCheck>(name, ({ values }) => values[index] ?? '')),
    words('note', ({ note }) => note),
  ]);
}

function checkItem({ name, state, values, note }: FairnessCheck, sides: ResultComparison['sides']): Item {
  const found = values.every(value => value === values[0])
    ? (values[0] ?? '')
    : values.map((value, index) => `${sides[index]?.name ?? ''}: ${value}`).join('; ');
  const text = `${name}: ${found}${note === '' ? '' : ` (${note})`}`;
  return { label: state, text, ...(state === 'ok' ? {} : { tone: 'warning' }) };
}

function noteBlocks(scenarios: readonly ComparedScenario[]): Block[] {
  const notes = scenarios.flatMap(({ id, notes }) => notes.map(note => `${id}: ${note}`));
  return section('Notes on single scenarios', notes.length === 0 ? [] : [list(notes)]);
}
