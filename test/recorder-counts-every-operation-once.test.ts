import { expect, test } from 'vitest';
import { Batch } from '../src/pool/client/batch.ts';
import { highestNs } from '../src/pool/histogram.ts';
import { Recorder } from '../src/workers/recorder.ts';
import { decodeHistogram } from './support/decode-histogram.ts';

const startNs = 1e15;
const secondNs = 1e9;

/** A recorder of a window of so many seconds that begins at {@link startNs}. */
function recorderOf(seconds: number): Recorder {
  const recorder = new Recorder({ endNs: startNs + seconds * secondNs });
  recorder.begin(startNs);
  return recorder;
}

function answered(completed: number, misses = 0, failures: Record<string, number> = {}): Batch {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const batch = new Batch(completed + failed, { done: () => {} });
  batch.completed = completed;
  batch.misses = misses;
  for (const [code, count] of Object.entries(failures)) batch.fail(code, count);
  return batch;
}

function read(encoded: string) {
  const histogram = decodeHistogram(encoded);
  const { totalCount, minNonZeroValue, maxValue } = histogram;
  histogram.destroy();
  return { totalCount, min: minNonZeroValue, max: maxValue };
}

/** Within the resolution of three significant digits. */
const about = (value: number) => expect.closeTo(value, -Math.log10(2 * value * 1e-3));

test('a batch of n is n operations with the latency of the batch: service from its sending, response from its due time', () => {
  const recorder = recorderOf(1);
  recorder.due(startNs, 5);
  recorder.record(answered(5, 2), startNs, startNs + 2e6, startNs + 3e6);
  recorder.due(startNs + 4e6, 1);
  recorder.record(answered(1), startNs + 4e6, startNs + 4e6, startNs + 8e6);
  expect(recorder).toMatchObject({ issued: 6, completed: 6, misses: 2, failedCount: 0, overRange: 0 });
  const { service, response } = recorder.finish();
  expect(read(service)).toEqual({ totalCount: 6, min: about(1e6), max: about(4e6) });
  expect(read(response)).toEqual({ totalCount: 6, min: about(3e6), max: about(4e6) });
});

test('failures count by code and have no latency, what completed beside them has', () => {
  const recorder = recorderOf(1);
  recorder.due(startNs, 5);
  recorder.record(answered(2, 0, { OOM: 2, READONLY: 1 }), startNs, startNs, startNs + 1e6);
  recorder.due(startNs, 3);
  recorder.record(answered(0, 0, { OOM: 3 }), startNs, startNs, startNs + 5e6);
  recorder.due(startNs, 4);
  recorder.recordUnconnected('ACQUIRE_TIMEOUT', 4, startNs, startNs + 5e6);
  expect(recorder).toMatchObject({ issued: 12, completed: 2, failedCount: 10 });
  expect(recorder.failed).toEqual({ OOM: 5, READONLY: 1, ACQUIRE_TIMEOUT: 4 });
  const { service, response, series } = recorder.finish();
  expect(read(service)).toMatchObject({ totalCount: 2, max: about(1e6) });
  expect(read(response).totalCount).toBe(2);
  expect(series).toMatchObject([{ second: 0, completed: 2, failed: 10 }]);
});

test('the warm-up is what was due before the window, whenever it was answered', () => {
  const recorder = recorderOf(1);
  recorder.due(startNs - 1, 4);
  recorder.record(answered(3, 1, { OOM: 1 }), startNs - 1, startNs - 1, startNs + 9e6);
  recorder.recordUnconnected('ECONNREFUSED', 4, startNs - 1, startNs + 9e6);
  expect(recorder).toMatchObject({ warmupCompleted: 3, warmupFailed: 5, issued: 0, completed: 0, misses: 0 });
  expect(recorder.failed).toEqual({});
  recorder.due(startNs, 1);
  recorder.record(answered(1), startNs, startNs, startNs + 1e6);
  expect(recorder).toMatchObject({ issued: 1, completed: 1 });
  const { service, series } = recorder.finish();
  expect(read(service).totalCount).toBe(1);
  expect(series).toMatchObject([{ second: 0, completed: 1, failed: 0 }]);
});

test('seconds end on the dot, quiet ones are left out, and the drain belongs to the last', () => {
  const recorder = recorderOf(3);
  const done = (offsetNs: number, latencyNs: number) => {
    const doneNs = startNs + offsetNs;
    recorder.record(
      answered(1),
      Math.max(startNs, doneNs - latencyNs),
      Math.max(startNs, doneNs - latencyNs),
      doneNs,
    );
  };
  done(0.5 * secondNs, 1e6);
  done(secondNs - 1, 2e6);
  // Nothing completes in the second one.
  done(2 * secondNs, 4e6);
  done(3 * secondNs, 5e6);
  done(7.5 * secondNs, 5e9);
  const { series } = recorder.finish();
  expect(series).toMatchObject([
    { second: 0, completed: 2, failed: 0 },
    { second: 2, completed: 3, failed: 0 },
  ]);
  // Two significant digits.
  expect(read(series[0]?.response ?? '')).toEqual({
    totalCount: 2,
    min: expect.closeTo(1e6, -4.5),
    max: expect.closeTo(2e6, -4.8),
  });
  expect(read(series[1]?.response ?? '').totalCount).toBe(3);
});

test('failures alone make a second too', () => {
  const recorder = recorderOf(2);
  recorder.recordUnconnected('ECONNREFUSED', 2, startNs, startNs + 0.5 * secondNs);
  recorder.recordUnconnected('ECONNREFUSED', 3, startNs, startNs + 1.5 * secondNs);
  const { series } = recorder.finish();
  expect(series).toMatchObject([
    { second: 0, completed: 0, failed: 2 },
    { second: 1, completed: 0, failed: 3 },
  ]);
});

test('a latency over the range counts as the highest value, and is told', () => {
  const recorder = recorderOf(1);
  recorder.record(answered(1), startNs, startNs, startNs + highestNs);
  expect(recorder.overRange).toBe(0);
  recorder.record(answered(3), startNs, startNs, startNs + 2 * highestNs);
  expect(recorder).toMatchObject({ completed: 4, overRange: 3 });
  const { service, response } = recorder.finish();
  for (const encoded of [service, response])
    expect(read(encoded)).toMatchObject({ totalCount: 4, max: about(highestNs) });
});

test('a response over the range is told, though the server was quick', () => {
  const recorder = recorderOf(1);
  recorder.record(answered(2), startNs, startNs + 2 * highestNs, startNs + 2 * highestNs + 1e6);
  expect(recorder.overRange).toBe(2);
});

test('the p99 of the current second is in milliseconds, and 0 before the first reply', () => {
  const recorder = recorderOf(2);
  expect(recorder.currentP99Ms).toBe(0);
  recorder.record(answered(1), startNs, startNs, startNs + 5e6);
  expect(recorder.currentP99Ms).toBeCloseTo(5, 0);
  recorder.record(answered(1), startNs + secondNs, startNs + secondNs, startNs + secondNs + 20e6);
  expect(recorder.currentP99Ms).toBeCloseTo(20, 0);
  recorder.finish();
});
