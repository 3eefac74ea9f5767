import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { LiveRun } from '../../../src/main/live/live-run.ts';
import { PlainLog } from '../../../src/main/live/progress.ts';
import { SharedState, type ThreadProgress } from '../../../src/workers/shared-state.ts';
import { buildRound } from '../../support/result-builder.ts';

describe('live run keeps account of itself', () => {
  const secondNs = 1e9;
  const step = {
    round: 1,
    rounds: 1,
    index: 1,
    total: 2,
    scenario: 'a',
    threads: 2,
    warmupSeconds: 1,
    seconds: 9,
    course: { secondsDone: 0, secondsLeft: 20, measurementsLeft: 2 },
  };
  const told: ThreadProgress = {
    atNs: 0,
    warmupCompleted: 0,
    warmupFailed: 0,
    completed: 0,
    failed: 0,
    p99Ms: 0,
    busyNs: 0,
    cpuNs: 0,
    connections: 0,
    idle: 0,
    waiting: 0,
  };

  function startRun() {
    let nowNs = 1000 * secondNs;
    const run = new LiveRun(() => nowNs);
    run.begin();
    const shared = SharedState.forThreads(2);
    run.follow(step, shared);
    return {
      run,
      shared,
      pass(seconds: number) {
        nowNs += seconds * secondNs;
      },
      tell(thread: number, progress: Partial<ThreadProgress>) {
        shared.publish(thread, { ...told, atNs: nowNs, ...progress });
      },
      release: () => {
        shared.openWindow(nowNs + step.warmupSeconds * secondNs);
        shared.release(nowNs);
      },
    };
  }

  test('operations of the warm-up of the threads count for nothing, but its failures are shown', () => {
    const { run, shared, pass, tell, release } = startRun();
    run.follow({ ...step, warmupSeconds: 0, warmsThreads: true }, shared);
    release();
    pass(1);
    tell(0, { completed: 500, failed: 3 });
    run.look();
    expect(run.snapshot()).toMatchObject({
      running: { phase: 'warming threads', phaseSeconds: 1, opsPerSecond: 500, warmupFailed: 3 },
      operations: { completed: 0, failed: {} },
    });
    run.finished(null);
    expect(run.snapshot()).toMatchObject({ measured: 0, operations: { completed: 0 } });
  });

  test('the threads of populations follow those of the scenario, and have figures of their own', () => {
    const { run, shared, pass, tell, release } = startRun();
    run.follow({ ...step, threads: 1, populations: [{ name: 'bulk', threads: 1 }] }, shared);
    release();
    pass(2);
    tell(0, { completed: 500, p99Ms: 2 });
    tell(1, { completed: 40, failed: 3, p99Ms: 7 });
    run.look();
    expect(run.failed).toBe(3);
    const now = run.snapshot();
    expect(now).toMatchObject({
      running: { opsPerSecond: 250, p99Ms: 2, populations: [{ name: 'bulk', opsPerSecond: 20, p99Ms: 7 }] },
      operations: { completed: 500 },
      moments: [{ opsPerSecond: 250, p99Ms: 2 }],
    });
    expect(now.ofPopulations.get('bulk')?.completed).toBe(40);
    const round = buildRound(1, 600);
    run.finished({ ...round, populations: [{ ...round, name: 'bulk', completed: 60 }] });
    expect(run.snapshot().operations.completed).toBe(600);
    expect(run.snapshot().ofPopulations.get('bulk')?.completed).toBe(60);
  });

  test('throughput is what threads completed by their own clocks, warm-up included; p99 that of the slowest', () => {
    const { run, pass, tell, release } = startRun();
    expect(run.snapshot()).toMatchObject({ running: { phase: 'connecting', opsPerSecond: 0 }, moments: [] });
    release();
    run.look();
    expect(run.snapshot()).toMatchObject({ running: { phase: 'warm-up' }, moments: [] });
    pass(0.5);
    tell(0, { warmupCompleted: 500, p99Ms: 2, busyNs: 0.25 * secondNs, connections: 8, idle: 3, waiting: 1 });
    pass(0.5);
    tell(1, {
      warmupCompleted: 1000,
      completed: 1000,
      p99Ms: 3,
      busyNs: secondNs,
      connections: 8,
      idle: 2,
      waiting: 4,
    });
    run.look();
    expect(run.snapshot()).toMatchObject({
      running: {
        phase: 'measuring',
        opsPerSecond: 3000,
        p99Ms: 3,
        busyRatios: [0.5, 1],
        connections: 16,
        idle: 5,
        waiting: 5,
      },
      operations: { completed: 1000 },
      moments: [{ opsPerSecond: 3000, p99Ms: 3 }],
    });
  });

  test('a thread that has gone silent completes nothing', () => {
    const { run, pass, tell, release } = startRun();
    release();
    pass(1);
    tell(0, { completed: 100 });
    tell(1, { completed: 100 });
    run.look();
    pass(0.1);
    run.look();
    expect(run.snapshot().moments.at(-1)).toMatchObject({ opsPerSecond: 200 });
    pass(1);
    tell(1, { completed: 210 });
    run.look();
    expect(run.snapshot().moments.at(-1)?.opsPerSecond).toBeCloseTo(100, 6);
    // Whoever does not come to its timer is busy with something else.
    for (let look = 0; look < 5; look++) {
      pass(0.2);
      tell(1, { completed: 210, busyNs: 0.1 * secondNs * look });
      run.look();
    }
    const [silent = 0, other = 0] = run.snapshot().running?.busyRatios ?? [];
    expect(silent).toBe(1);
    expect(other).toBeCloseTo(0.4, 6);
  });

  test('failures are counted as they come, by code where they are measured', () => {
    const { run, shared, tell, release } = startRun();
    release();
    tell(0, { warmupFailed: 2, failed: 3 });
    tell(1, { failed: 4 });
    shared.publishFailures(0, { OOM: 3 });
    shared.publishFailures(1, { OOM: 1, TIMEOUT: 3 });
    expect(run.failed).toBe(9);
    expect(run.snapshot()).toMatchObject({
      running: { warmupFailed: 2 },
      operations: { failed: { OOM: 4, TIMEOUT: 3 } },
    });
  });

  test('a finished measurement counts with its result, a stopped one as far as its threads reported', () => {
    const { run, shared, tell, release } = startRun();
    release();
    tell(0, { completed: 90 });
    run.finished(buildRound(1, 100, { failed: { OOM: 7 }, unfinished: 1 }));
    expect(run.snapshot()).toMatchObject({
      running: null,
      measured: 1,
      planned: 2,
      operations: { completed: 100, failed: { OOM: 7 }, unfinished: 1 },
    });
    run.follow(step, shared);
    run.finished(null);
    expect(run.snapshot()).toMatchObject({ measured: 1, operations: { completed: 190, failed: { OOM: 7 } } });
    // The next run, such as another suite, begins at its beginning, but nothing is counted back.
    run.begin();
    expect(run.snapshot()).toMatchObject({ measured: 0, planned: null, operations: { completed: 190 } });
    run.follow({ ...step, course: { ...step.course, measurementsLeft: 5 } }, shared);
    expect(run.snapshot()).toMatchObject({ measured: 0, planned: 5 });
  });

  test('a gap stands between the moments of two measurements', () => {
    const { run, shared, pass, tell, release } = startRun();
    release();
    pass(1);
    tell(0, { completed: 1 });
    run.look();
    run.finished(null);
    run.follow(step, shared);
    run.look();
    expect(run.snapshot().moments.map(moment => moment === null)).toEqual([false, true, false]);
  });

  test('the time left is that of the plan, at the pace of the run so far', () => {
    const { run, shared, pass } = startRun();
    expect(run.snapshot()).toMatchObject({ doneRatio: 0, secondsLeft: 20 });
    pass(5);
    expect(run.snapshot()).toMatchObject({ doneRatio: 0.25, secondsLeft: 15 });
    // A step that takes longer than planned does not use up the time of those after it.
    pass(10);
    expect(run.snapshot()).toMatchObject({ doneRatio: 0.5, secondsLeft: 10 });
    run.finished(null);
    run.follow(
      { ...step, index: 2, course: { secondsDone: 10, secondsLeft: 10, measurementsLeft: 1 } },
      shared,
    );
    expect(run.snapshot()).toMatchObject({ doneRatio: 0.5, secondsLeft: 15 });
    run.begin();
    expect(run.snapshot()).toMatchObject({ doneRatio: null, secondsLeft: null, planned: null });
  });
});

