import { formatCount, formatPlural, nothing } from '../../text/format.ts';
import { numberColumn } from '../../text/table.ts';
import { formatExact } from '../exact.ts';
import { type Content, type Html, html, px } from '../html.ts';
import { chartTable } from '../table.ts';
import type { Axis } from './axis.ts';
import { figure } from './figure.ts';
import { drawing } from './frame.ts';
import type { Moment, Timeline } from './timeline-data.ts';
import {
  type PlacedMoment,
  type PlacedTimeline,
  panel,
  placeTimeline,
  timelineArea,
} from './timeline-geometry.ts';

export interface TimelineChart {
  readonly title: string;
  readonly timeline: Timeline;
  /** Operations a second, common to charts that are to be compared. */
  readonly throughput: Axis;
  /** Milliseconds, likewise. */
  readonly latency: Axis;
  readonly subtitle: string;
  readonly withTable: boolean;
}

/** What completed and failed in each second above, p50 to p99 of the response time below, round after round. */
export function timelineChart({
  title,
  subtitle,
  timeline,
  throughput,
  latency,
  withTable,
}: TimelineChart): Html {
  const placed = placeTimeline(timeline, throughput, latency);
  const moments = timeline.rounds.flatMap(round => round.moments);
  return figure({
    title,
    subtitle,
    small: true,
    drawing: drawing(
      panel(timelineArea.latency),
      html`${axes(throughput, latency, placed)}${placed.warmups.map(
        ({ x, width }) =>
          html`<rect class="warmup" x="${px(x)}" y="${timelineArea.throughput.top}" width="${px(width)}" height="${timelineArea.latency.bottom - timelineArea.throughput.top}"/>`,
      )}${drawMoments(placed.moments)}${drawLatencies(placed.moments)}<g class="slices of-timeline">${placed.moments.map(drawSlice)}</g>`,
    ),
    table:
      withTable &&
      chartTable(title, moments, [
        numberColumn('round', ({ round }) => round),
        numberColumn('from second', ({ fromSecond }) => fromSecond),
        numberColumn('completed', ({ completed }) => formatCount(completed)),
        numberColumn('failed', ({ failed }) => formatCount(failed)),
        numberColumn('p50 ms', ({ p50 }) => (p50 === null ? nothing : formatExact(p50))),
        numberColumn('p99 ms', ({ p99 }) => (p99 === null ? nothing : formatExact(p99))),
      ]),
  });
}

function axes(throughput: Axis, latency: Axis, { rounds }: PlacedTimeline): Content {
  const { left, right } = timelineArea;
  const panels = [
    { axis: throughput, ...timelineArea.throughput },
    { axis: latency, ...timelineArea.latency },
  ];
  const step = Math.ceil(rounds.length / 10);
  return html`${panels.map(({ axis, top, bottom }) => {
    const [low, high] = axis.domain;
    const share = (at: number) =>
      axis.kind === 'log' ? Math.log(at / low) / Math.log(high / low) : (at - low) / (high - low);
    const y = (at: number) => px(bottom - share(at) * (bottom - top));
    return html`<g class="grid">${axis.ticks.map(({ at }) => html`<path d="M${left} ${y(at)}H${right}"/>`)}</g><g class="ticks">${axis.ticks.map(
      ({ at, label }) => html`<text x="${left - 5}" y="${y(at) + 3.5}" text-anchor="end">${label}</text>`,
    )}</g><text class="axis-label" x="4" y="${top - 11}">${axis.label}</text>`;
  })}<g class="ticks">${rounds.map(
    ({ round, middle }, index) =>
      index % step === 0 &&
      html`<text x="${px(middle)}" y="${timelineArea.latency.bottom + 14}" text-anchor="middle">${round}</text>`,
  )}</g><text class="axis-label" x="${(left + right) / 2}" y="${timelineArea.height - 3}" text-anchor="middle">round</text>`;
}

/** One path for all bars of a kind: a long run has thousands. */
function drawMoments(moments: readonly PlacedMoment[]): Content {
  const { bottom, top } = timelineArea.throughput;
  const bar = (placed: PlacedMoment, low: number, high: number) =>
    `M${px(placed.x)} ${px(low)}V${px(high)}h${px(innerWidth(placed))}V${px(low)}z`;
  const failing = moments.filter(({ moment }) => moment.failed > 0);
  const dead = moments.filter(({ moment }) => moment.completed === 0);
  const crosses = failing.map(
    placed => `M${px(centre(placed))} ${px(Math.max(top, placed.failedY) - 7)}m-3-3l6 6m0-6l-6 6`,
  );
  return html`<path class="completed" d="${moments.map(placed => bar(placed, bottom, placed.completedY)).join('')}"/>${
    dead.length > 0 &&
    html`<path class="outage" d="${dead.map(placed => bar(placed, bottom, top)).join('')}"/>`
  }${
    failing.length > 0 &&
    html`<path class="failed" d="${failing.map(placed => bar(placed, placed.completedY, Math.min(placed.failedY, placed.completedY - 1.5))).join('')}"/><path class="failure" d="${crosses.join('')}"/>`
  }`;
}

function drawLatencies(moments: readonly PlacedMoment[]): Content {
  const answered = moments.flatMap(placed =>
    placed.p50Y === null || placed.p99Y === null ? [] : [{ ...placed, p50Y: placed.p50Y, p99Y: placed.p99Y }],
  );
  const spreads = answered.map(placed => `M${px(centre(placed))} ${px(placed.p50Y)}V${px(placed.p99Y)}`);
  const tops = answered.map(
    placed =>
      `M${px(centre(placed) - Math.min(5, innerWidth(placed) / 2))} ${px(placed.p99Y)}h${px(Math.min(10, innerWidth(placed)))}`,
  );
  return html`<path class="spread" d="${spreads.join('')}"/><path class="p99" d="${tops.join('')}"/>`;
}

const innerWidth = ({ width }: PlacedMoment) => Math.max(0.6, width - Math.min(1.5, width * 0.2));
const centre = (placed: PlacedMoment) => placed.x + innerWidth(placed) / 2;

function drawSlice({ moment, x, width }: PlacedMoment): Html {
  return html`<rect x="${px(x)}" width="${px(Math.max(0.5, width))}" data-tip="${tell(moment)}"/>`;
}

function tell({ round, fromSecond, seconds, completed, failed, p50, p99 }: Moment): string {
  const until = seconds > 1 ? ` to ${Math.round(fromSecond + seconds)}` : '';
  return [
    `round ${round}, second ${fromSecond}${until}`,
    completed === 0
      ? 'nothing completed'
      : seconds === 1
        ? `${formatExact(completed)} ops/s`
        : `${formatPlural(completed, 'operation')}, ${formatExact(completed / seconds)} ops/s`,
    ...(failed === 0 ? [] : [`failed: ${formatCount(failed)}`]),
    ...(p50 === null || p99 === null ? [] : [`p50 ${formatExact(p50)} ms, p99 ${formatExact(p99)} ms`]),
  ].join('\n');
}
