import type { ConnectGate } from './circuit-breaker.ts';
import { nowNs } from './clock.ts';
import type { Connect, Connection } from './connection.ts';
import { circuitOpen, poolClosed } from './errors.ts';
import { PoolRecorder } from './metrics.ts';
import type { ConnectPacing, PoolOptions, Probe } from './presets.ts';

/** Period of the pool's only timer, which sets the coarse clock and expires waiters. */
const sweepMs = 10;
/** Sweeps between two looks for dead and stalled connections, with which the utilization is recorded. */
const sweepsPerInspection = 10;

/** Why a connection is opened: a worker waits for it, or maintenance keeps it idle. */
export type OpenedFor = 'worker' | 'maintenance';

/** The pool's tasks on its timer. */
interface MaintenanceTasks {
  /** Every 10 ms. */
  sweep(nowMs: number): void;
  /** Every 100 ms, after connections that stalled were closed. */
  inspect(): void;
}

/**
 * Opens, checks and closes a pool's connections, with one timer and a coarse clock. Which caller acquires which connection
 * is the pool's decision.
 */
export class Maintenance {
  readonly recorder: PoolRecorder | undefined;
  readonly #options: PoolOptions;
  readonly #connect: Connect;
  readonly #connectPaced: Connect;
  readonly #gate: ConnectGate;
  readonly #tasks: MaintenanceTasks;
  /** All open connections, idle and in use. */
  readonly #all = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  /** 0 if every acquisition needs a check. */
  readonly healthTtlMs: number;
  /** Coarse clock, so that a cached health check need not read the time. A whole number, so that V8 need not box it. */
  nowMs = Math.trunc(performance.now());
  closed = false;
  /** Connection attempts that are in progress or wait for their turn. */
  opening = 0;
  /** Connections that died and have not been replaced. */
  #lost = 0;
  /** Attempts in progress that a worker waits for, and when the last one made the pool larger. */
  #openingForWorkers = 0;
  #grownNs = 0;
  #drained: (() => void) | undefined;
  #sweeps = 0;

