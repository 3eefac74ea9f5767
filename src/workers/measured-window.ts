import { readFileSync } from 'node:fs';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { waitsInRing } from '../pool/client/ring-socket.ts';
import { nowNs } from '../pool/clock.ts';
import type { ConnectionPool } from '../pool/connection-pool.ts';
import type { ThreadLoadFigures } from './contract.ts';
import { threadPacer } from './pacer.ts';

type Resettable = Pick<ConnectionPool, 'resetMetrics'>;

/** What delayed the thread, and the fraction of the time, 0 to 1, in which it spun until the next arrival. */
type MeteredLoad = ThreadLoadFigures & { readonly spinShare: number };

/**
 * Confines the thread load and the pools' metrics to the measured window. The warm-up is discarded; the drain is left out
 * of the thread load, unless the window was cut short.
 */
export class MeasuredWindow {
  readonly #pools: readonly Resettable[];
  readonly #meter = new ThreadLoadMeter();
  #timers: NodeJS.Timeout[] = [];
  #figures: MeteredLoad | undefined;

  constructor(pools: readonly Resettable[]) {
    this.#pools = pools;
  }

  /** Plans both ends, given as instants of the monotonic clock. */
  schedule(startNs: number, endNs: number): void {
    const warmupMs = millisecondsUntil(startNs);
    // Without a warm-up the first connection attempts are in the window, and a timer would fire after them.
    if (warmupMs === 0) this.#begin();
    else this.#timers.push(setTimeout(() => this.#begin(), warmupMs));
    this.#timers.push(
      setTimeout(() => {
        this.#figures = this.#meter.stop();
      }, millisecondsUntil(endNs)),
    );
  }

  stop(): MeteredLoad {
    for (const timer of this.#timers) clearTimeout(timer);
    return this.#figures ?? this.#meter.stop();
  }

  #begin(): void {
    this.#meter.begin();
    for (const pool of this.#pools) pool.resetMetrics();
  }
}

/** Milliseconds until an instant, for a timer; 0 once it has passed. */
export function millisecondsUntil(instantNs: number): number {
  return Math.max(0, (instantNs - nowNs()) / 1e6);
}

/** Interval at which the delay of the event loop is measured. On a full machine each time may cost a wait for a core. */
const lookMs = 20;

interface Pause {
  readonly startMs: number;
  readonly durationMs: number;
}

/**
 * Measures what delays the calling thread from `begin()` until `stop()`. Timers call both at the ends of the measured
 * window: the thread is idle in the drain, and would look less busy than it was.
 */
export class ThreadLoadMeter {
  #begunMs = performance.now();
  #busyNs = measureBusyNs();
  #cpu = readThreadCpu();
  #spunNs = threadPacer.spunNs;
  #observer: PerformanceObserver | undefined;
  #pauses: Pause[] = [];
  #looks: NodeJS.Timeout | undefined;
  #lookedMs = this.#begunMs;
  #delaysMs: number[] = [];

  begin(): void {
    this.#end();
    this.#pauses = [];
    this.#observer = new PerformanceObserver(list => this.#note(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
    // Not monitorEventLoopDelay(): its histogram starts with the second tick, so it misses a stall before that (measured:
    // 10 of 200 ms), and one that lasts until the end.
    this.#delaysMs = [];
    this.#looks = setInterval(() => this.#look(), lookMs).unref();
    this.#busyNs = measureBusyNs();
    this.#cpu = readThreadCpu();
    this.#spunNs = threadPacer.spunNs;
    this.#begunMs = performance.now();
    this.#lookedMs = this.#begunMs;
  }

