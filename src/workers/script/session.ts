import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { Batch, type BatchOwner } from '../../pool/client/batch.ts';
import { nowNs } from '../../pool/clock.ts';
import type { Step, Steps } from './steps.ts';

/**
 * What a workload's script receives for each session.
 *
 * @template Client type of the scenario's client
 */
export interface Session<Client = Redis> {
  /** The client object, on a pooled connection that belongs to this session until it ends. */
  readonly client: Client;
  /**
   * A key of the run: chosen by `workload.keyChoice`, or key number `n`, from 0 to `workload.keys` - 1. A command with any
   * other key is not sent, and its session fails with FOREIGN_KEY.
   */
  readonly key: (n?: number) => string;
  /** A value according to `workload.valueBytes` and `workload.valueContent`. */
  readonly value: () => string;
  /** A number from [0, 1). The same seed gives the same numbers. */
  readonly random: () => number;
  /** Runs a part of the session with its own counts and latencies. At most 32 names; steps can be nested. */
  readonly step: <Outcome>(name: string, work: () => Outcome | Promise<Outcome>) => Promise<Outcome>;
  /** Waits for `ms` milliseconds, which are left out of all latencies. The session keeps its connection. */
  readonly think: (ms: number) => Promise<void>;
}

/** The default export of a script: one session. Its result is ignored; if it rejects, the session has failed. */
export type SessionScript<Client = Redis> = (session: Session<Client>) => unknown;

/** What sessions draw from. */
export type SessionSource = Pick<Session, 'key' | 'value' | 'random'>;

/** Notified when a session thinks, and when it continues. */
export interface Pauses {
  pause(session: RunningSession): void;
  resume(session: RunningSession): void;
}

/**
 * One session after another: what its script receives, and what it has done so far. Creating one costs as much as a
 * command.
 */
export class RunningSession {
  readonly given: { -readonly [Key in keyof Session]: Session<unknown>[Key] };
  /** Whether its script has returned. */
  hasReturned = false;
  /** Commands that were sent. */
  commands = 0;
  /** Why the first refused command was refused. The session has then failed, even if its script continues. */
  refusal: Error | undefined;
  /** The steps that have ended. */
  readonly steps: { readonly step: Step; readonly ns: number; readonly failed: boolean }[] = [];
  #pauses: Pauses;
  readonly #steps: Steps;
  /** Number of current calls of think: a script can have several at the same time. */
  #thoughts = 0;
  readonly #running: Step[] = [];
  #thinksSinceNs = 0;
  #thoughtNs = 0;

  constructor(client: unknown, { key, value, random }: SessionSource, steps: Steps, pauses: Pauses) {
    this.#steps = steps;
    this.#pauses = pauses;
    this.given = {
      ...{ client, key, value, random },
      step: this.#step.bind(this) as Session['step'],
      think: this.#think.bind(this),
    };
  }

  /** Whether it has completely ended, so that it can be reused. */
  get isOver(): boolean {
    return this.hasReturned && this.#thoughts === 0 && this.#running.length === 0;
  }

  restart(client: unknown, pauses: Pauses): void {
    this.given.client = client;
    this.#pauses = pauses;
    this.hasReturned = false;
    this.commands = 0;
    this.refusal = undefined;
    this.steps.length = 0;
    this.#thoughtNs = 0;
  }

  /** @param refusal why a command was not sent; undefined if it was */
  noteSent(refusal: Error | undefined): void {
    if (refusal === undefined) this.commands++;
    else this.refusal ??= refusal;
  }

  /** Counts the steps that its script, which has returned, did not wait for. @returns whether there are any */
  noteUnawaited(): boolean {
    for (const step of this.#running) step.unawaited++;
    return this.#running.length > 0;
  }

  get thinks(): boolean {
    return this.#thoughts > 0;
  }

  /** Nanoseconds of think time up to an instant; overlapping calls count once. */
  thoughtBy(instantNs: number): number {
    return this.#thoughtNs + (this.#thoughts > 0 ? instantNs - this.#thinksSinceNs : 0);
  }

  async #think(ms: number): Promise<void> {
    if (!(ms >= 0))
      throw new RangeError(`Expected think(ms) with a number of milliseconds from 0 up, found ${ms}`);
    if (this.#thoughts++ === 0) {
      this.#thinksSinceNs = nowNs();
      this.#pauses.pause(this);
    }
    await sleep(ms);
    if (--this.#thoughts > 0) return;
    this.#thoughtNs += nowNs() - this.#thinksSinceNs;
    this.#pauses.resume(this);
  }

  async #step<Outcome>(name: string, work: () => Outcome | Promise<Outcome>): Promise<Outcome> {
    const step = this.#steps.find(name);
    const startNs = nowNs();
    const thoughtNs = this.thoughtBy(startNs);
    let failed = true;
    this.#running.push(step);
    try {
      const outcome = await work();
      failed = false;
      return outcome;
    } finally {
      const endNs = nowNs();
      this.#running.splice(this.#running.lastIndexOf(step), 1);
      this.steps.push({ step, failed, ns: endNs - startNs - (this.thoughtBy(endNs) - thoughtNs) });
    }
  }
}

/** A batch of one operation, which is a session. */
export class SessionBatch extends Batch {
  /** The one that was opened last. */
  session: RunningSession | undefined;
  readonly #source: SessionSource;
  readonly #steps: Steps;

  constructor(owner: BatchOwner, source: SessionSource, steps: Steps) {
    super(1, owner);
    this.#source = source;
    this.#steps = steps;
  }

  open(client: unknown, pauses: Pauses): RunningSession {
    const last = this.session;
    if (last?.isOver) {
      last.restart(client, pauses);
      return last;
    }
    this.session = new RunningSession(client, this.#source, this.#steps, pauses);
    return this.session;
  }
}
