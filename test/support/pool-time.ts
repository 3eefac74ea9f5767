import { onTestFinished, vi } from 'vitest';

/**
 * Stops the time of pools until the test ends, for what a pool does after a time: a busy machine has none of its own in it.
 * Sockets work as ever.
 *
 * @returns lets so many milliseconds pass
 */
export function stopPoolTime(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return ms => void vi.advanceTimersByTime(ms);
}

/** Lets time pass, with turns of the event loop in between, until this holds. @returns how many milliseconds */
export async function passUntil(pass: (ms: number) => void, holds: () => boolean): Promise<number> {
  let passedMs = 0;
  for (; !holds(); passedMs += 10) {
    pass(10);
    await new Promise(resolve => setImmediate(resolve));
  }
  return passedMs;
}
