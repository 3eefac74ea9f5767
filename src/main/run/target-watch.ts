import { PoolbenchError } from '../errors.ts';
import type { Target } from '../server/find-target.ts';

const askEveryMs = 500;
/** Slightly later, because a timer may be early. */
const askAgainMs = askEveryMs + 10;

/** Detects the loss of the target, waits for it to return, and gives up after a while. */
export class TargetWatch {
  readonly #target: Target;
  readonly #patienceMs: number;
  readonly #say: (line: string) => void;
  #silentSinceMs: number | undefined;
  #lost = false;
  #asking = false;
  #askedAtMs = 0;

  /**
   * @param options.timeoutMs max time for a batch; a target may be silent for twice as long: by default 10 s, enough
   * for a restart
   * @param options.say called with a line for the user when the wait for the target begins
   */
  constructor(target: Target, options: { timeoutMs: number; say: (line: string) => void }) {
    this.#target = target;
    this.#patienceMs = 2 * options.timeoutMs;
    this.#say = options.say;
  }

  /**
   * Whether the target has been silent for longer than a restart takes. It then stays lost: a measurement that was
   * stopped for this must not count as complete if the target answers a moment later.
   */
  get lost(): boolean {
    this.#lost ||=
      this.#silentSinceMs !== undefined && performance.now() - this.#silentSinceMs > this.#patienceMs;
    return this.#lost;
  }

  /** Asks the target at most twice a second until it answers; called while operations fail. */
  suspect(): void {
    if (this.#asking || performance.now() - this.#askedAtMs < askEveryMs) return;
    this.#asking = true;
    void this.#ask().finally(() => {
      this.#asking = false;
      // Once it is back, no operation fails, so nothing would ask again and the silence would seem to last.
      if (this.#silentSinceMs !== undefined && !this.lost)
        setTimeout(() => this.suspect(), askAgainMs).unref();
    });
  }

  /**
   * Resolves when the target answers, possibly at once.
   * @throws PoolbenchError TARGET_LOST if it does not come back
   */
  async present(stopped: () => boolean): Promise<void> {
    for (let said = false; !(await this.#ask()); said = true) {
      if (this.lost) throw this.error();
      if (stopped()) return;
      if (!said) this.#say(`the target does not answer: waiting up to ${this.#patienceMs / 1000} s for it`);
      await new Promise(resolve => setTimeout(resolve, askEveryMs / 2));
    }
  }

  error(): PoolbenchError {
    const { declared, detected, foundBy, control } = this.#target;
    const server = declared.server === 'any' ? detected.server : declared.server;
    const patience = `${this.#patienceMs / 1000} s (twice timeoutMs)`;
    const found =
      control.shutOut === undefined
        ? `${describeSilence(control.goneAs)} for ${patience}; read the server's log, start the server again and repeat the run`
        : `it has refused every connection for ${patience}: ${control.shutOut}`;
    return new PoolbenchError(
      'TARGET_LOST',
      `expected ${server} (${foundBy}) to answer until the end, but ${found}`,
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

/** Describes what was observed of a lost target, by the error code of the last connection attempt, as a clause. */
function describeSilence(code: string | undefined): string {
  switch (code) {
    case undefined:
      return 'it has not answered';
    case 'ECONNREFUSED':
      return 'its address has refused connections';
    case 'ENOENT':
      return 'its unix socket has been missing';
    case 'ECONNRESET':
      return 'it has reset every connection';
    case 'NO_MASTER':
      return 'no Sentinel has reported a master';
    default:
      return `no connection to it could be opened (${code})`;
  }
}
