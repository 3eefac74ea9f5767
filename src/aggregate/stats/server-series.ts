import type { Result } from '../result.ts';
import { twinIdOf } from './control.ts';
import { type ServerFieldName, serverFields } from './server-fields.ts';

/** What the server did while a run lasted: the curves of its figures, and which measurement went on meanwhile. */

export type ServerSeries = NonNullable<Result['serverSeries']>;
export type ServerPoint = ServerSeries['points'][number];

/** A figure at an instant. */
interface CurvePoint {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Of a gauge what was told, of a counter what it grew by each second since the point before; null: not known. */
  readonly value: number | null;
  /** What a counter grew by since the point before; 0 for a gauge, and where it is not known. */
  readonly grown: number;
}

/** More than this many intervals between two points: nothing is known of the time between them. */
const maxIntervals = 3;

/** One figure over the run. A counter that fell was reset, so nothing is known of what it grew by. */
export function serverCurve({ points, everySeconds }: ServerSeries, name: ServerFieldName): CurvePoint[] {
  const isCounter = serverFields[name].kind === 'counter';
  return points.map((point, index) => {
    const atMs = Date.parse(point.at);
    const value = point[name];
    if (!isCounter) return { atMs, value, grown: 0 };
    const before = points[index - 1];
    const seconds = before === undefined ? Number.NaN : (atMs - Date.parse(before.at)) / 1000;
    const from = before?.[name] ?? null;
    const isKnown = seconds > 0 && seconds <= maxIntervals * everySeconds;
    if (!isKnown || value === null || from === null || value < from) return { atMs, value: null, grown: 0 };
    return { atMs, value: (value - from) / seconds, grown: value - from };
  });
}

/** Whether nothing is known of the time between two points, so that no line leads from one to the other. */
export function areApart(fromMs: number, toMs: number, { everySeconds }: ServerSeries): boolean {
  return !(toMs - fromMs <= maxIntervals * everySeconds * 1000);
}

/** A measured window on the clock of the run. */
interface MeasuredWindow {
  /** Of a control that of its twin, whose load it had. */
  readonly scenario: string;
  readonly round: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Every window in which the server had load that was measured, in order; older results do not have their times. */
export function measuredWindows({ scenarios }: Pick<Result, 'scenarios'>): MeasuredWindow[] {
  return scenarios
    .flatMap(({ id, control, rounds }) =>
      rounds.flatMap(({ round, startedAt, seconds }) => {
        const fromMs = Date.parse(startedAt ?? '');
        const scenario = control === true ? twinIdOf(id) : id;
        return Number.isFinite(fromMs) ? { scenario, round, fromMs, toMs: fromMs + seconds * 1000 } : [];
      }),
    )
    .toSorted((a, b) => a.fromMs - b.fromMs);
}
