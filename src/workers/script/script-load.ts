import { type BatchOwner, keyName } from '../../pool/client/batch.ts';
import type { Connect } from '../../pool/connection.ts';
import type { KeyRange, ThreadTask } from '../contract.ts';
import { streamSeed } from '../prng.ts';
import type { LoadWindow, StageRecorder } from '../recorder.ts';
import { openKeyChooser } from '../workload/keys.ts';
import { AliasTable, Draws, KeyDraws } from '../workload/samplers.ts';
import { valueTexts } from '../workload/values.ts';
import type { Workload } from '../workload/workload.ts';
import { Failures } from './failures.ts';
import { loadScript } from './load-script.ts';
import { ScriptConnection } from './script-connection.ts';
import { ScriptFault } from './script-fault.ts';
import { ScriptGuard } from './script-guard.ts';
import { SessionBatch, type SessionScript, type SessionSource } from './session.ts';
import { SessionRecorder } from './session-recorder.ts';
import { Steps } from './steps.ts';
import { noteStrays } from './strays.ts';

/** What a thread needs of its task for sessions. */
type ScriptTask = Pick<ThreadTask, 'workload' | 'keyPrefix' | 'valueSeed'>;

/** The sessions of one thread: makes of the pools' connections, workloads and recorders those of a script. */
export class ScriptLoad {
  readonly #task: ScriptTask;
  readonly #script: SessionScript<unknown>;
  readonly #guard: ScriptGuard;
  readonly #steps = new Steps();
  readonly #failures: Failures;

  private constructor(task: ScriptTask, script: SessionScript<unknown>, file: string) {
    this.#task = task;
    this.#failures = new Failures(file);
    this.#script = script;
    this.#guard = new ScriptGuard(task.keyPrefix, task.workload.keys);
  }

  /** @throws Error as `loadScript` */
  static async open(task: ScriptTask, file: string): Promise<ScriptLoad> {
    return new ScriptLoad(task, await loadScript(file), file);
  }

  connector(connect: Connect): Connect {
    const shared = { script: this.#script, guard: this.#guard, failures: this.#failures };
    return async () => new ScriptConnection(await connect(), shared);
  }

  /** Of a pool, or of a worker with keys of its own. */
  openWorkload(own: KeyRange, seed: number): Workload {
    const source = sourceOf(this.#task, own, seed);
    return {
      stride: 1,
      fill: () => {},
      newBatch: (owner: BatchOwner) => new SessionBatch(owner, source, this.#steps),
    };
  }

  newRecorder(window: LoadWindow, stages?: StageRecorder): SessionRecorder {
    const sampled = () => ({ sent: this.#guard.sent, messages: this.#failures.messages });
    return new SessionRecorder(window, { steps: this.#steps, sampled, stages });
  }

  /** Calls `noteStrays` (strays.ts) for this script. */
  noteStrays(): () => void {
    return noteStrays(this.#failures);
  }
}

function sourceOf(
  { workload, keyPrefix, valueSeed }: ScriptTask,
  own: KeyRange,
  seed: number,
): SessionSource {
  const streamOf = (use: number) => streamSeed(seed, 'session', use);
  const { keys, keyChoice } = workload;
  const keyDraws = new KeyDraws(openKeyChooser(keyChoice, own, keys, streamOf(0)));
  const values = valueTexts(workload, valueSeed);
  const table = new AliasTable(values.map(({ fraction }) => fraction));
  const valueDraws = new Draws(streamOf(1));
  const draws = new Draws(streamOf(2));
  return {
    key(n) {
      if (n === undefined) return keyName(keyPrefix, keyDraws.next());
      if (Number.isInteger(n) && n >= 0 && n < keys) return keyName(keyPrefix, n);
      throw new ScriptFault(
        'FOREIGN_KEY',
        `Expected key(n) with a whole number from 0 to ${keys - 1}, found ${n}`,
      );
    },
    value: () => values[table.pick(valueDraws.next())]?.text ?? '',
    random: () => draws.next() / 2 ** 32,
  };
}
