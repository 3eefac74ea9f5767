import { type Axis, scaleOf } from './axis.ts';
import type { Area } from './frame.ts';
import type { Moment, Timeline } from './timeline-data.ts';

export interface PlacedMoment {
  readonly moment: Moment;
  readonly x: number;
  readonly width: number;
  /** Tops of the bars: of what completed, and of what failed above it. */
  readonly completedY: number;
  readonly failedY: number;
  readonly p50Y: number | null;
  readonly p99Y: number | null;
}

export interface PlacedTimeline {
  readonly moments: readonly PlacedMoment[];
  /** Before each round's window. */
  readonly warmups: readonly { readonly x: number; readonly width: number }[];
  readonly rounds: readonly { readonly round: number; readonly middle: number }[];
}

/** The panels of the chart, one above the other over a common x axis. */
export const timelineArea = {
  width: 340,
  height: 204,
  left: 40,
  right: 334,
  throughput: { top: 24, bottom: 92 },
  latency: { top: 118, bottom: 174 },
} as const;

export const panel = ({ top, bottom }: { readonly top: number; readonly bottom: number }): Area => ({
  name: 'of-timeline',
  width: timelineArea.width,
  height: timelineArea.height,
  left: timelineArea.left,
  right: timelineArea.right,
  top,
  bottom,
});

/** Share of the width that lies between the rounds, where nothing was recorded. */
const gapShare = 0.16;

export function placeTimeline({ rounds }: Timeline, throughput: Axis, latency: Axis): PlacedTimeline {
  const width = timelineArea.right - timelineArea.left;
  const seconds = rounds.reduce((sum, { moments }) => sum + lengthOf(moments), 0);
  const gap = rounds.length === 0 ? 0 : Math.min(12, (width * gapShare) / rounds.length);
  const perSecond = seconds === 0 ? 0 : (width - gap * rounds.length) / seconds;
  const opsY = scaleOf(throughput, [timelineArea.throughput.bottom, timelineArea.throughput.top]);
  const latencyY = scaleOf(latency, [timelineArea.latency.bottom, timelineArea.latency.top]);
  const placeMs = (ms: number | null) =>
    ms === null || ms <= 0 ? null : latencyY(Math.max(latency.domain[0], Math.min(latency.domain[1], ms)));
  let x: number = timelineArea.left;
  const placed: PlacedMoment[] = [];
  const warmups: { x: number; width: number }[] = [];
  const middles: { round: number; middle: number }[] = [];
  for (const { round, moments } of rounds) {
    warmups.push({ x, width: gap });
    x += gap;
    middles.push({ round, middle: x + (lengthOf(moments) * perSecond) / 2 });
    for (const moment of moments) {
      const { completed, failed, p50, p99 } = moment;
      placed.push({
        moment,
        x,
        width: moment.seconds * perSecond,
        completedY: opsY(completed / moment.seconds),
        failedY: opsY((completed + failed) / moment.seconds),
        p50Y: placeMs(p50),
        p99Y: placeMs(p99),
      });
      x += moment.seconds * perSecond;
    }
  }
  return { moments: placed, warmups, rounds: middles };
}

function lengthOf(moments: readonly Moment[]): number {
  return moments.reduce((sum, { seconds }) => sum + seconds, 0);
}
