import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FailureNotes, noteBytes, SharedState } from '../../src/workers/shared-state.ts';
import { anyText } from '../support/any-text.ts';
import { until } from '../support/connections.ts';

describe('state of threads', () => {
  /** What another thread has: the same memory, and an object of its own. */
  const elsewhere = (state: SharedState) => new SharedState(state.buffer);

  test('ready, start and stop are seen by the other side', () => {
    const here = SharedState.forThreads(3);
    const there = elsewhere(here);
    expect([there.ready, there.startNs, there.stopNs]).toEqual([0, undefined, undefined]);
    here.markReady();
    there.markReady();
    expect([here.ready, there.ready]).toEqual([2, 2]);
    here.release(123_456_789_012_345.5);
    expect(there.startNs).toBe(123_456_789_012_345.5);
    expect(there.stopNs).toBeUndefined();
    here.stop(0);
    expect(there.stopNs).toBe(0);
  });

  test('the first stop decides the instant', () => {
    const state = SharedState.forThreads(1);
    state.stop(5e15);
    state.stop(6e15);
    expect(state.stopNs).toBe(5e15);
  });

  test('every thread has a slot of its own', () => {
    const threads = 64;
    const state = SharedState.forThreads(threads);
    const progress = (thread: number) => ({
      atNs: 1e15 + thread,
      warmupCompleted: thread,
      warmupFailed: thread * 2,
      completed: 1e12 + thread,
      failed: thread * 3,
      p99Ms: thread / 8,
      busyNs: 1e9 + thread,
      cpuNs: 2e9 + thread,
      connections: 9000 + thread,
      idle: 100 + thread,
      waiting: 10_000 + thread,
    });
    for (let thread = 0; thread < threads; thread++) {
      state.publish(thread, progress(thread));
      state.publishFailures(thread, { OOM: thread, TIMEOUT: 1 });
    }
    state.markReady();
    state.release(1);
    state.stop(2);
    for (let thread = 0; thread < threads; thread++) {
      expect(elsewhere(state).progress(thread)).toEqual(progress(thread));
      expect(elsewhere(state).failures(thread)).toEqual({ OOM: thread, TIMEOUT: 1 });
    }
    expect([state.ready, state.startNs, state.stopNs]).toEqual([1, 1, 2]);
  });

  test('real threads count up to the last one', async () => {
    const state = SharedState.forThreads(2);
    const program = `
    import { workerData } from 'node:worker_threads';
    import { SharedState } from ${JSON.stringify(new URL('../../dist/workers/shared-state.js', import.meta.url).href)};
    const state = new SharedState(workerData);
    for (let i = 0; i < 1000; i++) state.markReady();`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
    const workers = [0, 1].map(() => new Worker(url, { workerData: state.buffer, execArgv: [] }));
    await Promise.all(workers.map(worker => new Promise(resolve => worker.once('exit', resolve))));
    await until(() => state.ready === 2000);
  });
});

describe('failure notes', () => {
  const two = () => {
    const buffer = new SharedArrayBuffer(64 + 2 * noteBytes);
    return { here: new FailureNotes(buffer, 64), there: new FailureNotes(buffer, 64), buffer };
  };

  test('a note is read as it was written, whatever the codes are', () => {
    const codes = fc.dictionary(anyText({ maxLength: 8 }), fc.nat(), { maxKeys: 6 });
    fc.assert(
      fc.property(codes, codes, (first, second) => {
        const { here, there } = two();
        expect(there.read(0)).toEqual({});
        here.write(0, first);
        expect(there.read(0)).toEqual({ ...first });
        here.write(1, second);
        here.write(0, second);
        expect([there.read(0), there.read(1)]).toEqual([{ ...second }, { ...second }]);
      }),
    );
  });

  test('codes that have no room are left out, the latest first', () => {
    const { here, there } = two();
    const long = (letter: string) => letter.repeat(200);
    here.write(0, { OOM: 1, [long('a')]: 2, [long('b')]: 3, [long('c')]: 4 });
    here.write(1, { OOM: 5 });
    expect(there.read(0)).toEqual({ OOM: 1, [long('a')]: 2, [long('b')]: 3 });
    expect(there.read(1)).toEqual({ OOM: 5 });
  });

  test('while a thread writes, its last note stands', () => {
    const { here, there, buffer } = two();
    here.write(0, { OOM: 1 });
    expect(there.read(0)).toEqual({ OOM: 1 });
    const version = new Int32Array(buffer, 64, 1);
    here.write(0, { OOM: 2 });
    Atomics.sub(version, 0, 1);
    expect(there.read(0)).toEqual({ OOM: 1 });
    Atomics.add(version, 0, 1);
    expect(there.read(0)).toEqual({ OOM: 2 });
  });
});
