import type { PoolMetrics, RoundResult, ScenarioResult } from '../../../result.ts';
import { bySize, describeSize, groupBySetting } from '../../../scenario/setting.ts';
import { slotMs } from '../../../stats/merge-pools.ts';
import { medianInterval } from '../../../stats/sign-test.ts';
import { sumOf } from '../../../stats/statistics.ts';
import { formatMs, formatPlural, formatRate } from '../../../text/format.ts';
import {
  type Block,
  type Chart,
  chart,
  details,
  figures,
  heading,
  note,
  paragraph,
  strong,
  table,
} from '../../blocks.ts';
import { poolNote, poolTable } from '../../result-tables.ts';
import { type Axis, axisFromZero } from '../charts/axis.ts';
import {
  type Area,
  areaSwatch,
  drawing,
  figure,
  formatExact,
  frame,
  maxTables,
  px,
  scalesOf,
  slices,
  swatches,
} from '../charts/frame.ts';
import { figureStrips, scenarioStrips } from '../charts/strip-chart.ts';
import { type Html, html } from '../markup.ts';

/** Rows of a chart; the table has all scenarios. */
const maxRows = 16;
/** Steps of all charts of utilization together, steps of one of them, and charts. */
const maxSteps = 600;
const maxStepsEach = 60;
const maxCharts = 30;
/** Charts of utilization that are open at once. */
const maxOpen = 6;

/** The pools: how long workers waited for a connection, how long connecting took, and connections over time. */
export function poolBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const measured = scenarios.filter(({ rounds }) => rounds.length > 0);
  if (measured.length === 0) return [];
  return [
    note(poolNote),
    ...strips(measured, 'Wait for a connection, p99', ({ poolMetrics }) => poolMetrics.acquireWait.p99),
    ...strips(measured, 'Time to connect, p99', ({ poolMetrics }) =>
      poolMetrics.connectTime.count === 0 ? 0 : poolMetrics.connectTime.p99,
    ),
    ...utilization(measured),
    details('Table: what the pools did', [poolTable(scenarios)]),
  ];
}

function strips(
  scenarios: readonly ScenarioResult[],
  title: string,
  figure: (round: RoundResult) => number,
): Block[] {
  const rows = scenarioStrips(groupBySetting(scenarios), ({ rounds }) => medianInterval(rounds.map(figure)));
  if (rows.length === 0) {
    return [paragraph([strong(title), ': 0 ms in the median round of every scenario.'])];
  }
  const medianOf = ({ marks }: (typeof rows)[number]) => marks[0]?.median ?? 0;
  const shown = rows.toSorted((a, b) => medianOf(b) - medianOf(a)).slice(0, maxRows);
  const none = scenarios.length - rows.length;
  const how = [
    'median and interval over the rounds, logarithmic, the longest first',
    ...(shown.length < rows.length ? [`${shown.length} of ${rows.length}`] : []),
    ...(none > 0 ? [`0 ms in ${formatPlural(none, 'other scenario')}`] : []),
  ];
  return figureStrips({ title, how: how.join('; '), rows: shown }, { unit: 'ms', formatNumber: formatMs });
}

function utilization(scenarios: readonly ScenarioResult[]): Block[] {
  const shown = scenarios.slice(0, maxCharts);
  const each = Math.max(8, Math.min(maxStepsEach, Math.floor(maxSteps / shown.length)));
  const withTable = scenarios.length <= maxTables;
  const groups = groupBySetting(shown).map(group => ({
    heading: group.heading,
    charts: group.scenarios.toSorted(bySize).flatMap((scenario): Chart[] => {
      const steps = utilizationOf(scenario, each);
      return steps.length === 0 ? [] : [utilizationChart(describeSize(scenario), steps, withTable)];
    }),
  }));
  const count = sumOf(groups, ({ charts }) => charts.length);
  if (count === 0) return [];
  const rest =
    shown.length < scenarios.length ? ` The first ${shown.length} of ${scenarios.length} scenarios.` : '';
  return [
    details(
      `Connections over the window: ${formatPlural(count, 'chart')}`,
      [
        note(`Means over the rounds, all pools of a scenario together.${rest}`),
        chart(() => utilizationLegend),
        ...groups.flatMap(group =>
          group.charts.length === 0 ? [] : [heading(3, group.heading), ...group.charts],
        ),
      ],
      { open: count <= maxOpen },
    ),
  ];
}

const states = ['active', 'idle', 'waiting', 'total'] as const;

/** Connections and workers of all pools of a scenario for a while of its window: means over the rounds. */
type Utilization = Readonly<Record<'fromMs' | 'untilMs' | (typeof states)[number], number>>;

