import { readServerFigures } from '../../aggregate/stats/server-fields.ts';
import type { ServerPoint, ServerSeries } from '../../aggregate/stats/server-series.ts';
import { nowNs } from '../../pool/clock.ts';
import type { Control } from '../server/control.ts';
import { commandStats } from '../server/server-info.ts';

const askEverySeconds = 1;
/** An hour of points. After that, every second point is dropped and the interval doubles. */
const maxPoints = 3600;

interface RecorderOptions {
  /** What an interrupted run had recorded, if it is resumed. */
  readonly earlier?: ServerSeries | undefined;
  /** The time of day. */
  readonly now: () => Date;
  /** Called with each reply of the server; null if it did not answer, and when recording ends. */
  readonly show: (point: ServerPoint | null) => void;
}

/** The servers' own count of INFO commands. */
interface Spent {
  readonly nodes: readonly Control[];
  readonly atNs: number;
  readonly calls: number;
  readonly micros: number;
}

/**
 * Sends INFO once a second during the load, on the control connection. If a reply is missing, only its point is lost:
 * no further INFO is sent until the reply arrives or the connection is lost.
 */
export class ServerRecorder {
  readonly #control: Control;
  readonly #now: RecorderOptions['now'];
  readonly #show: RecorderOptions['show'];
  readonly #series: ServerSeries;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;
  #spentBefore: Spent | null = null;
  /** The run ids of the servers that answered last. */
  #lives: string | undefined;
  #wasRestarted = false;

  constructor(control: Control, { earlier, now, show }: RecorderOptions) {
    this.#control = control;
    this.#now = now;
    this.#show = show;
    this.#series =
      earlier === undefined
        ? { everySeconds: askEverySeconds, points: [], asked: 0, unanswered: 0, cost: null }
        : { ...earlier, points: [...earlier.points] };
  }

  /** Asks now, and then once a second. Never rejects. */
  async start(): Promise<void> {
    this.#spentBefore = await readSpent(this.#control.nodes);
    await this.#ask(node => node.info());
    this.#timer = setInterval(() => {
      if (!this.#isAsking) void this.#ask(node => node.infoWithoutLimit());
    }, askEverySeconds * 1000);
    this.#timer.unref();
  }

  /** Asks once more. Never rejects. */
  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    // It waits behind an unanswered request on the same connection; the time limit ends both.
    const isAnswered = await this.#ask(node => node.info());
    this.#show(null);
    if (isAnswered) this.#addCost(await readSpent(this.#spentBefore?.nodes ?? []));
  }

  /** What was recorded so far. */
  get series(): ServerSeries {
    return { ...this.#series, points: [...this.#series.points] };
  }

  /** @returns whether it was answered */
  async #ask(infoOf: (node: Control) => Promise<ReadonlyMap<string, string>>): Promise<boolean> {
    this.#isAsking = true;
    this.#series.asked++;
    const answers = await Promise.allSettled(this.#control.nodes.map(infoOf));
    this.#isAsking = false;
    const infos = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (infos.length === 0 || infos.length < answers.length) {
      this.#series.unanswered++;
      this.#show(null);
      return false;
    }
    const lives = infos.map(info => info.get('run_id')).join(' ');
    this.#wasRestarted ||= this.#lives !== undefined && this.#lives !== lives;
    this.#lives = lives;
    const point = { at: this.#now().toISOString(), ...readServerFigures(infos) };
    this.#keep(point);
    this.#show(point);
    return true;
  }

  #keep(point: ServerPoint): void {
    const { points, everySeconds } = this.#series;
    const sinceLastMs = Date.parse(point.at) - Date.parse(points.at(-1)?.at ?? '');
    // A timer may be early. A point from before the run was resumed may have been written by a clock that was ahead.
    const isDue = !(sinceLastMs >= 0 && sinceLastMs < (everySeconds - askEverySeconds / 2) * 1000);
    if (isDue || points.length === 1) points.push(point);
    // The last one of a run. So soon after the previous one, the reply itself would be most of the bytes sent.
    else if (this.#timer === undefined) points[points.length - 1] = point;
    if (points.length <= maxPoints) return;
    this.#series.points = points.filter((_, index) => index % 2 === 0);
    this.#series.everySeconds *= 2;
  }

  /** The time before a run was resumed also counts, if it is known. */
  #addCost(after: Spent | null): void {
    const before = this.#spentBefore;
    if (before === null || after === null || this.#wasRestarted || after.calls < before.calls) return;
    const earlier = this.#series.cost ?? { calls: 0, micros: 0, seconds: 0 };
    this.#series.cost = {
      calls: earlier.calls + after.calls - before.calls,
      micros: earlier.micros + after.micros - before.micros,
      seconds: earlier.seconds + (after.atNs - before.atNs) / 1e9,
    };
  }
}

/** Null if one of the servers does not answer, or does not count it. */
async function readSpent(nodes: readonly Control[]): Promise<Spent | null> {
  let [calls, micros] = [0, 0];
  for (const answer of await Promise.allSettled(nodes.map(node => node.info('commandstats')))) {
    const stats = answer.status === 'fulfilled' ? commandStats(answer.value) : new Map<string, never>();
    const counted = stats.get('info') ?? { calls: 0, micros: 0 };
    if (stats.size === 0 || counted.micros === null) return null;
    calls += counted.calls;
    micros += counted.micros;
  }
  return { nodes, atNs: nowNs(), calls, micros };
}
