import type { RoundResult } from '../../aggregate/result.ts';
import { failedOf } from '../../aggregate/stats/metrics.ts';
import {
  formatCount,
  formatDuration,
  formatMs,
  formatPlural,
  formatRate,
  nothing,
  toOneLine,
} from '../../aggregate/text/format.ts';
import type { Format, Style } from '../../aggregate/text/text-layout.ts';
import {
  none,
  type Operations,
  type Running,
  type RunningLoad,
  type RunningPopulation,
  type Snapshot,
  type Step,
} from './snapshot.ts';

/** With fewer columns the view is one line; more are hard to read. */
export const minColumns = 60;
const maxColumns = 110;
/** A row has a name, a figure, and a chart or a text. */
const nameColumns = 10;
const figureColumns = 6;
/** From this ratio on a thread has little capacity left. */
const highBusyRatio = 0.9;
/** Blocks of a chart, from the lowest to the highest. */
const heights = '▁▂▃▄▅▆▇█';
/** Seconds of shorter windows are not shown: they pass too quickly to read. */
const minShownSeconds = 5;

/** A run while it lasts, as lines of a terminal: 7, and one for each population, each shorter than `columns`. */
export function describeView(snapshot: Snapshot, columns: number, style: Style): string[] {
  const { running, moments } = snapshot;
  // A line that fills the last column would wrap.
  const width = Math.min(columns - 1, maxColumns);
  const chart = width - nameColumns - figureColumns - 2;
  const row = (name: string, figure: string, more: string) =>
    `${style('dim', name.padEnd(nameColumns))}${figure.padStart(figureColumns)}  ${more}`;
  const line = (key: 'opsPerSecond' | 'p99Ms', format: Format) =>
    style(
      format,
      sparkline(
        moments.map(moment => moment?.[key] ?? null),
        chart,
      ),
    );
  const { opsPerSecond = 0, p99Ms = 0 } = running ?? {};
  return [
    describeProgress(snapshot, width, style),
    describeScenario(running, width, style),
    row('ops/s', opsPerSecond === 0 ? nothing : formatRate(opsPerSecond), line('opsPerSecond', 'cyan')),
    row('p99 ms', p99Ms === 0 ? nothing : formatMs(p99Ms), line('p99Ms', 'magenta')),
    row('threads', ...describeThreads(running?.busyRatios ?? [], chart, style)),
    row('pools', ...describePools(running, chart)),
    ...(running?.populations ?? []).map(population =>
      row(
        cut(toOneLine(population.name), nameColumns - 1),
        ...describePopulation(population, snapshot, chart),
      ),
    ),
    row('failed', ...describeFailed(snapshot, chart, style)),
  ].map(text => text.trimEnd());
}

/** The state of a run on one line, for a terminal without room for more. */
export function describeLine(
  { running, operations, ofPopulations, secondsLeft }: Snapshot,
  columns: number,
): string {
  if (running === null) return '';
  const failedIn = ({ failed }: Operations, { warmupFailed }: RunningLoad) =>
    sum(Object.values(failed)) + warmupFailed;
  const populations = running.populations.map(population => ({
    ...population,
    failed: failedIn(ofPopulations.get(population.name) ?? none, population),
  }));
  const own = { ...running, failed: failedIn(operations, running) };
  return cut(toOneLine(figuresLine(running.step, own, populations, secondsLeft)), columns - 1);
}

/**
 * A finished measurement on one line: "round 1/5   7/24  127k ops/s  p99 0.173 ms  0 failed  2 min 3 s left  wire-…", with the
 * populations behind it: "  bulk: 31.2k ops/s  p99 3.1 ms  0 failed".
 */
export function describeMeasurement(step: Step, result: RoundResult): string {
  const figuresOf = ({ opsPerSecond, response, failed }: RoundResult): Figures => ({
    opsPerSecond,
    p99Ms: response.count === 0 ? 0 : response.p99,
    failed: failedOf({ failed }),
    codes: failed,
  });
  const { populations = [] } = result;
  const beside = populations.map(population => ({ name: population.name, ...figuresOf(population) }));
  return figuresLine(step, figuresOf(result), beside, step.course?.secondsLeft ?? null);
}