type Slot = PoolMetrics['utilization'][number];

/**
 * The slots of all rounds, superimposed, in the order of time; merged if there are more than `max`, or where nothing
 * changes.
 */
function utilizationOf({ rounds }: ScenarioResult, max: number): Utilization[] {
  const slots = rounds.flatMap(({ poolMetrics }) => poolMetrics.utilization);
  const times = [...new Set(slots.map(({ atMs }) => atMs))].toSorted((a, b) => a - b);
  const each = Math.max(1, Math.ceil(times.length / max));
  const steps: Utilization[] = [];
  for (let first = 0; first < times.length; first += each) {
    const group = times.slice(first, first + each);
    const [from = 0, until = 0] = [group[0], group.at(-1)];
    const next = meanOf(
      slots.filter(({ atMs }) => atMs >= from && atMs <= until),
      from,
      until + slotMs,
    );
    const last = steps.at(-1);
    if (last !== undefined && states.every(state => last[state] === next[state])) {
      steps.splice(-1, 1, { ...last, untilMs: next.untilMs });
    } else steps.push(next);
  }
  return steps;
}

function meanOf(slots: readonly Slot[], fromMs: number, untilMs: number): Utilization {
  const mean = (state: (typeof states)[number]) => sumOf(slots, slot => slot[state]) / slots.length;
  return {
    fromMs,
    untilMs,
    active: mean('active'),
    idle: mean('idle'),
    waiting: mean('waiting'),
    total: mean('total'),
  };
}

const area: Area = {
  name: 'of-utilization',
  width: 340,
  height: 180,
  left: 40,
  right: 330,
  top: 24,
  bottom: 140,
};

/** Connections in use and idle, stacked, and the workers that wait for one. */
function utilizationChart(title: string, steps: readonly Utilization[], withTable: boolean): Chart {
  const x = secondsAxis(steps[0]?.fromMs ?? 0, steps.at(-1)?.untilMs ?? 1);
  const y = axisFromZero(
    'connections, workers',
    steps.map(at => Math.max(at.active + at.idle, at.waiting)),
    formatRate,
    3,
  );
  const scales = scalesOf(area, x, y);
  const stairs = (figure: (step: Utilization) => number) =>
    steps.map(at => `V${px(scales.y(figure(at)))}H${px(scales.x(at.untilMs / 1000))}`).join('');
  const filled = (figure: (at: Utilization) => number) =>
    `M${area.left} ${area.bottom}${stairs(figure)}V${area.bottom}z`;
  const waitingAtFirst = px(scales.y(steps[0]?.waiting ?? 0));
  return figure({
    title,
    subtitle: '',
    size: 'small',
    drawing: drawing(
      area,
      html`${frame(area, x, y)}<path class="idle" d="${filled(at => at.active + at.idle)}"/><path class="active" d="${filled(at => at.active)}"/><path class="waiting" d="M${area.left} ${waitingAtFirst}${stairs(at => at.waiting)}"/>${slices(
        area,
        steps.map(at => ({
          x: scales.x((at.fromMs + at.untilMs) / 2000),
          left: scales.x(at.fromMs / 1000),
          right: scales.x(at.untilMs / 1000),
          tip: describeStep(at),
        })),
      )}`,
    ),
    table: !withTable
      ? null
      : table(steps, [
          figures('from ms', ({ fromMs }) => fromMs),
          figures('until ms', ({ untilMs }) => untilMs),
          ...states.map(state => figures<Utilization>(state, step => formatExact(step[state]))),
        ]),
    caveats: [],
  });
}

/** What the bands and the line of these charts mean. */
const utilizationLegend: Html = swatches([
  { name: 'connections in use', swatch: areaSwatch('active') },
  { name: 'idle', swatch: areaSwatch('idle') },
  { name: 'workers waiting for one', swatch: html`<path class="waiting" d="M1 6H25"/>` },
]);

function secondsAxis(fromMs: number, toMs: number): Axis {
  const { ticks } = axisFromZero('', [toMs / 1000], formatRate, 4);
  return {
    label: 'seconds of the window',
    kind: 'linear',
    domain: [fromMs / 1000, toMs / 1000],
    ticks: ticks.filter(({ at }) => at >= fromMs / 1000 && at <= toMs / 1000),
  };
}

function describeStep({ fromMs, untilMs, active, idle, waiting, total }: Utilization): string {
  return [
    `${formatExact(fromMs)} to ${formatExact(untilMs)} ms`,
    `active ${formatExact(active)}, idle ${formatExact(idle)} of ${formatExact(total)} connections`,
    `waiting workers ${formatExact(waiting)}`,
  ].join('\n');
}
