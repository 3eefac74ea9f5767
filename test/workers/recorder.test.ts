import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeCommands } from '../../src/aggregate/stats/merge.ts';
import { Batch } from '../../src/pool/client/batch.ts';
import { highestNs, LatencyCounts } from '../../src/pool/latency-counts.ts';
import { CommandRecorder, Recorder } from '../../src/workers/recorder.ts';
import { commandMix } from '../../src/workers/workload/command-mix.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { createHistogram, encodeHistogram } from '../support/library-histogram.ts';
import { plainWorkload } from '../support/plain-workload.ts';

describe('operations', () => {
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
    expect(recorder).toMatchObject({ issued: 6, completed: 6, misses: 2, failed: { total: 0 } });
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
    expect(recorder).toMatchObject({ issued: 12, completed: 2, failed: { total: 10 } });
    expect(recorder.failed.toRecord()).toEqual({ OOM: 5, READONLY: 1, ACQUIRE_TIMEOUT: 4 });
    const { service, response, series } = recorder.finish();
    expect(read(service)).toMatchObject({ totalCount: 2, max: about(1e6) });
    expect(read(response).totalCount).toBe(2);
    expect(series).toMatchObject([{ second: 0, completed: 2, failed: 10 }]);
  });

  test('how long operations had waited when they failed is kept apart from the latencies', () => {
    const recorder = recorderOf(1);
    recorder.record(answered(3), startNs, startNs, startNs + 1e6);
    recorder.record(answered(2, 0, { ECONNRESET: 4 }), startNs, startNs + 1e6, startNs + 5e6);
    recorder.recordUnconnected('ACQUIRE_TIMEOUT', 1, startNs, startNs + 9e6);
    recorder.record(answered(0, 0, { OOM: 1 }), startNs - 1, startNs - 1, startNs + 20e6);
    const { response, failedWaits } = recorder.finish();
    expect(read(failedWaits.service)).toEqual({ totalCount: 4, min: about(4e6), max: about(4e6) });
    expect(read(failedWaits.response)).toEqual({ totalCount: 5, min: about(5e6), max: about(9e6) });
    expect(read(response).totalCount).toBe(5);
  });

  test('without a failure there are no such times, and no memory for them', () => {
    const recorder = recorderOf(1);
    recorder.record(answered(3), startNs, startNs, startNs + 1e6);
    expect(recorder.finish().failedWaits).toEqual({ service: '', response: '' });
  });

  test('the warm-up is what was due before the window, whenever it was answered', () => {
    const recorder = recorderOf(1);
    recorder.due(startNs - 1, 4);
    recorder.record(answered(3, 1, { OOM: 1 }), startNs - 1, startNs - 1, startNs + 9e6);
    recorder.recordUnconnected('ECONNREFUSED', 4, startNs - 1, startNs + 9e6);
    expect(recorder).toMatchObject({
      warmupCompleted: 3,
      warmupFailed: 5,
      issued: 0,
      completed: 0,
      misses: 0,
    });
    expect(recorder.failed.toRecord()).toEqual({});
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

  test('a latency over the range counts as the highest value, and is counted as over range', () => {
    const recorder = recorderOf(1);
    recorder.record(answered(1), startNs, startNs, startNs + highestNs);
    recorder.record(answered(3), startNs, startNs, startNs + 2 * highestNs);
    const { service, response, ...counts } = recorder.finish();
    expect(counts).toMatchObject({ completed: 4, overRange: 3 });
    for (const encoded of [service, response])
      expect(read(encoded)).toMatchObject({ totalCount: 4, max: about(highestNs) });
  });

  test('a response time over the range is counted, though the service time was short', () => {
    const recorder = recorderOf(1);
    recorder.record(answered(2), startNs, startNs + 2 * highestNs, startNs + 2 * highestNs + 1e6);
    expect(recorder.finish().overRange).toBe(2);
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
});

describe('each command is timed separately', () => {
  const startNs = 1e15;

  /** Templates: 0 GET, 1 and 2 SET with two values, 3 SETNX. */
  function recorderOfMix(): Recorder {
    const task = {
      ...plainWorkload({ keys: 10, valueBytes: 1, readShare: 0.5 }),
      values: [1, 2].map(bytes => ({ weight: 1, value: { bytes } })),
      commands: ['GET {key}', 'SET {key} {value}', 'SETNX {key} x'].map(command => ({ command, weight: 1 })),
    };
    const recorder = new Recorder(
      { endNs: startNs + 1e9 },
      new CommandRecorder(commandMix(task, 'k:', 1).templates),
    );
    recorder.begin(startNs);
    return recorder;
  }

  function batchOf(commands: readonly number[], settle: (batch: Batch) => void): Batch {
    const batch = new Batch(commands.length, { done: () => {} });
    batch.ownCommands().set(commands);
    settle(batch);
    batch.completed = batch.size - batch.failed;
    return batch;
  }

  test('each command of a batch counts for its own, with the latency of the batch', () => {
    const recorder = recorderOfMix();
    const mixed = batchOf([0, 1, 2, 0, 3, 0], batch => {
      batch.missedAt(3);
      batch.misses = 1;
      batch.refused('OOM', 'OOM no more', 2);
      batch.fail('ECONNRESET', 1, 5);
    });
    recorder.record(mixed, startNs, startNs + 1e6, startNs + 3e6);
    recorder.record(
      batchOf([0], () => {}),
      startNs,
      startNs,
      startNs + 8e6,
    );
    // The warm-up is of no command.
    recorder.record(
      batchOf([0], () => {}),
      startNs - 1,
      startNs,
      startNs + 8e6,
    );
    const { commands, hits } = mergeCommands(recorder.finish().commands);
    expect(commands.map(({ name, completed, failed, misses }) => [name, completed, failed, misses])).toEqual([
      ['GET', 3, { ECONNRESET: 1 }, 1],
      ['SET', 1, { OOM: 1 }, 0],
      ['SETNX', 1, {}, 0],
    ]);
    expect(hits).toBe(2);
    const latencies = commands.map(({ service, response }) => [service.count, service.p50, response.max]);
    const near = (ms: number) => expect.closeTo(ms, 1);
    expect(latencies).toEqual([
      [3, near(2), near(8)],
      [1, near(2), near(3)],
      [1, near(2), near(3)],
    ]);
  });

  test('what a batch missed and why it failed is forgotten when it is sent again', () => {
    const batch = batchOf([0, 1], used => {
      used.missedAt(0);
      used.fail('OOM', 1, 1);
    });
    expect([batch.hasMissed(0), batch.failedAs(1)]).toEqual([true, 'OOM']);
    batch.restart();
    expect([batch.hasMissed(0), batch.failedAs(1), batch.failed]).toEqual([false, undefined, 0]);
  });

  test('where nobody knows which commands failed, as many of the last ones have', () => {
    const batch = batchOf([0, 0, 0, 0], used => {
      used.fail('A', 1);
      used.fail('B', 2);
    });
    expect([0, 1, 2, 3].map(index => batch.failedAs(index))).toEqual([undefined, 'B', 'B', 'A']);
  });

  test('without a recorder of commands there are none in the sample', () => {
    const recorder = new Recorder({ endNs: startNs + 1e9 });
    recorder.begin(startNs);
    expect(recorder.finish().commands).toEqual([]);
  });
});

describe('latency counts', () => {
  /** Latencies from 0 ns to ten minutes, as likely short as long, and the edges of buckets; with fractions, as a clock gives them. */
  const latencyNs = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([bits, share]) => Math.min(highestNs, share * 2 ** bits)),
    fc
      .tuple(fc.integer({ min: 0, max: 39 }), fc.integer({ min: -1, max: 1 }))
      .map(([bits, off]) => Math.max(0, 2 ** bits + off)),
    fc.constant(highestNs),
  );
  const recorded = fc.array(fc.tuple(latencyNs, fc.integer({ min: 1, max: 1000 })), { maxLength: 300 });

  test.each([2, 3] as const)(
    'with %i digits they encode as the histogram does, and name the same percentiles',
    digits => {
      const counts = new LatencyCounts(digits);
      fc.assert(
        fc.property(recorded, fc.double({ min: 0, max: 100, noNaN: true }), (latencies, percentile) => {
          const histogram = createHistogram(digits);
          counts.reset();
          for (const [ns, count] of latencies) {
            histogram.recordValueWithCount(ns, count);
            counts.add(ns, count);
          }
          expect(counts.total).toBe(histogram.totalCount);
          expect(counts.encode()).toBe(encodeHistogram(histogram));
          for (const one of [percentile, 99, 100])
            expect(counts.valueAt(one)).toBe(
              latencies.length === 0 ? 0 : histogram.getValueAtPercentile(one),
            );
          histogram.destroy();
        }),
        { seed: 1, numRuns: 100 },
      );
    },
  );
});
