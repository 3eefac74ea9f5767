import { keyRanges } from '../../workers/workload/keys.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { type WorkloadConfig, workloadTask } from '../experiment/workload.ts';
import { isTaken } from '../server/claim.ts';
import { DataSet } from '../server/data-set.ts';
import type { Target } from '../server/find-target.ts';
import { claimKeySpace, type KeySpace, type Removal, removeKeySpace } from '../server/key-space.ts';
import { missingLibraries } from '../server/server-scripts.ts';
import type { KeptClaims } from './left-keys.ts';

interface LoadKeysParts {
  readonly target: Target;
  readonly experiment: Experiment;
  readonly workload: WorkloadConfig;
  /** Ends the writing early. */
  readonly signal: AbortSignal;
  /** Called with each caveat. */
  readonly warn: (line: string) => void;
}

/** The keys of one load of a side (of its scenarios or of a population), under their own prefix. */
export class LoadKeys {
  readonly #parts: LoadKeysParts;
  #space: KeySpace | undefined;
  #data: DataSet | undefined;
  /** Names of the libraries that it loads itself. */
  #libraries: readonly string[] = [];
  #isRemoved = false;

  constructor(parts: LoadKeysParts) {
    this.#parts = parts;
  }

  /** Undefined before they are claimed. */
  get space(): KeySpace | undefined {
    return this.#space;
  }

  get claimed(): KeySpace {
    if (this.#space === undefined) throw new Error('expected keys to be claimed before they are loaded');
    return this.#space;
  }

  /** The claim, if there are still keys under it. */
  get left(): KeptClaims[number] | undefined {
    if (this.#space === undefined || !this.#space.claimed || this.#isRemoved) return undefined;
    const { prefix, token, keys } = this.#space;
    const libraries = [...this.#libraries];
    return { prefix, token, keys, ...(libraries.length === 0 ? {} : { libraries }) };
  }

  /** The written data; undefined before it is written. */
  get data(): DataSet | undefined {
    return this.#data;
  }

  /** Claims a prefix. @throws PoolbenchError TARGET_NOT_AVAILABLE, TARGET_LOST */
  async claim(): Promise<void> {
    const { target, experiment, workload, warn } = this.#parts;
    this.#space = await claimKeySpace(target.control, {
      seed: experiment.seed,
      before: experiment.target.keyPrefix,
      keys: keyRanges(workloadTask(workload)).written,
    });
    for (const line of this.#space.warnings) warn(line);
    // Only before the first write: later, libraries on the server may be its own.
    if (this.#data === undefined)
      this.#libraries = await missingLibraries(target.control, workload.functions);
  }

  /** Writes the keys that must exist before the load. @throws PoolbenchError TARGET_LOST */
  async write(): Promise<void> {
    const { target, experiment, workload, signal, warn } = this.#parts;
    const { functions } = workload;
    const data = { seed: experiment.seed, workload: workloadTask(workload), functions, signal, warn };
    this.#data = new DataSet(target.control, this.claimed, data);
    await this.#data.write();
  }

  /**
   * Claims another prefix if another run has claimed this one, whose keys must be left alone from then on.
   *
   * @param before what follows, as text
   * @throws PoolbenchError TARGET_NOT_AVAILABLE, TARGET_LOST
   */
  async keep(before: string): Promise<void> {
    const lost = this.claimed;
    // The target watch detects the loss of a target.
    if (!(await isTaken(this.#parts.target.control, lost).catch(() => false))) return;
    await this.claim();
    this.#parts.warn(
      `before ${before}, another run of poolbench had taken the key prefix ${lost.prefix}, because the server had lost this run's claim to it (it was restarted or flushed, or it evicts keys): this run left those keys alone, and continued with the prefix ${this.claimed.prefix}`,
    );
    await this.write();
  }

  /** @returns undefined if the server does not answer */
  async remove(): Promise<Removal | undefined> {
    await this.#data?.removeFunctions().catch(() => {});
    const removal = await removeKeySpace(this.#parts.target.control, this.claimed).catch(() => undefined);
    this.#isRemoved = removal?.left === 0;
    return removal;
  }
}
