import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { PlainLog } from '../src/main/live/plain-log.ts';
import { buildRound } from './support/result-builder.ts';

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
    log.finished({ ...step, secondsLeft: 123 }, buildRound(1, 127_000));
    log.finished(step, buildRound(1, 10_000, { failed: { TIMEOUT: 4, OOM: 1200 } }));
  });
  expect(lines).toEqual([
    'round 1/5   7/24  127k ops/s  p99 0.197 ms  0 failed  2 min 3 s left  wire-optimized-1pool-10workers',
    'round 1/5   7/24  10.0k ops/s  p99 2.50 ms  1,204 failed (1,200 OOM, 4 TIMEOUT)  wire-optimized-1pool-10workers',
  ]);
});

test('a run of many hundreds has a line for each round', () => {
  const lines = logOf(log => {
    for (const round of [1, 2]) {
      for (let index = 1; index <= 500; index++)
        log.finished({ ...step, round, index, total: 500 }, buildRound(round, 1000, { failed: { OOM: 1 } }));
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
