import type { ConnectGate } from './circuit-breaker.ts';
import { nowNs } from './clock.ts';
import type { Connect, Connection } from './connection.ts';
import { circuitOpen, poolClosed } from './errors.ts';
import { PoolRecorder } from './metrics.ts';
import type { ConnectPacing, PoolOptions, Probe } from './presets.ts';

/** Period of the pool's one timer: it serves as coarse clock and expires waiters. */
const sweepMs = 10;
/** Every so many sweeps the pool looks for dead and stalled connections and notes its utilization. */
const sweepsPerInspection = 10;

/** What a pool does of itself when its timer comes. */
export interface MaintenanceTasks {
  /** Every 10 ms. */
  sweep(nowMs: number): void;
  /** Every 100 ms, after connections that stalled were closed. */
  inspect(): void;
}

/**
 * A pool's connections from opening to end, and the timer and clock by which they are looked after. Which caller gets
 * which connection is not decided here.
 */
export class Maintenance {
  readonly recorder: PoolRecorder | undefined;
  readonly #options: PoolOptions;
  readonly #connect: Connect;
  readonly #connectPaced: Connect;
  readonly #gate: ConnectGate;
  readonly #tasks: MaintenanceTasks;
  /** Every open connection, whoever has it. */
  readonly #all = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  /** 0 makes every look at health a check. */
  readonly healthTtlMs: number;
  /** Coarse clock, so that a cached health check needs no reading of the time. Whole, so that V8 need not box it. */
  nowMs = Math.trunc(performance.now());
  closed = false;
  /** Connects under way or waiting for their turn. */
  opening = 0;
  /** Connections that died and were not replaced yet. */
  #lost = 0;
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

  /** Open connections on which something is in flight. */
  get busy(): number {
    let busy = 0;
    for (const { sent, settled } of this.#all) if (sent !== settled) busy++;
    return busy;
  }

  /** Opens a connection at the pool's pace. Whoever asked for it discards it if the pool is closed by then. */
  open(): Promise<Connection> {
    return this.#admit(this.#connectPaced);
  }

  /** Opens one at once: for the holder of a lock, which lets in one at a time anyway. */
  openUnpaced(): Promise<Connection> {
    return this.#admit(this.#connect);
  }

  /** Lets `open` open `count` connections that nobody waits for, unless a connect has just failed. */
  openInBackground(count: number, open: () => Promise<void>): void {
    if (count <= 0 || !this.#gate.quiet) return;
    // Callers meet the same failure in acquire() and count it there; here it only sets the pace.
    for (let i = 0; i < count; i++) open().catch(() => {});
  }

  /** Closes a connection, once. A dead one may still have its socket, and batches that nobody else would end. */
  discard(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    if (!connection.alive) this.#lost++;
    connection.close();
    this.#noteDrained();
  }

  /** Whether its last reply or check still vouches for the connection. */
  isFresh(connection: Connection): boolean {
    if (!connection.alive || this.nowMs - connection.healthyAtMs >= this.healthTtlMs) return false;
    if (this.recorder !== undefined) this.recorder.healthChecksSkipped++;
    return true;
  }

  /** Checks the connection and says whether it is healthy. */
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

  /** No more tasks; connects that still wait for their turn are given up. */
  stop(): void {
    this.closed = true;
    clearInterval(this.#timer);
  }

  /** Once stopped: waits until the last connection is discarded, and after `timeout` ms discards what is left. */
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
    this.recorder?.destroy();
  }

  async #admit(connect: Connect): Promise<Connection> {
    this.opening++;
    try {
      const connection = await connect();
      connection.healthyAtMs = this.nowMs;
      this.#all.add(connection);
      if (this.#lost > 0) {
        this.#lost--;
        if (this.recorder !== undefined) this.recorder.reconnects++;
      }
      return connection;
    } finally {
      this.opening--;
      this.#noteDrained();
    }
  }

  /** The connect alone: what it waited for its turn is not in its time. */
  async #connectTimed(connect: Connect): Promise<Connection> {
    if (this.closed) throw poolClosed();
    const startNs = nowNs();
    const connecting = this.#gate.through(connect);
    if (connecting === undefined) {
      // Not at once: callers that ask again without a pause would leave no time for the reply to the probe.
      await new Promise(resolve => setImmediate(resolve));
      throw circuitOpen();
    }
    try {
      const connection = await connecting;
      // A connect may outlast its pool, and so the recorder.
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

/** Looks at a connection before it is acquired; one that fails is closed or lost. */
export function probeHealth(connection: Connection, probe: Probe): Promise<boolean> {
  return probe === 'ping' ? pinged(connection) : polled(connection);
}

/** The document's check: a look at the socket after a turn of the event loop, in which a lost one has shown itself. */
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
    // A server that refuses the PING has answered it: one that cannot save its data refuses every one.
    if (connection.alive) return true;
    connection.close();
    return false;
  }
}

/**
 * Closes connections that owe a reply for `timeoutMs`: one look in a while for all of them, instead of a timer for
 * every command. A batch's time starts with the first look that finds it, so that none is given up early. Replies
 * come in order: a connection on which something is in flight and nothing settles owes its oldest batch, and all behind.
 * One that is made of others is looked at part by part, so that a node of a cluster that hangs is given up alone.
 */
export function closeStalled(connections: Iterable<Connection>, nowMs: number, timeoutMs: number): void {
  for (const connection of connections) {
    const { parts } = connection;
    if (parts !== undefined) closeStalled(parts, nowMs, timeoutMs);
    else if (connection.sent === connection.settled) connection.sweptSettled = -1;
    else if (connection.settled !== connection.sweptSettled) {
      connection.sweptSettled = connection.settled;
      connection.stalledSinceMs = nowMs;
    } else if (nowMs - connection.stalledSinceMs >= timeoutMs) connection.close('TIMEOUT');
  }
}

/**
 * Longest wait of a jittered connect: 100 connects come at two a millisecond, which a server accepts as they come,
 * and nobody waits longer than a worker does before it asks again after a failure.
 */
export const jitterMs = 50;

/**
 * Spreads a burst of connects: `parallel` leaves it as it is, `serial` connects one after another in the order asked
 * for (one that fails does not stop the next), `jittered` lets each wait for up to `jitterMs` first.
 * `random` draws from [0, 1).
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
