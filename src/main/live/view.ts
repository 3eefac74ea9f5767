import {
  formatCount,
  formatDuration,
  formatMs,
  formatPlural,
  formatRate,
  toOneLine,
} from '../../aggregate/text/format.ts';
import type { Format, Style } from '../../aggregate/text/text-layout.ts';
import type { Running, Snapshot, Step } from './snapshot.ts';

/** Columns below which the view makes no sense, and beyond which an eye has too far to go. */
export const minColumns = 60;
const maxColumns = 110;
/** A name, a figure, and what shows more of it. */
const nameColumns = 10;
const figureColumns = 6;
const before = nameColumns + figureColumns + 2;
/** From this on a thread has little left to give. */
const busy = 0.9;
/** Of a chart, from the lowest to the highest. */
const heights = '▁▂▃▄▅▆▇█';
/** Windows that are shorter are over before anybody has read where they are. */
const toldSeconds = 5;

/** A run while it lasts, as lines of a terminal: always as many, and shorter than `columns`. */
export function describeView(snapshot: Snapshot, columns: number, style: Style): string[] {
  const { running, moments } = snapshot;
  // A terminal that is full to its last column is about to wrap.
  const width = Math.min(columns - 1, maxColumns);
  const chart = width - before;
  const row = (name: string, figure: string, more: string) =>
    `${style('dim', name.padEnd(nameColumns))}${figure.padStart(figureColumns)}  ${more}`;
  const line = (figures: readonly (number | null)[], format: Format) =>
    style(format, sparkline(figures, chart));
  return [
    describeCourse(snapshot, width, style),
    describeScenario(running, width, style),
    row(
      'ops/s',
      running === null || running.opsPerSecond === 0 ? '–' : formatRate(running.opsPerSecond),
      line(
        moments.map(moment => moment?.opsPerSecond ?? null),
        'cyan',
      ),
    ),
    row(
      'p99 ms',
      running === null || running.p99Ms === 0 ? '–' : formatMs(running.p99Ms),
      line(
        moments.map(moment => moment?.p99Ms ?? null),
        'magenta',
      ),
    ),
    row('threads', ...describeThreads(running?.busyShares ?? [], chart, style)),
    row('pools', ...describePools(running, chart)),
    row('failed', ...describeFailed(snapshot, chart, style)),
  ].map(text => text.trimEnd());
}

/** The same on one line, for a terminal with no room for more. */
export function describeLine({ running, operations, secondsLeft }: Snapshot, columns: number): string {
  if (running === null) return '';
  const { step, opsPerSecond, p99Ms, warmupFailed } = running;
  const failed = Object.values(operations.failed).reduce((sum, count) => sum + count, warmupFailed);
  // What a narrow terminal cuts off is the scenario's name, at the end.
  const parts = [
    describePlace(step),
    `${formatRate(opsPerSecond)} ops/s`,
    p99Ms === 0 ? 'p99 –' : `p99 ${formatMs(p99Ms)} ms`,
    `${formatCount(failed)} failed`,
    ...(secondsLeft === null ? [] : [`${formatDuration(secondsLeft)} left`]),
    step.scenario,
  ];
  return cut(toOneLine(parts.join('  ')), columns - 1);
}

/** Where the run is: "round 2/5  7/24". */
export function describePlace({ place, round, rounds, index, total }: Step): string {
  return place ?? `round ${round}/${rounds}  ${String(index).padStart(String(total).length)}/${total}`;
}

function describeCourse({ running, share, secondsLeft }: Snapshot, width: number, style: Style): string {
  const where = running === null ? '' : toOneLine(describePlace(running.step));
  if (share === null || secondsLeft === null) return style('bold', cut(where, width));
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const left = `${formatDuration(secondsLeft)} left`;
  // Room for the longest, so that the bar keeps its length.
  const tail = `${percent}  ${left.padEnd('59 min 59 s left'.length)}`;
  const place = cut(where, width - tail.length - 4);
  const { done, left: rest } = bar(share, width - place.length - tail.length - 4);
  return `${style('bold', place)}  ${style('green', done)}${style('dim', rest)}  ${tail}`;
}

