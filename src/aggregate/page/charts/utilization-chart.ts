import { area, curveStepAfter, line } from 'd3-shape';
import { formatRate } from '../../text/format.ts';
import { numberColumn } from '../../text/table.ts';
import { formatExact } from '../exact.ts';
import { type Html, html } from '../html.ts';
import { chartTable } from '../table.ts';
import { type Axis, axisFromZero } from './axis.ts';
import { figure } from './figure.ts';
import { type Area, drawing, frame, scalesOf, slices } from './frame.ts';
import type { Standing } from './utilization-data.ts';

const small: Area = {
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
  readonly standings: readonly Standing[];
  readonly withTable: boolean;
}

/** Connections in use and idle, stacked, and the workers that wait for one. */
export function utilizationChart({ title, standings, withTable }: UtilizationChart): Html {
  const last = standings.at(-1);
  const x = secondsAxis(standings[0]?.fromMs ?? 0, last?.untilMs ?? 1);
  const y = axisFromZero(
    'connections, workers',
    standings.map(at => Math.max(at.active + at.idle, at.waiting)),
    formatRate,
    3,
  );
  const scales = scalesOf(small, x, y);
  const steps = last === undefined ? [] : [...standings, { ...last, fromMs: last.untilMs }];
  const band = (low: (at: Standing) => number, high: (at: Standing) => number) =>
    area<Standing>()
      .x(at => scales.x(at.fromMs / 1000))
      .y0(at => scales.y(low(at)))
      .y1(at => scales.y(high(at)))
      .curve(curveStepAfter)
      .digits(1)(steps) ?? '';
  const waiting = line<Standing>(
    at => scales.x(at.fromMs / 1000),
    at => scales.y(at.waiting),
  )
    .curve(curveStepAfter)
    .digits(1);
  return figure({
    title,
    subtitle: '',
    small: true,
    drawing: drawing(
      small,
      html`${frame(small, x, y)}<path class="active" d="${band(
        () => 0,
        at => at.active,
      )}"/><path class="idle" d="${band(
        at => at.active,
        at => at.active + at.idle,
      )}"/><path class="waiting" d="${waiting(steps) ?? ''}"/>${slices(
        small,
        standings.map(at => ({
          x: scales.x((at.fromMs + at.untilMs) / 2000),
          left: scales.x(at.fromMs / 1000),
          right: scales.x(at.untilMs / 1000),
          tip: tell(at),
        })),
      )}`,
    ),
    table:
      withTable &&
      chartTable(title, standings, [
        numberColumn('from ms', ({ fromMs }) => fromMs),
        numberColumn('until ms', ({ untilMs }) => untilMs),
        numberColumn('active', ({ active }) => formatExact(active)),
        numberColumn('idle', ({ idle }) => formatExact(idle)),
        numberColumn('waiting', ({ waiting }) => formatExact(waiting)),
        numberColumn('total', ({ total }) => formatExact(total)),
      ]),
  });
}

function secondsAxis(fromMs: number, toMs: number): Axis {
  const { ticks } = axisFromZero('', [toMs / 1000], formatRate, 4);
  return {
    label: 'seconds of the window',
    kind: 'linear',
    domain: [fromMs / 1000, toMs / 1000],
    ticks: ticks.filter(({ at }) => at >= fromMs / 1000 && at <= toMs / 1000),
  };
}

function tell({ fromMs, untilMs, active, idle, waiting, total }: Standing): string {
  return [
    `${formatExact(fromMs)} to ${formatExact(untilMs)} ms`,
    `active ${formatExact(active)}, idle ${formatExact(idle)} of ${formatExact(total)} connections`,
    `waiting workers ${formatExact(waiting)}`,
  ].join('\n');
}
