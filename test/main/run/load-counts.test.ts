import { expect, test } from 'vitest';
import { workload } from '../../../src/main/experiment/workload.ts';
import { areApart, callsOf, namesOf } from '../../../src/main/run/load-counts.ts';

const sending = (...commands: readonly string[]) =>
  workload.parse({ commands: commands.map(command => ({ command })) });

const namesOfAll = (...workloads: readonly ReturnType<typeof sending>[]) =>
  workloads.map(one => namesOf(one, []));

const isApart = (own: ReturnType<typeof sending>, ...others: readonly ReturnType<typeof sending>[]) => {
  const [names = null, ...rest] = namesOfAll(own, ...others);
  return areApart(names, rest);
};

test('a load is counted apart if nothing else is counted under its names, within scripts neither', () => {
  const reads = sending('GET {key}');
  expect(isApart(reads)).toBe(true);
  expect(isApart(reads, sending('SET {key} {value}'), sending('HGETALL {key}'))).toBe(true);
  expect(isApart(reads, sending('SET {key} {value}', 'GET {key}'))).toBe(false);
  expect(isApart(reads, sending('MULTI; GET {key}; EXEC'))).toBe(false);
  expect(isApart(reads, sending(`EVAL "return redis.call('GET', KEYS[1])" 1 {key}`))).toBe(false);
  expect(isApart(reads, sending('EVAL "return 1" 1 {key}'))).toBe(true);
  // It calls what only running it would show.
  expect(isApart(reads, sending('EVAL "return redis.call(ARGV[1], KEYS[1])" 1 {key} GET'))).toBe(false);
});

test('loads that send the same are counted together, each name once', () => {
  const asked: string[] = [];
  const counted = (names: readonly string[]) => {
    asked.push(...new Set(names));
    return 30;
  };
  expect(callsOf([sending('GET {key}'), sending('GET {key}', 'STRLEN {key}')], [], counted)).toBe(30);
  expect(asked).toEqual(['get', 'strlen']);
  expect(callsOf([sending('GET {key}'), sending('MULTI; GET {key}; EXEC')], [], counted)).toBeNull();
  expect(callsOf([sending('GET {key}')], [], () => null)).toBeNull();
});

test('a load of INFO is not counted by the server, which poolbench asks by INFO, too', () => {
  expect(callsOf([sending('INFO server')], [], () => 30)).toBeNull();
});
