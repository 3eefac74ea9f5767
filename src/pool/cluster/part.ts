import { Batch } from '../batch.ts';
import { mostRedirects, type Redirect, readRedirect } from './redirects.ts';

/** A batch while its commands are on their way to several nodes. */
export interface Flight {
  batch: Batch;
  /** Parts of it that are still out. */
  open: number;
  /** Is told when one has come back. */
  readonly landed: (part: Part) => void;
}

/** Where one command of a part has to go, as its node said. */
export interface RedirectedCommand extends Redirect {
  readonly index: number;
}

/** Those commands of a batch that go to one node together. Redirections are kept apart from failures. */
export class Part extends Batch {
  flight: Flight | undefined;
  /** Index of the node it goes to. */
  node = 0;
  /** Whether that node has to be told that we ask it for a slot which it only imports. Such a part has one command. */
  asking = false;
  /** Redirections that brought its commands here. */
  hops = 0;
  /** Where each of its commands stands in the flight's batch. */
  readonly origins: Uint32Array;
  redirected: RedirectedCommand[] | undefined;

  constructor(size: number, stride: number) {
    super(size, { done: () => this.flight?.landed(this) }, stride);
    this.origins = new Uint32Array(size);
  }

  /** Takes over a command of another batch, which stands at `origin` in the flight's. */
  takeOver(to: number, source: Batch, from: number, origin: number): void {
    this.copy(to, source, from);
    this.origins[to] = origin;
  }

  /** Tells the flight's batch which of its commands found nothing, and which failed, and why. */
  passOn({ batch }: Flight): void {
    batch.completed += this.completed;
    batch.misses += this.misses;
    if (this.misses === 0 && this.failures === undefined) return;
    for (let index = 0; index < this.size; index++) {
      const origin = this.origins[index] as number;
      const code = this.failedAs(index);
      if (code !== undefined) batch.fail(code, 1, origin);
      else if (this.hasMissed(index)) batch.missedAt(origin);
    }
  }

  override restart(): void {
    super.restart();
    this.redirected = undefined;
  }

  override refused(code: string, message: string, index: number): void {
    const redirect = this.hops < mostRedirects ? readRedirect(message) : undefined;
    if (redirect === undefined) this.fail(code, 1, index);
    else {
      this.redirected ??= [];
      this.redirected.push({ ...redirect, index });
    }
  }
}

/** Parts larger than this are made anew each time: over so many commands that costs nothing. */
const largestKept = 256;

/**
 * Parts that are not in use, by size: batches are cut anew every time, and making parts would cost more than sending
 * them. All batches of one CommandSet have the same stride, and so have the parts of a store.
 */
export class PartStore {
  readonly #free: Part[][] = [];

  take(size: number, flight: Flight, node: number): Part {
    const part = this.#free[size]?.pop() ?? new Part(size, flight.batch.stride);
    part.flight = flight;
    part.node = node;
    part.asking = false;
    part.hops = 0;
    return part;
  }

  giveBack(part: Part): void {
    part.flight = undefined;
    if (part.size > largestKept) return;
    for (let size = this.#free.length; size <= part.size; size++) this.#free.push([]);
    this.#free[part.size]?.push(part);
  }
}