  /** The figures since `begin()`. Without that call: since construction, and without pauses and delays. */
  stop(): MeteredLoad {
    const nowMs = performance.now();
    const busyMs = this.#busyNs() / 1e6;
    const cpu = readThreadCpu();
    if (this.#looks !== undefined && nowMs > this.#lookedMs + lookMs) this.#look();
    this.#end();

    const begunMs = this.#begunMs;
    const ratio = (from: number | null, to: number | null) =>
      from === null || to === null || nowMs <= begunMs
        ? null
        : Math.max(0, (to - from) / 1e6 / (nowMs - begunMs));
    const pausesMs = this.#pauses
      .map(({ startMs, durationMs }) => startMs + durationMs - Math.max(startMs, begunMs))
      .filter(ms => ms > 0);
    const delaysMs = this.#delaysMs.toSorted((a, b) => a - b);
    return {
      eventLoopUtilization: nowMs > begunMs ? Math.min(1, busyMs / (nowMs - begunMs)) : 0,
      cores: ratio(this.#cpu.ranNs, cpu.ranNs),
      waitShare: ratio(this.#cpu.waitedNs, cpu.waitedNs),
      spinShare: Math.min(1, ratio(this.#spunNs, threadPacer.spunNs) ?? 0),
      gcPauses: pausesMs.length,
      gcMs: pausesMs.reduce((sum, ms) => sum + ms, 0),
      gcLongestMs: pausesMs.reduce((max, ms) => Math.max(max, ms), 0),
      loopDelayP99Ms: delaysMs[Math.ceil(delaysMs.length * 0.99) - 1] ?? 0,
      loopDelayMaxMs: delaysMs.at(-1) ?? 0,
    };
  }

  #look(): void {
    const nowMs = performance.now();
    this.#delaysMs.push(Math.max(0, nowMs - this.#lookedMs - lookMs));
    this.#lookedMs = nowMs;
  }

  #note(entries: readonly { readonly startTime: number; readonly duration: number }[]): void {
    for (const { startTime, duration } of entries)
      this.#pauses.push({ startMs: startTime, durationMs: duration });
  }

  #end(): void {
    clearInterval(this.#looks);
    this.#looks = undefined;
    if (this.#observer === undefined) return;
    this.#note(this.#observer.takeRecords());
    this.#observer.disconnect();
    this.#observer = undefined;
  }
}

/** Nanoseconds that a thread has run, and that it was ready and had no core, since it was started. */
interface ThreadCpu {
  readonly ranNs: number | null;
  readonly waitedNs: number | null;
}

/** Synchronous, because only then the calling thread itself reads the file, and the figures are its own. */
export function readThreadCpu(): ThreadCpu {
  return readSchedstat() ?? { ranNs: readThreadCpuUsage(), waitedNs: null };
}

/**
 * Starts to measure how long the event loop of the calling thread is busy.
 *
 * @returns a function that returns the time so far, in nanoseconds
 */
export function measureBusyNs(): () => number {
  const loop = performance.eventLoopUtilization();
  const from = runnableNs(readThreadCpu());
  const beganInRing = waitsInRing();
  return () => {
    // Node takes a wait for io_uring for work of the event loop. What is no wait is work, or a wait for a core.
    const to = beganInRing || waitsInRing() ? runnableNs(readThreadCpu()) : null;
    if (from === null || to === null) return performance.eventLoopUtilization(loop).active * 1e6;
    return to - from;
  };
}

function runnableNs({ ranNs, waitedNs }: ThreadCpu): number | null {
  return ranNs === null || waitedNs === null ? null : ranNs + waitedNs;
}

/** Linux: "ranNs waitedNs slices". A kernel that keeps no such count has no file, or zeros in it. */
function readSchedstat(): ThreadCpu | undefined {
  try {
    const [ranNs, waitedNs] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ').map(Number);
    return ranNs === undefined || waitedNs === undefined || !(ranNs > 0) ? undefined : { ranNs, waitedNs };
  } catch {
    return undefined;
  }
}

/** For other platforms: Node knows the CPU time of a thread from version 23.9 on. */
function readThreadCpuUsage(): number | null {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };
  if (threadCpuUsage === undefined) return null;
  const { user, system } = threadCpuUsage();
  return (user + system) * 1000;
}
