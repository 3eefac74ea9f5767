import type { Redis } from 'ioredis';
import type { ErrorCode } from '../../../src/main/errors.ts';
import type { ClientName } from '../connections.ts';
import type { RunOptions } from '../poolbench.ts';

/** What a fault can lay its hands on while `poolbench run` measures. */
export interface RunScene {
  readonly observer: Redis;
  readonly pid: number;
  /** A folder of the test's own. */
  readonly folder: string;
}

/** Something that goes wrong in the middle of a run, and how the run must end. */
export interface RunFault {
  /** As the table of docs/reliability.md has it. */
  readonly name: string;
  readonly exit: number;
  /** None where it goes on to its end, or where it is a defect that ends it. */
  readonly code?: ErrorCode;
  /** What its last line must say; nothing where it goes on to its end. */
  readonly says?: RegExp;
  /** Rounds to measure at most; a run that is to be ended by its fault has far more than it comes to. */
  readonly rounds?: number;
  /** For a fault of one thread, which the others must hear of. Else one. */
  readonly threads?: number;
  /** If the first measurement that meets the fault is the last one. Absent: both clients, in turn. */
  readonly client?: ClientName;
  /** No other fault can use its server afterwards. */
  readonly spoilsServer?: boolean;
  /** Why keys must be left, if the fault prevents their removal. */
  readonly keysLeft?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** How it is started, in a folder of the test's own. */
  readonly started?: (folder: string) => RunOptions;
  /** Before the run. */
  prepare?(scene: RunScene): unknown;
  /** Comes when the second round begins. */
  inflict(scene: RunScene): unknown;
  /** Lets the server be looked at again, once the run has ended. */
  undo?(scene: RunScene): unknown;
}

/** What was seen of such a fault: its row. */
export interface RunSeen {
  readonly kind: 'run';
  readonly fault: string;
  readonly exit: number | null;
  /** The last line, with what differs between two runs left out. */
  readonly said: string;
  /** Rounds in result.json, each of one scenario. */
  readonly kept: number;
  readonly keysLeft: number;
}
