import type { Result } from '../../aggregate/result.ts';
import { readServerFigures } from '../../aggregate/stats/server-fields.ts';
import type { ServerPoint, ServerSeries } from '../../aggregate/stats/server-series.ts';
import { nowNs } from '../../pool/clock.ts';
import type { Control } from '../server/control.ts';
import { commandStats } from '../server/server-info.ts';

const everySeconds = 1;
/** An hour. Beyond that every second point goes, and the time between two doubles. */
const maxPoints = 3600;

interface RecorderOptions {
  /** What an interrupted run has recorded, if it is resumed. */
  readonly earlier?: Result['serverSeries'];
  /** Is called with what the server told now; null if it did not answer, and when nobody asks it any more. */
  readonly show: (point: ServerPoint | null) => void;
}

/** INFO as the servers have counted it. */
interface Spent {
  readonly nodes: readonly Control[];
  readonly atNs: number;
  readonly calls: number;
  readonly micros: number;
}

/**
 * Asks the server once a second what it does, beside the load, on the control connection. A question without an answer
 * costs nothing but its point: there is no other one until it is answered, or its connection is lost.
 */
export class ServerRecorder {
  readonly #control: Control;
  readonly #show: RecorderOptions['show'];
  #points: readonly ServerPoint[];
  #everySeconds: number;
  #asked: number;
  #unanswered: number;
  #cost: ServerSeries['cost'];
  #timer: NodeJS.Timeout | undefined;
  #before: Spent | null = null;
  #isAsking = false;
  #isOver = false;
  #lives: string | undefined;
  #wasRestarted = false;

  constructor(control: Control, { earlier, show }: RecorderOptions) {
    this.#control = control;
    this.#show = show;
    this.#points = earlier?.points ?? [];
    this.#everySeconds = earlier?.everySeconds ?? everySeconds;
    this.#asked = earlier?.asked ?? 0;
    this.#unanswered = earlier?.unanswered ?? 0;
    this.#cost = earlier?.cost ?? null;
  }

  /** Asks now, and from now on. Never rejects. */
  async start(): Promise<void> {
    this.#before = await this.#readSpent(this.#control.nodes);
    await this.#ask(node => node.info());
    this.#timer = setInterval(() => {
      if (!this.#isAsking) void this.#ask(node => node.infoWithoutLimit());
    }, everySeconds * 1000);
    this.#timer.unref();
  }

  /** Asks once more, unless a question is still unanswered. Never rejects. */
  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#isAsking) this.#unanswered++;
    else await this.#ask(node => node.info());
    this.#isOver = true;
    this.#show(null);
    this.#addCost(await this.#readSpent(this.#before?.nodes ?? []));
  }

  /** So far. */
  get series(): ServerSeries {
    return {
      everySeconds: this.#everySeconds,
      points: [...this.#points],
      asked: this.#asked,
      unanswered: this.#unanswered,
      cost: this.#cost,
    };
  }

  async #ask(infoOf: (node: Control) => Promise<ReadonlyMap<string, string>>): Promise<void> {
    this.#isAsking = true;
    this.#asked++;
    const answers = await Promise.allSettled(this.#control.nodes.map(infoOf));
    this.#isAsking = false;
    if (this.#isOver) return;
    const infos = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (infos.length === 0 || infos.length < answers.length) {
      this.#unanswered++;
      this.#show(null);
      return;
    }
    const lives = infos.map(info => info.get('run_id')).join(' ');
    this.#wasRestarted ||= this.#lives !== undefined && this.#lives !== lives;
    this.#lives = lives;
    const point = { at: new Date().toISOString(), ...readServerFigures(infos) };
    this.#keep(point);
    this.#show(point);
  }

  #keep(point: ServerPoint): void {
    const sinceLastMs = Date.parse(point.at) - Date.parse(this.#points.at(-1)?.at ?? '');
    // A timer may be early.
    const isDue = !(sinceLastMs < (this.#everySeconds - everySeconds / 2) * 1000);
    if (isDue || this.#points.length === 1) this.#points = [...this.#points, point];
    // The last one of a run. So soon after the one before it, the answer itself would be most of what was sent.
    else if (this.#timer === undefined) this.#points = [...this.#points.slice(0, -1), point];
    if (this.#points.length <= maxPoints) return;
    this.#points = this.#points.filter((_, index) => index % 2 === 0);
    this.#everySeconds *= 2;
  }

  async #readSpent(nodes: readonly Control[]): Promise<Spent | null> {
    const infos = await Promise.all(nodes.map(node => node.info('commandstats'))).catch(() => null);
    const counts = infos?.map(info => commandStats(info).get('info')) ?? [];
    const calls = counts.reduce((sum, count) => sum + (count?.calls ?? Number.NaN), 0);
    const micros = counts.reduce((sum, count) => sum + (count?.micros ?? Number.NaN), 0);
    return infos === null || Number.isNaN(calls + micros) ? null : { nodes, atNs: nowNs(), calls, micros };
  }

  /** The time before a run was resumed counts, too, if it is known. */
  #addCost(after: Spent | null): void {
    const before = this.#before;
    if (before === null || after === null || this.#wasRestarted || after.calls < before.calls) return;
    const earlier = this.#cost ?? { calls: 0, micros: 0, seconds: 0 };
    this.#cost = {
      calls: earlier.calls + after.calls - before.calls,
      micros: earlier.micros + after.micros - before.micros,
      seconds: earlier.seconds + (after.atNs - before.atNs) / 1e9,
    };
  }
}
