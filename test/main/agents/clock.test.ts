import { expect, test } from 'vitest';
import { boundOffset, ControlClock, readClock } from '../../../src/main/agents/clock.ts';
import { nowNs } from '../../../src/pool/clock.ts';

/** An exchange whose question and answer take so long, with a server whose clock is ahead by `offset`. */
function exchange(askedMicros: number, upMicros: number, downMicros: number, offset: number) {
  return {
    askedMicros,
    serverMicros: Math.floor(askedMicros + upMicros + offset),
    heardMicros: askedMicros + upMicros + downMicros,
  };
}

test('the bound holds, however unequal the ways are', () => {
  const offset = 1.7e15 + 0.25;
  for (const [up, down] of [
    [50, 50],
    [2000, 18_000],
    [18_000, 2000],
    [0, 300],
  ] as const) {
    const exchanges = Array.from({ length: 12 }, (_, index) =>
      exchange(1e6 + 20_000 * index + 0.5, up + index, down, offset),
    );
    const bounded = boundOffset(exchanges);
    expect(Math.abs((bounded?.offsetMicros ?? 0) - offset)).toBeLessThanOrEqual(
      (bounded?.boundMicros ?? 0) + 0.5,
    );
    expect(bounded?.boundMicros).toBeLessThanOrEqual((up + down) / 2 + 1);
  }
});

test('the shortest ways decide, each in its own direction', () => {
  const bounded = boundOffset([exchange(0, 10, 5000, 0), exchange(10_000, 5000, 10, 0)]);
  expect(bounded?.boundMicros).toBeLessThanOrEqual(11);
});

test('answers that contradict one another give no offset, and a clock that was set once is read again', async () => {
  expect(boundOffset([exchange(0, 10, 10, 0), exchange(100, 10, 10, 5000)])).toBeNull();
  expect(boundOffset([])).toBeNull();
  let asked = 0;
  const clock = await readClock(async () => nowNs() / 1000 + (asked++ < 3 ? 0 : 1e9));
  expect(clock.toControl(nowNs()) - nowNs() / 1000).toBeCloseTo(1e9, -3);
  await expect(readClock(async () => nowNs() / 1000 + 1e9 * asked++)).rejects.toThrow(
    /changed while it was read/,
  );
});

test('instants go there and back', () => {
  const clock = new ControlClock({ offsetMicros: 1.7e15, boundMicros: 10 });
  expect(clock.toLocal(clock.toControl(123_456_789_000))).toBeCloseTo(123_456_789_000, -3);
});
