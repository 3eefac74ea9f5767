import { afterEach, expect, test, vi } from 'vitest';
import { timeOfDay } from '../../src/pool/clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('the time of day of a run passes evenly, whatever happens to the system clock', () => {
  const before = timeOfDay().getTime();
  expect(Math.abs(before - Date.now())).toBeLessThan(60_000);
  vi.useFakeTimers({ toFake: ['Date'], now: before - 3_600_000 });
  expect(timeOfDay().getTime()).toBeGreaterThanOrEqual(before);
});
