import type { Batch } from '../../pool/client/batch.ts';
import { Connection, type GuardedClient } from '../../pool/connection.ts';
import { codeOfReply } from '../../pool/errors.ts';
import type { Failures } from './failures.ts';
import type { ScriptGuard } from './script-guard.ts';
import type { Pauses, RunningSession, SessionBatch, SessionScript } from './session.ts';

/** How long a script may take to notice that its connection was closed. */
const maxNoticeMs = 100;

/** What the connections of a thread share. */
interface Shared {
  readonly script: SessionScript<unknown>;
  readonly guard: ScriptGuard;
  readonly failures: Failures;
}

/**
 * A connection whose batches are sessions: sending one runs the script with the client. The pool does not notice the
 * difference. A session has the connection to itself, so every command can be attributed.
 */
export class ScriptConnection extends Connection implements Pauses {
  readonly #inner: Connection;
  readonly #shared: Shared;
  readonly #client: GuardedClient;
  #running: { readonly session: RunningSession; readonly batch: Batch } | undefined;

  /** @throws Error if the connection has no client for scripts */
  constructor(inner: Connection, shared: Shared) {
    super();
    this.#inner = inner;
    this.#shared = shared;
    const guard = shared.guard.forConnection();
    const client = inner.guarded((name, args, first) => {
      const fault = guard(name, args, first);
      this.#running?.session.noteSent(fault);
      // By these a sweep knows how long a session has waited: since its last command.
      this.sent++;
      this.settled++;
      return fault;
    });
    if (client === undefined) throw new Error('Expected a connection with a client that scripts can use');
    this.#client = client;
  }

  get alive(): boolean {
    return this.#inner.alive;
  }

  override get closedAs(): string | undefined {
    return this.#inner.closedAs;
  }

  send(batch: Batch): void {
    batch.restart();
    this.sent++;
    const session = (batch as SessionBatch).open(this.#client.client, this);
    this.#running = { session, batch };
    run(this.#shared.script, session).then(
      () => this.#end(session),
      (error: unknown) => this.#end(session, { error }),
    );
  }

  async ping(): Promise<void> {
    this.sent++;
    try {
      await this.#inner.ping();
    } finally {
      this.settled++;
    }
  }

  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT' = 'CONNECTION_CLOSED'): void {
    this.#inner.close(code);
    const session = this.#running?.session;
    if (session === undefined) return;
    // Its script can wait for anything, also for ever.
    const error = new Error('The session did not end after its connection was closed');
    setTimeout(() => this.#settle(session, { error }), maxNoticeMs).unref();
  }

  pause(session: RunningSession): void {
    if (this.#running?.session === session) this.settled++;
  }

  resume(session: RunningSession): void {
    if (this.#running?.session === session) this.sent++;
  }

  /** A loop of sessions that send nothing, or wait for nothing, would block the event loop. */
  #end(session: RunningSession, thrown?: { readonly error: unknown }): void {
    session.hasReturned = true;
    const waits = thrown !== undefined || !session.noteUnawaited();
    // If a command is refused, its whole transaction or pipeline is not sent.
    const hasSent = session.commands > 0 && session.refusal === undefined;
    if (hasSent && waits) this.#settle(session, thrown);
    else setImmediate(() => this.#settle(session, thrown));
  }

  #settle(session: RunningSession, thrown: { readonly error: unknown } | undefined): void {
    const running = this.#running;
    if (running?.session !== session) return;
    this.#running = undefined;
    if (!session.thinks) this.settled++;
    const { batch } = running;
    const failed = session.refusal === undefined ? thrown : { error: session.refusal };
    if (failed === undefined) batch.completed = 1;
    else batch.fail(this.#shared.failures.note(this.#codeOf(failed.error), failed.error), 1, 0);
    batch.done();
  }

  /** The code of an error: the server's, that of a lost connection, the error's own, or SCRIPT. */
  #codeOf(error: unknown): string {
    if (error instanceof Error) {
      if (this.#client.isReply(error)) return codeOfReply(error.message);
      if ('code' in error && typeof error.code === 'string') return error.code;
    }
    return this.alive ? 'SCRIPT' : (this.closedAs ?? 'CONNECTION_CLOSED');
  }
}

/** Not async, as that would make another promise for each session. */
function run(script: SessionScript<unknown>, { given }: RunningSession): Promise<unknown> {
  try {
    return Promise.resolve(script(given));
  } catch (error) {
    return Promise.reject(error);
  }
}
