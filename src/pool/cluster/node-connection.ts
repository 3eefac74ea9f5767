import { failureCode, poolClosed } from '../errors.ts';
import type { WireConnection } from '../wire-connection.ts';
import type { Part } from './part.ts';

/** A connect follows a failed one of the same node after this long, as a worker's does. */
const pauseMs = 50;

/**
 * What a pooled connection has to one node of the cluster: a connection, or one on its way and the parts that wait for
 * it. A lost one is opened again when there is something to send; if that fails, what waited fails with its code. So a
 * closed loop that meets a dead node is slowed down to its connects, and issues no storm of commands that nobody hears.
 */
export class NodeConnection {
  readonly #connect: () => Promise<WireConnection>;
  readonly #onRefused: () => void;
  #connection: WireConnection | undefined;
  #opening: Promise<void> | undefined;
  #waiting: Part[] = [];
  #notBeforeMs = 0;
  #closedAs: 'CONNECTION_CLOSED' | 'TIMEOUT' | undefined;

  /** @param onRefused is told when a connect has failed, before those who waited for it */
  constructor(connect: () => Promise<WireConnection>, onRefused: () => void) {
    this.#connect = connect;
    this.#onRefused = onRefused;
  }

  /** Undefined where there is none that is alive. */
  get live(): WireConnection | undefined {
    return this.#connection?.alive === true ? this.#connection : undefined;
  }

  get opening(): boolean {
    return this.#opening !== undefined;
  }

  send(part: Part): void {
    const { live } = this;
    if (live === undefined) {
      this.#waiting.push(part);
      if (this.#closedAs === undefined) this.open().catch(() => {});
      else process.nextTick(() => this.#failWaiting(this.#closedAs ?? 'CONNECTION_CLOSED'));
    } else if (part.asking) live.sendAsking(part);
    else live.send(part);
  }

  /** Opens the connection, and sends what waits for it. Rejects with the reason. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Closes the connection for good. Whatever is in flight or waits fails with `code`. */
  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT'): void {
    this.#closedAs ??= code;
    this.#connection?.close(code);
    if (this.#waiting.length > 0) process.nextTick(() => this.#failWaiting(code));
  }

  /** What waited may be followed by more at once: by then this attempt is over, and the next can begin. */
  async #open(): Promise<void> {
    try {
      const earlyMs = this.#notBeforeMs - performance.now();
      if (earlyMs > 0) await new Promise(resolve => setTimeout(resolve, earlyMs));
      if (this.#closedAs !== undefined) throw poolClosed();
      this.#connection = await this.#connect();
      if (this.#closedAs !== undefined) this.#connection.close();
    } catch (error) {
      this.#opening = undefined;
      this.#notBeforeMs = performance.now() + pauseMs;
      this.#onRefused();
      this.#failWaiting(failureCode(error));
      throw error;
    }
    this.#opening = undefined;
    for (const part of this.#waiting.splice(0)) this.send(part);
  }

  #failWaiting(code: string): void {
    for (const part of this.#waiting.splice(0)) {
      part.restart();
      part.fail(code, part.size);
      part.done();
    }
  }
}
