import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LatencyCounts } from '../../src/pool/latency-counts.ts';
import { ArrivalQueue, type ArrivalTaker } from '../../src/workers/arrival-queue.ts';
import { arrivalsOf, stageEnds } from '../../src/workers/arrival-schedule.ts';
import type { RateStage } from '../../src/workers/contract.ts';

const releasedNs = 1e15;
const msNs = 1e6;

interface Setting {
  /** Operations a second; the mean of the stages. */
  readonly rate?: number;
  readonly stages?: readonly RateStage[];
  readonly pipeline?: number;
  readonly workers?: number;
  readonly warmupMs?: number;
  readonly windowMs?: number;
}

/** A queue with workers that do nothing by themselves, and a clock that the test sets; times in ms from the release. */
function buildQueue({
  rate = 1000,
  stages,
  pipeline = 1,
  workers = 1,
  warmupMs = 0,
  windowMs = 100,
}: Setting = {}) {
  const window = { endNs: releasedNs + (warmupMs + windowMs) * msNs };
  const lag = new LatencyCounts(3);
  const state = { nowNs: releasedNs, retired: 0, woken: 0 };
  const pacer = { noteWork: () => {}, wake: () => void state.woken++ };
  const arrivals = { kind: 'constant', rate, size: pipeline, ...(stages && { stages }) } as const;
  const task = { arrivals, pools: 1, firstPool: 0 };
  const queue = new ArrivalQueue(() => arrivalsOf(task, 0, pipeline, 1), pipeline, {
    window,
    lag,
    pacer,
    stageEndsNs: stageEnds(stages),
    clock: () => state.nowNs,
  });
  queue.begin(releasedNs);
  queue.openWindow(releasedNs + warmupMs * msNs);
  /** When what each worker took was due, in ms; undefined once it has nothing in hand. */
  const taken: { dueMs: number; byWorker: number }[] = [];
  const hands = Array.from(
    { length: workers },
    (_, byWorker): ArrivalTaker => ({
      take: dueNs => void taken.push({ dueMs: Math.round((dueNs - releasedNs) / msNs), byWorker }),
      retire: () => void state.retired++,
    }),
  );
  for (const hand of hands) queue.join(hand);
  return {
    queue,
    state,
    taken,
    lag,
    window,
    dispatch(atMs: number) {
      state.nowNs = releasedNs + atMs * msNs;
      queue.dispatch(state.nowNs);
    },
    free(worker: number, atMs: number, completed = pipeline) {
      state.nowNs = releasedNs + atMs * msNs;
      queue.free(hands[worker] as ArrivalTaker, state.nowNs, completed);
    },
  };
}

test('what is due is taken in order by idle workers, and nothing before it is due', () => {
  const { taken, dispatch, free, state } = buildQueue({ workers: 2 });
  dispatch(0);
  expect(taken.map(({ dueMs }) => dueMs)).toEqual([0]);
  dispatch(0.9);
  expect(taken).toHaveLength(1);
  dispatch(3.5);
  expect(taken.map(({ dueMs }) => dueMs)).toEqual([0, 1]);
  free(taken[0]?.byWorker ?? 0, 3.6);
  expect(taken.map(({ dueMs }) => dueMs)).toEqual([0, 1, 2]);
  expect(state.woken).toBe(0);
});

test('a worker that finds nothing due goes idle, and wakes the pacer', () => {
  const { queue, dispatch, free, state } = buildQueue();
  dispatch(0);
  expect(queue.nextDueNs).toBe(Number.POSITIVE_INFINITY);
  free(0, 0.5);
  expect(state.woken).toBe(1);
  expect(queue.nextDueNs).toBe(releasedNs + msNs);
});

test('while the only worker is busy the backlog grows, and what is left at the end is unsent', () => {
  const { queue, dispatch, free, taken, state } = buildQueue();
  dispatch(0);
  free(0, 60.5);
  // 1 ms to 60 ms were due.
  free(0, 100);
  expect(taken.map(({ dueMs }) => dueMs)).toEqual([0, 1]);
  expect(state.retired).toBe(1);
  // At the end 98 are: 2 ms to 99 ms.
  expect(queue.finish()).toMatchObject({
    offered: 100,
    completedInWindow: 1,
    largestBacklog: 98,
    oldestUnsentNs: 98 * msNs,
  });
});

test('a backlog that is worked off stays in the books as the largest', () => {
  const { queue, dispatch, free, taken } = buildQueue();
  dispatch(0);
  for (let at = 50.5; taken.length < 50; at += 0.001) free(0, at);
  free(0, 51);
  for (let at = 51.5; at < 100; at++) {
    free(0, at);
    dispatch(at + 0.5);
  }
  free(0, 99.9);
  expect(queue.finish()).toMatchObject({ offered: 100, largestBacklog: 50, oldestUnsentNs: 0 });
});

test('offered, backlog and what completes are of the window, the warm-up and its backlog left out', () => {
  const { queue, dispatch, free } = buildQueue({ warmupMs: 50 });
  dispatch(0);
  free(0, 40);
  free(0, 60);
  free(0, 149.5, 1);
  const { offered, completedInWindow, largestBacklog, oldestUnsentNs } = queue.finish();
  expect(offered).toBe(100);
  // Completed at 60 and 149.5; what completed at 40 was warm-up.
  expect(completedInWindow).toBe(2);
  // At 149.5 150 were due and 3 of them taken; it stood so in the window, whosever they were.
  expect(largestBacklog).toBe(147);
  expect(oldestUnsentNs).toBe(100 * msNs);
});

