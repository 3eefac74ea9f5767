import { PoolbenchError } from '../errors.ts';
import type { Target } from '../target/resolve.ts';

/** A target that has not answered for this long is lost: a server that restarts is back sooner. */
const patienceMs = 10_000;
const askEveryMs = 500;

/** Notices when the target goes away, waits for it to come back, and gives up after a while. */
export class TargetWatch {
  readonly #target: Target;
  #silentSinceMs: number | undefined;
  #asking = false;
  #askedAtMs = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Whether the target has been silent for longer than a restart takes. */
  get lost(): boolean {
    return this.#silentSinceMs !== undefined && performance.now() - this.#silentSinceMs > patienceMs;
  }

  /** Asks the target, at most twice a second; called while operations fail. */
  suspect(): void {
    if (this.#asking || performance.now() - this.#askedAtMs < askEveryMs) return;
    this.#asking = true;
    void this.#ask().finally(() => {
      this.#asking = false;
    });
  }

  /**
   * Resolves when the target answers: at once if it is there.
   * @throws PoolbenchError TARGET_LOST when it stays away
   */
  async present(stopped: () => boolean): Promise<void> {
    while (!(await this.#ask())) {
      if (this.lost) throw this.error();
      if (stopped()) return;
      await new Promise(resolve => setTimeout(resolve, askEveryMs / 2));
    }
  }

  error(): PoolbenchError {
    const { declared, foundBy } = this.#target;
    return new PoolbenchError(
      'TARGET_LOST',
      `expected ${declared.server} (${foundBy}) to answer until the end, but it has been silent for ${patienceMs / 1000} s; ` +
        'see its log, start it again and repeat the run',
    );
  }

  async #ask(): Promise<boolean> {
    const answers = await this.#target.control.alive();
    this.#askedAtMs = performance.now();
    if (answers) this.#silentSinceMs = undefined;
    else this.#silentSinceMs ??= this.#askedAtMs;
    return answers;
  }
}
