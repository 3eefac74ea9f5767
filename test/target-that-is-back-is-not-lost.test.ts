import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TargetWatch } from '../src/main/run/target-watch.ts';
import type { Target } from '../src/main/server/resolve.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A watch of a target that answers as it is told to. */
function watchTarget() {
  const target = { answers: true, asked: 0 };
  const control = {
    async alive() {
      target.asked++;
      return target.answers;
    },
  };
  const watch = new TargetWatch({ control } as unknown as Target, { timeoutMs: 5000, say: () => {} });
  return { target, watch };
}

test('an outage that is over is over, though nothing fails any more that would tell', async () => {
  const { target, watch } = watchTarget();
  target.answers = false;
  await vi.advanceTimersByTimeAsync(1000);
  watch.suspect();
  await vi.advanceTimersByTimeAsync(2000);
  expect(watch.lost).toBe(false);
  target.answers = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.lost).toBe(false);
  expect(target.asked).toBeLessThan(10);
});

test('a target that stays silent is lost after twice the time limit, and is then left alone', async () => {
  const { target, watch } = watchTarget();
  target.answers = false;
  await vi.advanceTimersByTimeAsync(1000);
  watch.suspect();
  await vi.advanceTimersByTimeAsync(9000);
  expect(watch.lost).toBe(false);
  await vi.advanceTimersByTimeAsync(2000);
  expect(watch.lost).toBe(true);
  const { asked } = target;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(target.asked).toBe(asked);
});
