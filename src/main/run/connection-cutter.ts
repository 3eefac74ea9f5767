import { setTimeout as sleep } from 'node:timers/promises';
import { nowNs } from '../../pool/clock.ts';
import { Prng, shuffle } from '../../workers/prng.ts';
import { asError } from '../errors.ts';
import type { Control } from '../server/control.ts';

interface CutterOptions {
  /** Milliseconds from one cut to the next; 0: none is cut. */
  readonly everyMs: number;
  /** Name of the connections that may be cut: only those of this run. */
  readonly connectionName: string;
  /** Chooses which. */
  readonly seed: number;
}

/** A connection of the load, at the server that can close it. */
interface Cuttable {
  readonly node: Control;
  readonly id: string;
}

/** Cuts connections of the load on purpose: the server closes one of them every so often, as CLIENT KILL does. */
export class ConnectionCutter {
  readonly #control: Control;
  readonly #options: CutterOptions;
  readonly #prng: Prng;
  readonly #stopped = new AbortController();
  /** Connections that were there at the last look and have not been cut since, in random order. */
  #found: Cuttable[] = [];
  #cuts = 0;
  /** Undefined before the first look. A later look may find none: the connection cut last is on its way back. */
  #sawAny: boolean | undefined;
  #failure: string | undefined;

  constructor(control: Control, options: CutterOptions) {
    this.#control = control;
    this.#options = options;
    this.#prng = new Prng(options.seed);
  }

  /** Connections cut so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Why none could be cut: the server's answer, such as a missing permission. */
  get failure(): string | undefined {
    return (
      this.#failure ?? (this.#sawAny === false ? 'the server lists no connection of this run' : undefined)
    );
  }

  /**
   * Cuts the first connection `everyMs` after the start of the window and the last one before its end, one at a time:
   * if the server takes longer than `everyMs` to cut one, there are fewer.
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
      await this.#cut();
    }
  }

  async #cut(): Promise<void> {
    try {
      // Looked up once in a while: CLIENT LIST takes the server's time, which is being measured.
      if (this.#found.length === 0) {
        this.#found = shuffle(await this.#find(), this.#prng.draw());
        this.#sawAny ||= this.#found.length > 0;
      }
      const next = this.#found.pop();
      if (next === undefined || this.#stopped.signal.aborted) return;
      if (Number(await next.node.call('CLIENT', 'KILL', 'ID', next.id)) > 0) this.#cuts++;
    } catch (error) {
      this.#failure ??= asError(error).message;
    }
  }

  async #find(): Promise<Cuttable[]> {
    const found: Cuttable[] = [];
    for (const node of this.#control.nodes) {
      const list = String(await node.call('CLIENT', 'LIST'));
      found.push(...idsOf(list, this.#options.connectionName).map(id => ({ node, id })));
    }
    return found;
  }
}

/** Ids of the connections of that name, from the text of CLIENT LIST. */
function idsOf(clientList: string, name: string): string[] {
  return clientList
    .split('\n')
    .filter(line => line.includes(` name=${name} `))
    .flatMap(line => /\bid=(\d+) /.exec(line)?.[1] ?? []);
}
