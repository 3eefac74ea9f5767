import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { SharedState } from '../src/workers/shared-state.ts';
import { until } from './support/connections.ts';

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

test('the first to stop says when', () => {
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
    import { SharedState } from ${JSON.stringify(new URL('../dist/workers/shared-state.js', import.meta.url).href)};
    const state = new SharedState(workerData);
    for (let i = 0; i < 1000; i++) state.markReady();`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const workers = [0, 1].map(() => new Worker(url, { workerData: state.buffer, execArgv: [] }));
  await Promise.all(workers.map(worker => new Promise(resolve => worker.once('exit', resolve))));
  await until(() => state.ready === 2000);
});
