import { setTimeout as sleep } from 'node:timers/promises';
import { nowNs } from '../../pool/clock.ts';
import { Prng, shuffle } from '../../workers/prng.ts';
import { asError } from '../errors.ts';
import type { Control } from '../server/control.ts';

interface CutterOptions {
  /** Milliseconds from one cut to the next; 0: none is cut. */
  readonly everyMs: number;
  /** Chooses which. */
  readonly seed: number;
}

/**
 * Cuts one connection of the load, chosen by the random number `draw`.
 *
 * @returns whether there was one to cut
 */
export type Cut = (draw: number) => Promise<boolean>;

/** Cuts connections of the load at a regular interval. */
export class ConnectionCutter {
  readonly #cut: Cut;
  readonly #options: CutterOptions;
  readonly #prng: Prng;
  readonly #stopped = new AbortController();
  #cuts = 0;
  #tries = 0;
  #failure: string | undefined;

  constructor(cut: Cut, options: CutterOptions) {
    this.#cut = cut;
    this.#options = options;
    this.#prng = new Prng(options.seed);
  }

  /** Connections cut so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Why no connection, or no further one, could be cut, such as a missing permission. */
  get failure(): string | undefined {
    const none = this.#tries > 0 && this.#cuts === 0;
    return this.#failure ?? (none ? 'no connection of this run was found to cut' : undefined);
  }

  /**
   * Cuts the first connection `everyMs` after the start of the window and the last one before its end, one at a time:
   * if a cut takes longer than `everyMs`, there are fewer.
   */
  schedule(startNs: number, endNs: number): void {
    if (this.#options.everyMs > 0) void this.#run(startNs, endNs);
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(startNs: number, endNs: number): Promise<void> {
    const everyNs = this.#options.everyMs * 1e6;
    for (let dueNs = startNs + everyNs; dueNs < endNs; dueNs = Math.max(dueNs + everyNs, nowNs())) {
      const { signal } = this.#stopped;
      await sleep(Math.max(0, (dueNs - nowNs()) / 1e6), undefined, { signal }).catch(() => {});
      if (signal.aborted || this.#failure !== undefined) return;
      await this.#cutOne();
    }
  }

  async #cutOne(): Promise<void> {
    try {
      this.#tries++;
      if (await this.#cut(this.#prng.draw())) this.#cuts++;
    } catch (error) {
      // A cut that was under way when the window ended is not a failure.
      if (this.#stopped.signal.aborted) {
        this.#tries--;
        return;
      }
      this.#failure ??= asError(error).message;
    }
  }
}

/** A connection of the load, at the server that can close it. */
interface Cuttable {
  readonly node: Control;
  readonly id: string;
}

/**
 * Asks the server to close a connection (CLIENT KILL).
 *
 * @param name name of the connections that may be cut: only those of this run
 */
export function cutByServer(control: Control, name: string): Cut {
  // Looked up only occasionally, because CLIENT LIST takes the time of the server under test.
  let found: Cuttable[] = [];
  return async draw => {
    if (found.length === 0) found = shuffle(await findConnections(control, name), draw);
    const next = found.pop();
    return next !== undefined && Number(await next.node.call('CLIENT', 'KILL', 'ID', next.id)) > 0;
  };
}

async function findConnections(control: Control, name: string): Promise<Cuttable[]> {
  const found: Cuttable[] = [];
  for (const node of control.nodes) {
    const list = String(await node.call('CLIENT', 'LIST'));
    found.push(...idsOf(list, name).map(id => ({ node, id })));
  }
  return found;
}

/** Ids of the connections with that name, from the text of CLIENT LIST. */
function idsOf(clientList: string, name: string): string[] {
  return clientList
    .split('\n')
    .filter(line => line.includes(` name=${name} `))
    .flatMap(line => /\bid=(\d+) /.exec(line)?.[1] ?? []);
}
