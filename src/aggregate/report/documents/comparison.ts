import type { ComparedScenario, FairnessCheck, ResultComparison } from '../../comparison/schema.ts';
import { describeAlarms, describeOutcomes, describeRatios, describeTitle } from '../../comparison/words.ts';
import type { Interval } from '../../result.ts';
import { describeUntested, splitClaims } from '../../text/claim-words.ts';
import { formatMs, formatRate, formatRatioInterval, nothing } from '../../text/format.ts';
import { describeTarget } from '../../text/target-words.ts';
import {
  alert,
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
  strong,
  type Table,
  type Tone,
  table,
  wide,
  words,
} from '../blocks.ts';
import { intervalColumn } from '../figure-columns.ts';
import { claimBlocks } from './parts.ts';
import { thresholdBlocks } from './thresholds.ts';

/** So much is left in a terminal for a side's name beside three ratios with their intervals. */
const nameWidth = 18;

/** Results side by side: what differs, and whether the comparison is fair. */
export function comparisonDocument(comparison: ResultComparison): Block[] {
  const { sides, scenarios, checks } = comparison;
  const { told, silent } = splitClaims(comparison.claims, { atLeast: 0 });
  const untested = describeUntested(silent);
  const alarms = describeAlarms(comparison).map(alarm => alert(alarm));
  const title = describeTitle(comparison);
  return [
    ...only(wide, [heading(1, title)]),
    ...alarms,
    ...thresholdBlocks(comparison.thresholds),
    ...only(narrow, [
      paragraph([strong(title)]),
      list(sides.map(({ name, target }) => `${name}: ${describeTarget(target)}`)),
    ]),
    ...told.flatMap(claimBlocks),
    ...describeOutcomes(comparison).map(sentence => paragraph(sentence)),
    ...(untested === null ? [] : [paragraph(untested)]),
    ...only(wide, [heading(2, 'Sides'), sidesTable(sides), heading(2, 'Scenarios')]),
    ...(scenarios.length === 0 ? [] : [comparedTable(scenarios)]),
    paragraph(
      [
        ...describeRatios(comparison),
        'The first side has medians over its rounds, the others ratios to it.',
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
  const ratio = (name: string, figure: (ratios: NonNullable<SideRow['ratios']>) => Interval | null) =>
    figures<SideRow>(name, ({ ratios }) => (ratios === null ? '' : formatRatioInterval(figure(ratios))), {
      on: wide,
    });
  return table<SideRow>(rows, [
    words('', id, { on: narrow, ownLine: 'above' }),
    words('scenario', id, { on: wide }),
    words('side', ({ side }) => side, {
      terminal: { name: '', cell: ({ side, index }) => shortName(side, index) },
    }),
    intervalColumn('ops/s', ({ opsPerSecond }) => opsPerSecond, formatRate),
    ratio('throughput', ratios => ratios.throughput),
    intervalColumn('p95 ms', ({ responseP95 }) => responseP95, formatMs),
    ratio('p95', ratios => ratios.responseP95),
    intervalColumn('p99 ms', ({ responseP99 }) => responseP99, formatMs),
    ratio('p99', ratios => ratios.responseP99),
    ...digestColumns,
    words('limited by', ({ limitedBy }) => limitedBy.resource, { on: wide }),
    figures('rounds', ({ ratios }) => ratios?.rounds ?? '', { on: wide }),
    words('', ({ isLast, notes }) => (isLast ? [{ text: notes.join('; '), tone: 'warning' }] : ''), {
      on: narrow,
      ownLine: 'below',
    }),
  ]);
}

const digestColumns: readonly Column<SideRow>[] = [
  digestColumn('ops/s', 'opsPerSecond', 'throughput', formatRate),
  digestColumn('response p95', 'responseP95', 'responseP95', value => `${formatMs(value)} ms`),
  digestColumn('response p99', 'responseP99', 'responseP99', value => `${formatMs(value)} ms`),
];

function digestColumn(
  name: string,
  figure: 'opsPerSecond' | 'responseP95' | 'responseP99',
  ratio: 'throughput' | 'responseP95' | 'responseP99',
  format: (value: number) => string,
): Column<SideRow> {
  return words(
    name,
    row => {
      if (row.ratios !== null) return formatRatioInterval(row.ratios[ratio]);
      const interval = row[figure];
      return interval === null ? nothing : format(interval.median);
    },
    { on: narrow },
  );
}

/** Two long names that begin alike are told apart by their place. */
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
  return notes.length === 0 ? [] : [heading(2, 'What to know of single scenarios'), list(notes)];
}
