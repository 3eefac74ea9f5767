import { onTestFinished, vi } from 'vitest';

/**
 * Stops the clock of pools until the test ends. It tests what a pool does after a time, however busy the machine is. Sockets
 * work as usual.
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

/** Lets time pass, with turns of the event loop in between, until this holds. @returns how many milliseconds passed */
export async function passUntil(pass: (ms: number) => void, holds: () => boolean): Promise<number> {
  let passedMs = 0;
  for (; !holds(); passedMs += 10) {
    pass(10);
    await new Promise(resolve => setImmediate(resolve));
  }
  return passedMs;
}