/** A finished round on one line. */
export function describeRound(step: Step, completed: number, failed: number): string {
  return [
    describeRoundOf(step),
    formatPlural(step.total, 'measurement'),
    `${formatCount(completed)} operations`,
    `${formatCount(failed)} failed`,
    ...describeLeft(step.course?.secondsLeft ?? null, step),
  ].join('  ');
}

interface Figures {
  readonly opsPerSecond: number;
  readonly p99Ms: number;
  readonly failed: number;
  readonly codes?: Readonly<Record<string, number>>;
}

function figuresLine(
  step: Step,
  own: Figures,
  populations: readonly (Figures & { readonly name: string })[],
  secondsLeft: number | null,
): string {
  return [
    describePlace(step),
    ...describeLoad(own),
    ...describeLeft(secondsLeft, step),
    // Last, as a narrow terminal cuts off the end.
    step.scenario,
    ...populations.map(({ name, ...figures }) => `${name}: ${describeLoad(figures).join('  ')}`),
  ].join('  ');
}

function describeLoad({ opsPerSecond, p99Ms, failed, codes }: Figures): string[] {
  const byCode = codes === undefined || failed === 0 ? '' : ` (${describeFailures(codes)})`;
  return [`${formatRate(opsPerSecond)} ops/s`, describeP99(p99Ms), `${formatCount(failed)} failed${byCode}`];
}

const describeP99 = (p99Ms: number) => (p99Ms === 0 ? 'p99 –' : `p99 ${formatMs(p99Ms)} ms`);

/** "2 min 3 s left", "at most 2 min 3 s left". */
function describeLeft(secondsLeft: number | null, { untilDecided }: Step): string[] {
  return secondsLeft === null ? [] : [`${untilDecided ? 'at most ' : ''}${formatDuration(secondsLeft)} left`];
}

/** "round 2/5", "round 2 of at most 50". */
function describeRoundOf({ round, rounds, untilDecided }: Step): string {
  return untilDecided ? `round ${round} of at most ${rounds}` : `round ${round}/${rounds}`;
}

/** The position in the run: "round 2/5  7/24". */
function describePlace(step: Step): string {
  const { place, index, total } = step;
  return place ?? `${describeRoundOf(step)}  ${String(index).padStart(String(total).length)}/${total}`;
}

function describeProgress(
  { running, doneRatio, secondsLeft }: Snapshot,
  width: number,
  style: Style,
): string {
  const where = running === null ? '' : toOneLine(describePlace(running.step));
  if (doneRatio === null || secondsLeft === null) return style('bold', cut(where, width));
  const percent = `${Math.floor(doneRatio * 100)} %`.padStart(5);
  const [left = ''] = running === null ? [] : describeLeft(secondsLeft, running.step);
  // Padded to the widest, so that the bar keeps its length.
  const widest = running?.step.untilDecided ? 'at most 59 min 59 s left' : '59 min 59 s left';
  const tail = `${percent}  ${left.padEnd(widest.length)}`;
  const place = cut(where, width - tail.length - 4);
  const { done, left: rest } = bar(doneRatio, width - place.length - tail.length - 4);
  return `${style('bold', place)}  ${style('green', done)}${style('dim', rest)}  ${tail}`;
}

function describeScenario(running: Running | null, width: number, style: Style): string {
  if (running === null) return '';
  const { step, phase, phaseSeconds } = running;
  const secondsOf = {
    connecting: 0,
    'warming threads': step.seconds,
    'warm-up': step.warmupSeconds,
    measuring: step.seconds,
    draining: 0,
  };
  const seconds = secondsOf[phase];
  const shown =
    seconds < minShownSeconds ? phase : `${phase} ${Math.floor(phaseSeconds)}/${Math.round(seconds)} s`;
  const name = cut(toOneLine(step.scenario), width - shown.length - 2);
  return `${name}  ${style('dim', shown.padStart(width - name.length - 2))}`;
}

