import { expect, test } from 'vitest';
import { mergeCommands } from '../src/aggregate/stats/merge.ts';
import { Batch } from '../src/pool/client/batch.ts';
import { CommandRecorder, Recorder } from '../src/workers/recorder.ts';
import { commandMix } from '../src/workers/workload/command-mix.ts';
import { plainWorkload } from '../src/workers/workload/plain-workload.ts';

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

test('without a recorder of commands none is told', () => {
  const recorder = new Recorder({ endNs: startNs + 1e9 });
  recorder.begin(startNs);
  expect(recorder.finish().commands).toEqual([]);
});
