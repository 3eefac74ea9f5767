import type { Redis } from 'ioredis';
import type { AnyClient } from '../connections.ts';
import type { TestProxy } from '../proxy.ts';
import type { TaskOptions } from '../threads.ts';
import type { RunSeen } from './run-fault.ts';

/** What a fault can lay its hands on: a real server, the proxy in front of it, and a look at the server past the proxy. */
export interface Scene {
  readonly proxy: TestProxy;
  readonly observer: Redis;
  readonly pid: number;
  /** Kills the server as `kill -9` does, and starts another one at its port. */
  killAndRestart(): Promise<void>;
}

/**
 * How far the server's own count can agree with ours: it ran what we say was completed and nothing else; that and what it
 * answered with an error; that and perhaps what was lost on its way back; or it forgot its count.
 */
export type Known = 'completed' | 'completed and failed' | 'completed, and some that failed' | 'nothing';

/** Something that goes wrong while a thread loads a server, and what must be true afterwards. */
export interface Fault {
  /** As the table of docs/reliability.md has it. */
  readonly name: string;
  /** Codes of operations that may fail; of these at least one must be seen. None: nothing may fail. */
  readonly fails: readonly string[];
  readonly known: Known;
  /** The slowest operation must have taken this long, or the fault was not there. */
  readonly slowestMs?: number;
  /** Whether it is gone through in an open loop, too. */
  readonly inOpenLoop?: boolean;
  readonly load?: Partial<TaskOptions>;
  /** More arguments of the server, for what no connection may change later. It then has a server of its own. */
  readonly serverArguments?: readonly string[];
  /** No other fault can use its server afterwards. */
  readonly spoilsServer?: boolean;
  /** Before the load. */
  prepare?(scene: Scene): Promise<unknown>;
  /**
   * Begins 100 ms into the window. It undoes whatever would outlast the test on the server.
   *
   * @param felt resolves when the load has felt the fault or ended: on a busy machine, a client may send nothing for long
   */
  inflict(scene: Scene, felt: () => Promise<unknown>): unknown;
}

/** A load that gives up soon. Its pool does not warm: on a busy machine that may take longer, and would fail the load. */
export const hasty = { timeoutMs: 500, pools: [{ minIdle: 0 }] } as const;

/** What was seen of a fault, for one client: a part of its row. */
export interface Seen {
  readonly kind: 'load';
  readonly fault: string;
  readonly client: AnyClient;
  readonly loop: 'closed' | 'open';
  readonly issued: number;
  readonly completed: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly unfinished: number;
  /** The server's own count; null where the fault took it. */
  readonly serverCalls: number | null;
}

declare module 'vitest' {
  interface TaskMeta {
    /** What a test of a fault has seen, for docs/reliability.md. */
    seen?: readonly (Seen | RunSeen)[];
  }
}