function describeScenario(running: Running | null, width: number, style: Style): string {
  if (running === null) return '';
  const { step, phase, phaseSeconds } = running;
  const seconds = { connecting: 0, draining: 0, 'warm-up': step.warmupSeconds, measuring: step.seconds }[
    phase
  ];
  const told =
    seconds < toldSeconds ? phase : `${phase} ${Math.floor(phaseSeconds)}/${Math.round(seconds)} s`;
  const name = cut(toOneLine(step.scenario), width - told.length - 2);
  return `${name}  ${style('dim', told.padStart(width - name.length - 2))}`;
}

/** A bar for each thread while there is room, else a block for each: how busy they are, and all of them on average. */
function describeThreads(
  busyShares: readonly number[],
  columns: number,
  style: Style,
): [figure: string, more: string] {
  if (busyShares.length === 0) return ['–', ''];
  const mean = busyShares.reduce((sum, share) => sum + share, 0) / busyShares.length;
  const format = (share: number): Format => (share >= busy ? 'yellow' : 'green');
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const cell = { bar: 6, columns: 6 + 1 + 5 + 2 };
  if (busyShares.length * cell.columns <= columns) {
    const bars = busyShares.map(share => {
      const { done, left } = bar(share, cell.bar);
      return `${style(format(share), done)}${style('dim', left)} ${percent(share).padEnd(5)}`;
    });
    return [percent(mean), bars.join('  ')];
  }
  const blocks = busyShares.slice(0, columns).map(share => style(format(share), block(share)));
  return [percent(mean), blocks.join('')];
}

function describePools(running: Running | null, columns: number): [figure: string, more: string] {
  if (running === null) return ['–', ''];
  const { connections, idle, waiting } = running;
  const words = `of ${formatPlural(connections, 'connection')} in use; ${formatPlural(waiting, 'worker')} waiting for one`;
  return [formatNarrow(connections - idle), cut(words, columns)];
}

function describeFailed(
  { operations, running }: Snapshot,
  columns: number,
  style: Style,
): [figure: string, more: string] {
  const { unfinished } = operations;
  const failed = { ...operations.failed, ...(unfinished > 0 ? { unfinished } : {}) };
  const count = Object.values(failed).reduce((sum, one) => sum + one, 0);
  const warmup = running?.warmupFailed ?? 0;
  const words = [
    ...(count === 0 ? [] : [describeFailures(failed)]),
    ...(warmup === 0 ? [] : [`${formatCount(warmup)} in this warm-up`]),
  ].join('; ');
  const text = cut(words, columns);
  return [formatNarrow(count), text === '' ? '' : style('red', text)];
}

/** Exact, where there is room for it. */
function formatNarrow(count: number): string {
  const exact = formatCount(count);
  return exact.length <= figureColumns ? exact : formatRate(count);
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/** Failed operations by code, most first: "1,200 OOM, 4 TIMEOUT". */
export function describeFailures(failed: Readonly<Record<string, number>>): string {
  return Object.entries(failed)
    .toSorted(([, a], [, b]) => b - a)
    .map(([code, count]) => `${formatCount(count)} ${toOneLine(code)}`)
    .join(', ');
}

/** Figures as a row of blocks, the highest of them a full one, as many of the latest as fit; blank where there is none. */
function sparkline(figures: readonly (number | null)[], columns: number): string {
  const shown = figures.slice(Math.max(0, figures.length - columns));
  const most = Math.max(0, ...shown.map(figure => figure ?? 0));
  return shown.map(figure => (figure === null ? ' ' : block(most > 0 ? figure / most : 0))).join('');
}

/** A share of 0 to 1 as one block. */
function block(share: number): string {
  return heights[Math.min(heights.length - 1, Math.floor(share * heights.length))] ?? ' ';
}

/** A share of 0 to 1 as a line, the part up to it thick. */
function bar(share: number, columns: number): { readonly done: string; readonly left: string } {
  const done = Math.min(columns, Math.round(share * columns));
  return { done: '━'.repeat(done), left: '─'.repeat(columns - done) };
}