/** How busy the threads are: their mean, and a bar for each, or a block for each if there is no room for bars. */
function describeThreads(
  busyRatios: readonly number[],
  columns: number,
  style: Style,
): [figure: string, more: string] {
  if (busyRatios.length === 0) return [nothing, ''];
  const mean = sum(busyRatios) / busyRatios.length;
  const format = (ratio: number): Format => (ratio >= highBusyRatio ? 'yellow' : 'green');
  const percent = (ratio: number) => `${Math.round(ratio * 100)} %`;
  const barColumns = 6;
  // A bar, a blank, a figure such as "100 %", and a gap.
  if (busyRatios.length * (barColumns + 1 + 5 + 2) <= columns) {
    const bars = busyRatios.map(ratio => {
      const { done, left } = bar(ratio, barColumns);
      return `${style(format(ratio), done)}${style('dim', left)} ${percent(ratio).padEnd(5)}`;
    });
    return [percent(mean), bars.join('  ')];
  }
  const blocks = busyRatios.slice(0, columns).map(ratio => style(format(ratio), block(ratio)));
  return [percent(mean), blocks.join('')];
}

function describePools(running: Running | null, columns: number): [figure: string, more: string] {
  if (running === null) return [nothing, ''];
  const { connections, idle, waiting } = running;
  const words = `of ${formatPlural(connections, 'connection')} in use; ${formatPlural(waiting, 'worker')} waiting for one`;
  return [formatNarrow(connections - idle), cut(words, columns)];
}

/** A load beside the scenario, with the busiest of its threads. */
function describePopulation(
  { name, opsPerSecond, p99Ms, busyRatios }: RunningPopulation,
  { ofPopulations }: Snapshot,
  columns: number,
): [figure: string, more: string] {
  const { failed, unfinished } = ofPopulations.get(name) ?? none;
  const lost = sum(Object.values(failed)) + unfinished;
  const words = [
    'ops/s',
    describeP99(p99Ms),
    `thread ${Math.round(Math.max(0, ...busyRatios) * 100)} % busy`,
    ...(lost === 0 ? [] : [`${formatCount(lost)} failed`]),
  ].join('; ');
  return [opsPerSecond === 0 ? nothing : formatRate(opsPerSecond), cut(words, columns)];
}

function describeFailed(
  { operations, running }: Snapshot,
  columns: number,
  style: Style,
): [figure: string, more: string] {
  const { unfinished } = operations;
  const failed = { ...operations.failed, ...(unfinished > 0 ? { unfinished } : {}) };
  const count = sum(Object.values(failed));
  const warmup = running?.warmupFailed ?? 0;
  const words = [
    ...(count === 0 ? [] : [describeFailures(failed)]),
    ...(warmup === 0 ? [] : [`${formatCount(warmup)} in this warm-up`]),
  ].join('; ');
  const text = cut(words, columns);
  return [formatNarrow(count), text === '' ? '' : style('red', text)];
}

/** The exact count if it fits, else a rounded one. */
function formatNarrow(count: number): string {
  const exact = formatCount(count);
  return exact.length <= figureColumns ? exact : formatRate(count);
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/** Failed operations by code, the most frequent first: "1,200 OOM, 4 TIMEOUT". */
export function describeFailures(failed: Readonly<Record<string, number>>): string {
  return Object.entries(failed)
    .toSorted(([, a], [, b]) => b - a)
    .map(([code, count]) => `${formatCount(count)} ${toOneLine(code)}`)
    .join(', ');
}

/** The latest figures as a row of blocks, the highest as a full block, null as a blank. */
function sparkline(figures: readonly (number | null)[], columns: number): string {
  const shown = figures.slice(-columns);
  const max = Math.max(0, ...shown.map(figure => figure ?? 0));
  return shown.map(figure => (figure === null ? ' ' : block(max > 0 ? figure / max : 0))).join('');
}

/** A ratio of 0 to 1 as one block. */
function block(ratio: number): string {
  return heights[Math.min(heights.length - 1, Math.floor(ratio * heights.length))] ?? ' ';
}

/** A ratio of 0 to 1 as a line that is thick up to it. */
function bar(ratio: number, columns: number): { readonly done: string; readonly left: string } {
  const done = Math.min(columns, Math.round(ratio * columns));
  return { done: '━'.repeat(done), left: '─'.repeat(columns - done) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
