import { expect, test } from 'vitest';
import { parseConfig } from '../src/main/experiment/read-config.ts';
import { faultsIn } from './support/config-faults.ts';

const config = (thresholds: unknown) =>
  JSON.stringify({
    name: 'ci',
    target: { server: 'redis', url: 'redis://localhost:6379/0' },
    scenarios: [{ client: 'wire', workers: [10, 50], pools: [1, 2] }],
    thresholds,
  });

test('conditions of every metric and unit are taken as they are written', () => {
  const written = {
    'response.mean': '<5ms',
    'response.p999': '<= 0.5 s',
    'service.p99': '< 500us',
    'service.p50': '< 0.5 µs',
    opsPerSecond: '> 50000',
    failedShare: '< 0.1%',
    'wire-optimized-2pools-50workers: failedShare': '<= 0.5',
    clientMicrosPerOp: '< 12.5',
    'claim.C1': 'supported',
    'claim.C16': 'refuted',
  };
  expect(parseConfig(config(written), 'ci.json').thresholds).toEqual(written);
  const usual = {
    'response.p99': '< 5ms',
    failedShare: '< 0.1%',
    opsPerSecond: '> 50000',
    'claim.C1': 'supported',
  };
  expect(parseConfig(config(usual), 'ci.json').thresholds).toEqual(usual);
  expect(parseConfig(config(undefined), 'ci.json').thresholds).toEqual({});
});

test.each([
  [
    { 'response.p98': '< 5ms' },
    /^thresholds\["response\.p98"\]: expected response\.mean, .*, clientMicrosPerOp or claim\.<id> \(did you mean "response\.p9\d+"\?\), found "response\.p98"$/,
  ],
  [
    { latency: '< 5ms' },
    /^thresholds\.latency: expected response\.mean, .* or claim\.<id>, found "latency"$/,
  ],
  [
    { 'response.p99': '5ms' },
    /^thresholds\["response\.p99"\]: expected a condition such as "< 5ms": <, <=, > or >=, then a number with s or ms or us or µs, found "5ms"$/,
  ],
  [{ 'response.p99': '< 5' }, /, found "< 5"$/],
  [{ 'response.p99': '= 5ms' }, /, found "= 5ms"$/],
  [{ 'response.p99': '< 5ms, or so' }, /, found "< 5ms, or so"$/],
  [{ 'response.p99': '< 5MS' }, /, found "< 5MS"$/],
  [{ 'response.p99': '< 5%' }, /, found "< 5%"$/],
  [{ opsPerSecond: '> 50k' }, /such as "> 50000": <, <=, > or >=, then a number, found "> 50k"$/],
  [
    { failedShare: '< 5' },
    /^thresholds\.failedShare: expected a condition such as "< 0\.1%": .* with no unit or %, at most 100%, found "< 5"$/,
  ],
  [{ failedShare: '< 101%' }, /, found "< 101%"$/],
  [
    { opsPerSecond: 50000 },
    /^thresholds\.opsPerSecond: expected a condition in quotes, such as "< 5ms", found 50000$/,
  ],
  [{ 'claim.C1': 'true' }, /^thresholds\["claim\.C1"\]: expected "supported" or "refuted", found "true"$/],
  [{ 'claim.C77': 'supported' }, /expected a claim that one run can judge, C1, .*, found "C77"$/],
  // It takes two servers, so no run could ever support it.
  [{ 'claim.C9': 'supported' }, /expected a claim that one run can judge, C1, .*, found "C9"$/],
  [
    { 'wire-optimized-2pools-50workers: claim.C1': 'supported' },
    /expected claim\.C1 without a scenario \(a claim is of the whole run\), found "wire-/,
  ],
  [
    { 'wire-optimized-2pools-60workers: response.p99': '< 5ms' },
    /^thresholds\["wire-optimized-2pools-60workers: response\.p99"\]: expected the id of a scenario of this config \(did you mean "wire-optimized-2pools-[15]0workers"\?\), found "wire-optimized-2pools-60workers"$/,
  ],
  [{ 'x: response.p99': '< 5ms' }, /config, such as "wire-optimized-1pool-10workers", found "x"$/],
  [
    { completedShare: '> 99%' },
    /^thresholds\.completedShare: expected a scenario with an open loop \(arrival\), which has a completedShare, found "completedShare"$/,
  ],
  [['< 5ms'], /^thresholds: expected an object such as \{ "response\.p99": "< 5ms" \}, found a list$/],
])('%j', (thresholds, fault) => {
  let message = '';
  try {
    parseConfig(config(thresholds), 'ci.json');
  } catch (error) {
    message = (error as Error).message;
  }
  const [first, , last, ...more] = message.split('\n');
  expect(first).toBe('ci.json is not a valid config, 1 fault:');
  expect(faultsIn(message)[0]).toMatch(fault);
  expect(last).toBe('configs/README.md explains every key.');
  expect(more).toEqual([]);
});