test('lag counts arrivals for which a worker was free, and no others', () => {
  const { lag, dispatch, free } = buildQueue({ workers: 2 });
  dispatch(0.25);
  dispatch(1.5);
  // Both are busy now: what was due at 2 and 3 waited for a worker.
  free(0, 3.5);
  free(1, 3.75);
  free(0, 4.75);
  expect(lag.total).toBe(2);
  expect(lag.valueAt(100) / msNs).toBeCloseTo(0.5, 2);
  free(0, 5.3);
  // That one is free since 5.3, and the generator comes 0.1 ms late.
  free(1, 5.2);
  dispatch(6.1);
  expect(lag.total).toBe(3);
});

test('a thread that comes late to idle workers is late for all that came meanwhile, also for what found none then', () => {
  const { lag, queue, dispatch, free } = buildQueue({ workers: 2 });
  // Due at 0, 1, 2 … ms; the thread was away for 10 ms, and has two workers.
  dispatch(9.5);
  free(0, 20.25);
  free(1, 20.25);
  // Those due at 0 to 3 were taken; those at 2 to 9 waited 9.5 ms less their due time for the thread.
  expect(lag.total).toBe(4);
  queue.finish();
  expect(lag.total).toBe(10);
  expect(lag.valueAt(100) / msNs).toBeCloseTo(9.5, 1);
  expect(lag.valueAt(0) / msNs).toBeCloseTo(0.5, 1);
});

test('a batch is so many operations in all of it', () => {
  const { queue, dispatch, free } = buildQueue({ pipeline: 10, rate: 10_000 });
  dispatch(0);
  free(0, 50.5, 7);
  expect(queue.finish()).toMatchObject({
    offered: 1000,
    completedInWindow: 7,
    largestBacklog: 980,
    oldestUnsentNs: 98 * msNs,
  });
});

test.each([0, 7, 33.3])(
  'after a warm-up of %d ms each stage has what the integral of its rate says',
  warmupMs => {
    const stages = [
      { seconds: 0.05, rate: 1000, rampTo: null },
      { seconds: 0.05, rate: 1000, rampTo: 0 },
    ];
    const { queue } = buildQueue({ rate: 750, stages, warmupMs, workers: 0 });
    expect(queue.finish().stages.map(({ offered }) => offered)).toEqual([50, 25]);
  },
);

test('each stage has what was due in it, and the backlog with what is left of the stage before', () => {
  const stages = [
    { seconds: 0.05, rate: 1000, rampTo: null },
    { seconds: 0.02, rate: 500, rampTo: null },
    { seconds: 0.03, rate: 0, rampTo: null },
  ];
  const { queue, dispatch, free, taken } = buildQueue({ rate: 600, stages });
  dispatch(0);
  // 50 were due in the first stage; by 60.5 ms 6 of the second are due, too.
  for (let at = 60.5; taken.length < 60; at += 0.2) free(0, at);
  const { offered, largestBacklog, stages: found } = queue.finish();
  expect({ offered, largestBacklog }).toEqual({ offered: 60, largestBacklog: 55 });
  expect(found).toEqual([
    { offered: 50, largestBacklog: 49 },
    { offered: 10, largestBacklog: 55 },
    // 48 were taken by 69.9 ms, after the one at 0.
    { offered: 0, largestBacklog: 11 },
  ]);
});

test('a window that is stopped early offers what was due until then', () => {
  const { queue, dispatch, window } = buildQueue();
  dispatch(0);
  window.endNs = releasedNs + 30.5 * msNs;
  queue.retireIdle();
  expect(queue.finish()).toMatchObject({ offered: 31, largestBacklog: 30 });
});

test('whatever the workers do, every arrival is taken once, in order, or left', () => {
  const step = fc.record({ waitMs: fc.double({ min: 0, max: 4, noNaN: true }), worker: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, workers) => {
      const built = buildQueue({ workers });
      const busy = () => {
        const counts = new Map<number, number>();
        for (const { byWorker } of built.taken) counts.set(byWorker, (counts.get(byWorker) ?? 0) + 1);
        for (const worker of freed) counts.set(worker, (counts.get(worker) ?? 0) - 1);
        return counts;
      };
      const freed: number[] = [];
      let at = 0;
      for (const { waitMs, worker } of steps) {
        at += waitMs;
        built.dispatch(at);
        if ((busy().get(worker) ?? 0) > 0) {
          freed.push(worker);
          built.free(worker, at);
        }
      }
      for (const count of busy().values()) expect(count).toBeLessThanOrEqual(1);
      expect(built.taken.map(({ dueMs }) => dueMs)).toEqual(built.taken.map((_, n) => n));
      const { offered, oldestUnsentNs } = built.queue.finish();
      expect(offered).toBe(100);
      const left = 100 - built.taken.length;
      expect(Math.round(oldestUnsentNs / msNs)).toBe(left);
    }),
    { seed: 1 },
  );
});