  constructor(options: PoolOptions, connect: Connect, gate: ConnectGate, tasks: MaintenanceTasks) {
    if (options.max < 1)
      throw new RangeError(`Expected \`max\` to be a number from 1 and up, found ${options.max}`);
    this.recorder = options.metrics ? new PoolRecorder() : undefined;
    this.#options = options;
    this.#connect = () => this.#connectTimed(connect);
    this.#connectPaced = paced(this.#connect, options.connects, options.random ?? Math.random);
    this.#gate = gate;
    this.#tasks = tasks;
    this.healthTtlMs = options.strategies.health === 'cached' ? options.healthTtlMs : 0;
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  /** Open connections, and those being opened. */
  get total(): number {
    return this.#all.size + this.opening;
  }

  /**
   * When the pool last grew because a worker needed a connection, an instant of the monotonic clock: now, while such an
   * attempt is in progress; 0 if it never did. Connections that maintenance opens to be idle, and replacements of dead
   * ones, do not count as growth.
   */
  get grownNs(): number {
    return this.#openingForWorkers > 0 ? nowNs() : this.#grownNs;
  }

  /** Open connections on which something is in flight. */
  get busy(): number {
    let busy = 0;
    for (const { sent, settled } of this.#all) if (sent !== settled) busy++;
    return busy;
  }

  /** Opens a connection at the configured pace. The caller discards it if the pool has been closed meanwhile. */
  open(openedFor: OpenedFor): Promise<Connection> {
    return this.#admit(this.#connectPaced, openedFor);
  }

  /** Opens a connection at once, for the holder of the mutex, which admits one attempt at a time anyway. */
  openUnpaced(openedFor: OpenedFor): Promise<Connection> {
    return this.#admit(this.#connect, openedFor);
  }

  /** Calls `open` for `count` connections that nobody waits for, unless an attempt has just failed. */
  openInBackground(count: number, open: () => Promise<void>): void {
    if (count <= 0 || !this.#gate.allowsBackground) return;
    // acquire() meets the same failure and counts it; here it only affects the gate.
    for (let i = 0; i < count; i++) open().catch(() => {});
  }

  /** Closes a connection, once. A dead one may still have a socket, and batches that only closing ends. */
  discard(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    if (!connection.alive) this.#lost++;
    connection.close();
    this.#noteDrained();
  }

  /** Whether the last reply or check is recent enough to do without a check. */
  isFresh(connection: Connection): boolean {
    if (!connection.alive || this.nowMs - connection.healthyAtMs >= this.healthTtlMs) return false;
    if (this.recorder !== undefined) this.recorder.healthChecksSkipped++;
    return true;
  }

  /** Checks the connection. @returns whether it is healthy */
  async check(connection: Connection): Promise<boolean> {
    if (!connection.alive) return false;
    const { recorder } = this;
    const startNs = recorder === undefined ? 0 : nowNs();
    const healthy = await probeHealth(connection, this.#options.probe);
    connection.healthyAtMs = this.nowMs;
    if (recorder !== undefined) {
      recorder.healthChecksRun++;
      recorder.healthCheckNs += nowNs() - startNs;
    }
    return healthy;
  }

  /** Stops the timer. Attempts that still wait for their turn will fail. */
  stop(): void {
    this.closed = true;
    clearInterval(this.#timer);
  }

  /** After `stop`: waits until the last connection is discarded, and discards those left after `timeout` milliseconds. */
  async drain(timeout: number): Promise<void> {
    if (this.total > 0 && timeout > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>(resolve => {
        this.#drained = resolve;
        if (timeout !== Number.POSITIVE_INFINITY) timer = setTimeout(resolve, timeout);
      });
      clearTimeout(timer);
    }
    for (const connection of this.#all) this.discard(connection);
  }

  async #admit(connect: Connect, openedFor: OpenedFor): Promise<Connection> {
    const forWorkers = openedFor === 'worker' ? 1 : 0;
    this.opening++;
    this.#openingForWorkers += forWorkers;
    try {
      const connection = await connect();
      connection.healthyAtMs = this.nowMs;
      this.#all.add(connection);
      if (this.#lost > 0) {
        this.#lost--;
        if (this.recorder !== undefined) this.recorder.reconnects++;
      } else if (openedFor === 'worker') {
        this.#grownNs = nowNs();
        if (!this.closed) this.recorder?.grown();
      }
      return connection;
    } finally {
      this.opening--;
      this.#openingForWorkers -= forWorkers;
      this.#noteDrained();
    }
  }

  /** Measures the attempt alone, without the wait for its turn. */
  async #connectTimed(connect: Connect): Promise<Connection> {
    if (this.closed) throw poolClosed();
    const startNs = nowNs();
    const connecting = this.#gate.through(connect);
    if (connecting === undefined) {
      // Not at once: callers that ask again without a pause would leave no time for the probe's reply.
      await new Promise(resolve => setImmediate(resolve));
      throw circuitOpen();
    }
    try {
      const connection = await connecting;
      // An attempt can take longer than its pool, and so the recorder, lives.
      if (!this.closed) this.recorder?.connected(nowNs() - startNs);
      return connection;
    } catch (error) {
      if (this.recorder !== undefined) this.recorder.connectFailures++;
      throw error;
    }
  }

  #noteDrained(): void {
    if (this.closed && this.total === 0) this.#drained?.();
  }

  #sweep(): void {
    this.nowMs = Math.trunc(performance.now());
    this.#tasks.sweep(this.nowMs);
    if (++this.#sweeps % sweepsPerInspection !== 0) return;
    closeStalled(this.#all, this.nowMs, this.#options.timeoutMs);
    this.#tasks.inspect();
  }
}

/** Checks a connection before it is acquired. One that fails is closed or lost. */
function probeHealth(connection: Connection, probe: Probe): Promise<boolean> {
  return probe === 'ping' ? pinged(connection) : polled(connection);
}

/** Looks at the socket after a turn of the event loop, which reveals a lost connection. */
function polled(connection: Connection): Promise<boolean> {
  return new Promise(resolve => {
    setImmediate(() => resolve(connection.alive));
  });
}

async function pinged(connection: Connection): Promise<boolean> {
  try {
    await connection.ping();
    return true;
  } catch {
    // A refusal is also an answer: a server that cannot save its data refuses every PING.
    if (connection.alive) return true;
    connection.close();
    return false;
  }
}

/**
 * Closes connections with a batch that is unanswered for `timeoutMs`. One look at all connections now and then replaces a
 * timer for every command. A batch's time starts with the first look that finds it, however many are in flight before it:
 * so no batch fails early, and slow batches before it give it no extra time. Batches settle in the order in
 * which they were sent, so it is enough to keep how many had been sent at each look. A connection with parts is checked
 * part by part, so that a hanging node of a cluster is closed alone.
 */
function closeStalled(connections: Iterable<Connection>, nowMs: number, timeoutMs: number): void {
  for (const connection of connections) {
    const { parts } = connection;
    if (parts !== undefined) closeStalled(parts, nowMs, timeoutMs);
    else if (nowMs - unansweredSince(connection, nowMs) >= timeoutMs) connection.close('TIMEOUT');
  }
}

/** Looks at the batches in flight. @returns since when the oldest is known to be; now, if none is */
function unansweredSince({ looks, sent, settled }: Connection, nowMs: number): number {
  let kept = 0;
  for (let at = 0; at < looks.length; at += 2) {
    if ((looks[at] as number) <= settled) continue;
    looks[kept] = looks[at] as number;
    looks[kept + 1] = looks[at + 1] as number;
    kept += 2;
  }
  looks.length = kept;
  if (sent > settled && (kept === 0 || sent > (looks[kept - 2] as number))) looks.push(sent, nowMs);
  return looks[1] ?? nowMs;
}

/**
 * Maximum delay of a jittered attempt. 100 attempts are then two per millisecond, which a server accepts at once, and the
 * delay is no longer than a worker's pause after a failure.
 */
export const jitterMs = 50;

/**
 * Spreads a burst of connection attempts. `parallel`: all at once. `serial`: one after another in the order of the calls,
 * whether they fail or not. `jittered`: each after a delay of up to `jitterMs`. `random` draws from [0, 1).
 */
export function paced(connect: Connect, pacing: ConnectPacing, random: () => number): Connect {
  if (pacing === 'serial') return inTurn(connect);
  if (pacing === 'jittered') return () => sleep(random() * jitterMs).then(connect);
  return connect;
}

function inTurn(connect: Connect): Connect {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const turn = last.then(connect);
    last = turn.catch(() => {});
    return turn;
  };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}
