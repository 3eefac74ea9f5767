import { expect, test } from 'vitest';
import type { RoundResult } from '../src/aggregate/result.ts';
import { describeKnee } from '../src/aggregate/search/describe-knee.ts';
import type { SearchStep } from '../src/aggregate/search/schema.ts';
import { describeStep, passes } from '../src/aggregate/search/step-result.ts';
import { describeStepLine } from '../src/aggregate/search/words.ts';
import { buildLatency, buildRound } from './support/result-builder.ts';

const conditions = { responseP99Ms: 5, completedShare: 0.99, failedShare: 0.001 };

/** A repeat at 1000/s, of one second; p99 is 2.5 ms unless told. */
function repeat({ completed = 1000, failed = 0, p99 = 2.5, lagMs = 0.1 } = {}): RoundResult {
  const sent = completed + failed;
  const loop = {
    rate: 1000,
    offered: 1000,
    sent,
    completed,
    shortfall: 1000 - completed,
    unsent: 1000 - sent,
  };
  const lag = { ...buildLatency(completed, 0.01), p99: lagMs };
  return buildRound(1, completed, {
    issued: sent,
    failed: failed === 0 ? {} : { OOM: failed },
    response: { ...buildLatency(completed, 1), p99 },
    openLoop: { ...loop, largestBacklog: 0, oldestUnsentMs: 0, lag, lagHistogram: '', spinShare: 0 },
  });
}

test.each([
  ['all is well', repeat(), true],
  ['at the limits', repeat({ completed: 990, failed: 0, p99: 5 }), true],
  ['a slow p99', repeat({ p99: 5.01 }), false],
  ['too much unsent', repeat({ completed: 989 }), false],
  ['one failure of a thousand', repeat({ completed: 999, failed: 1 }), true],
  ['two failures', repeat({ completed: 998, failed: 2 }), false],
  ['nothing at all', repeat({ completed: 0 }), false],
])('%s: a repeat passes: %s', (_, round, passed) => {
  expect(passes(round, conditions)).toBe(passed);
});

test('with more than 1 % missing there is no p99, whatever share may be missing', () => {
  const lenient = { ...conditions, completedShare: 0.5 };
  expect(passes(repeat({ completed: 990 }), lenient)).toBe(true);
  expect(passes(repeat({ completed: 980 }), lenient)).toBe(false);
  expect(passes(repeat({ completed: 980 }), { ...lenient, responseP99Ms: null })).toBe(true);
});

const machine = { cores: 8, local: false, serverThreads: 1 };
const stepOf = (step: number, rate: number, verdict: SearchStep['verdict'], rounds: readonly RoundResult[]) =>
  describeStep({ step, rate, verdict }, rounds, conditions, machine);

test('the line of a step has its verdict on every condition, clear where three repeats more are on one side', () => {
  const slow = repeat({ p99: 8 });
  const step = stepOf(7, 2010, 'unclear', [slow, repeat(), slow, repeat(), slow, repeat(), slow, repeat()]);
  expect(describeStepLine(step)).toBe(
    'step 7: 2,010/s UNCLEAR (4 of 8 passed): p99 5.25 ms, at most 5.00 ms UNCLEAR; ' +
      'completed 100 %, at least 99 % PASS; failed 0 %, at most 0.1 % PASS',
  );
});

const good = stepOf(1, 1000, 'pass', [repeat(), repeat(), repeat()]);
const failing = (resource: SearchStep['limitedBy']['resource'], round = repeat({ completed: 900 })) => ({
  ...stepOf(2, 1050, 'fail', [round, round, round]),
  limitedBy: { resource, evidence: 'the evidence' },
});
const told = (...steps: SearchStep[]) => describeKnee(steps, { complete: true, precision: 0.05 });

test('a server that is the limit is named with the evidence', () => {
  expect(told(good, failing('server'))).toEqual({
    rate: 1025,
    low: 1000,
    high: 1050,
    lowerBound: false,
    limitedBy: { resource: 'server', evidence: 'the evidence' },
    gist:
      'The highest rate that meets the conditions is about 1,025/s: 1,000/s clearly met them, 1,050/s clearly did not. ' +
      'At 1,050/s the server was the limit: the evidence.',
  });
});

test.each([
  ['client', /poolbench itself, was the limit/],
  ['machine', /the machine was the limit/],
  ['pool', /workers waited for connections/],
  ['network', /more workers could have sent more/],
] as const)(
  'where it is the %s, the knee is a lower bound and never the capacity of the server',
  (resource, why) => {
    const knee = told(good, failing(resource));
    expect(knee.lowerBound).toBe(true);
    expect(knee.gist).toMatch(why);
    expect(knee.gist).toMatch(/So this is a lower bound: the server may well keep more than 1,000\/s\.$/);
  },
);

test('a generator that is late by most of the response time is the limit, whatever else looks busy', () => {
  const late = repeat({ p99: 8, lagMs: 4.2 });
  expect(told(good, failing('server', late))).toMatchObject({
    lowerBound: true,
    gist: expect.stringMatching(/it was late by 4\.20 ms \(p99\), most of the response time/),
  });
  expect(told(good, failing('server', repeat({ p99: 8, lagMs: 3.8 }))).lowerBound).toBe(false);
});

test('where nothing was saturated nobody is named; where no rate failed it is a lower bound', () => {
  expect(told(good, failing('none'))).toMatchObject({
    lowerBound: false,
    gist: expect.stringMatching(/At 1,050\/s nothing says what the limit was: the evidence\.$/),
  });
  expect(told(good)).toMatchObject({ rate: 1000, high: null, lowerBound: true, limitedBy: null });
});

test('noise that makes the interval wider than asked is told', () => {
  const unclear = stepOf(3, 1100, 'unclear', []);
  const failed = { ...failing('server'), rate: 1200 };
  expect(told(good, unclear, failed)).toMatchObject({
    rate: 1100,
    gist: expect.stringMatching(/The noise allows no narrower interval: 1 rate between them/),
  });
});
