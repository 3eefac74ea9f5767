import type { PoolMetrics, ScenarioResult } from '../../../result.ts';
import { formatRate } from '../../../text/format.ts';
import { type Chart, figures, table } from '../../blocks.ts';
import { type Html, html } from '../html.ts';
import { type Axis, axisFromZero } from './axis.ts';
import {
  type Area,
  areaSwatch,
  drawing,
  figure,
  formatExact,
  frame,
  px,
  scalesOf,
  slices,
  swatches,
} from './frame.ts';

/** Connections and workers of all pools of a scenario for a while of its window: means over the rounds. */
export interface Utilization {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
  readonly total: number;
}

type Slot = PoolMetrics['utilization'][number];

/** Width of a slot of result.json. */
const slotMs = 100;

/**
 * The slots of all rounds over one another, in the order of time; several are put together where there are more than
 * `max`, or where nothing changes.
 */
export function utilizationOf({ rounds }: Pick<ScenarioResult, 'rounds'>, max: number): Utilization[] {
  const slots = new Map<number, Slot[]>();
  for (const slot of rounds.flatMap(({ poolMetrics }) => poolMetrics.utilization)) {
    const same = slots.get(slot.atMs);
    if (same === undefined) slots.set(slot.atMs, [slot]);
    else same.push(slot);
  }
  const times = [...slots.keys()].toSorted((a, b) => a - b);
  const each = Math.max(1, Math.ceil(times.length / max));
  const steps: Utilization[] = [];
  for (let first = 0; first < times.length; first += each) {
    const group = times.slice(first, first + each);
    const next = meanOf(
      group.flatMap(time => slots.get(time) ?? []),
      group[0] ?? 0,
      (group.at(-1) ?? 0) + slotMs,
    );
    const last = steps.at(-1);
    if (last !== undefined && isSame(last, next)) steps.splice(-1, 1, { ...last, untilMs: next.untilMs });
    else steps.push(next);
  }
  return steps;
}

function meanOf(slots: readonly Slot[], fromMs: number, untilMs: number): Utilization {
  const mean = (figure: (slot: Slot) => number) =>
    slots.reduce((sum, slot) => sum + figure(slot), 0) / slots.length;
  return {
    fromMs,
    untilMs,
    active: mean(slot => slot.active),
    idle: mean(slot => slot.idle),
    waiting: mean(slot => slot.waiting),
    total: mean(slot => slot.total),
  };
}

function isSame(one: Utilization, other: Utilization): boolean {
  return (['active', 'idle', 'waiting', 'total'] as const).every(figure => one[figure] === other[figure]);
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

export interface UtilizationChart {
  readonly title: string;
  readonly steps: readonly Utilization[];
  readonly withTable: boolean;
}

/** Connections in use and idle, stacked, and the workers that wait for one. */
export function utilizationChart({ title, steps, withTable }: UtilizationChart): Chart {
  const last = steps.at(-1);
  const x = secondsAxis(steps[0]?.fromMs ?? 0, last?.untilMs ?? 1);
  const y = axisFromZero(
    'connections, workers',
    steps.map(at => Math.max(at.active + at.idle, at.waiting)),
    formatRate,
    3,
  );
  const scales = scalesOf(area, x, y);
  const stairs = (figure: (at: Utilization) => number) =>
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
          tip: describe(at),
        })),
      )}`,
    ),
    table: !withTable
      ? null
      : table(steps, [
          figures('from ms', ({ fromMs }) => fromMs),
          figures('until ms', ({ untilMs }) => untilMs),
          ...(['active', 'idle', 'waiting', 'total'] as const).map(figure =>
            figures<Utilization>(figure, step => formatExact(step[figure])),
          ),
        ]),
  });
}

/** What the bands and the line of these charts mean. */
export const utilizationLegend: Html = swatches([
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

function describe({ fromMs, untilMs, active, idle, waiting, total }: Utilization): string {
  return [
    `${formatExact(fromMs)} to ${formatExact(untilMs)} ms`,
    `active ${formatExact(active)}, idle ${formatExact(idle)} of ${formatExact(total)} connections`,
    `waiting workers ${formatExact(waiting)}`,
  ].join('\n');
}