describe('log has a line for each measurement', () => {
  function logOf(write: (log: PlainLog) => void): string[] {
    let text = '';
    const stream = new Writable({
      write(chunk, _, done) {
        text += chunk;
        done();
      },
    });
    write(new PlainLog(stream));
    return text.split('\n').slice(0, -1);
  }

  const step = {
    round: 1,
    rounds: 5,
    index: 7,
    total: 24,
    scenario: 'wire-optimized-1pool-10workers',
    threads: 1,
    warmupSeconds: 0.25,
    seconds: 1,
  };

  test('place, throughput, p99, failures with their codes, time left, scenario', () => {
    const lines = logOf(log => {
      const course = { secondsDone: 0, secondsLeft: 123, measurementsLeft: 9 };
      log.finished({ ...step, course }, buildRound(1, 127_000));
      log.finished({ ...step, rounds: 50, total: 8, untilDecided: true, course }, buildRound(1, 127_000));
      log.finished(step, buildRound(1, 10_000, { failed: { TIMEOUT: 4, OOM: 1200 } }));
    });
    expect(lines).toEqual([
      'round 1/5   7/24  127k ops/s  p99 0.197 ms  0 failed  2 min 3 s left  wire-optimized-1pool-10workers',
      'round 1 of at most 50  7/8  127k ops/s  p99 0.197 ms  0 failed  at most 2 min 3 s left  wire-optimized-1pool-10workers',
      'round 1/5   7/24  10.0k ops/s  p99 2.50 ms  1,204 failed (1,200 OOM, 4 TIMEOUT)  wire-optimized-1pool-10workers',
    ]);
  });

  test('a run of many hundreds has a line for each round', () => {
    const lines = logOf(log => {
      for (const round of [1, 2]) {
        for (let index = 1; index <= 500; index++)
          log.finished(
            { ...step, round, index, total: 500 },
            buildRound(round, 1000, { failed: { OOM: 1 } }),
          );
      }
    });
    expect(lines).toEqual([
      'round 1/5  500 measurements  500,000 operations  500 failed',
      'round 2/5  500 measurements  500,000 operations  500 failed',
    ]);
  });

  test('what is said has no control codes', () => {
    expect(logOf(log => log.say('a\u001b[2Jb\nc\u0007d'))).toEqual(['a [2Jb', 'c d']);
  });
});
