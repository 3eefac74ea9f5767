/** A break of its traffic that is longer than this makes the gate start afresh, without credit. */
const idleMs = 25;

/** Lets requests through at a rate, in order: a server of a known capacity. */
interface RateGate {
  /** Infinite: the gate is open. */
  requestsPerSecond: number;
  /** Calls `pass` when it is the request's turn. */
  enter(pass: () => void): void;
  close(): void;
}

/**
 * A token bucket that is empty at first. Requests that had to wait because a timer came late are let through at once
 * when it comes, so that a busy machine does not lower the rate; what was not used in a break is lost.
 */
export function createRateGate(clock: () => number = () => performance.now()): RateGate {
  const waiting: (() => void)[] = [];
  let credit = 0;
  let filledAtMs = clock();
  let activeAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const gate: RateGate = {
    requestsPerSecond: Number.POSITIVE_INFINITY,
    enter(pass) {
      if (gate.requestsPerSecond === Number.POSITIVE_INFINITY) {
        pass();
        return;
      }
      const nowMs = clock();
      if (waiting.length === 0 && nowMs - activeAtMs > idleMs) {
        credit = 0;
        filledAtMs = nowMs;
      }
      waiting.push(pass);
      pump();
    },
    close() {
      clearTimeout(timer);
      waiting.length = 0;
    },
  };

  function pump(): void {
    clearTimeout(timer);
    const nowMs = clock();
    const perMs = gate.requestsPerSecond / 1000;
    // While nobody waits, credit is not saved up for longer than a timer may be late.
    const most = waiting.length > 1 ? Number.POSITIVE_INFINITY : idleMs * perMs;
    credit = Math.min(most, credit + (nowMs - filledAtMs) * perMs);
    filledAtMs = nowMs;
    activeAtMs = nowMs;
    while (waiting.length > 0 && credit >= 1) {
      credit--;
      waiting.shift()?.();
    }
    if (waiting.length > 0) timer = setTimeout(pump, (1 - credit) / perMs);
  }

  return gate;
}
