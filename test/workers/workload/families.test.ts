import { describe, expect, test } from 'vitest';
import { parseCommand, serverCountsApart } from '../../../src/workers/workload/command-templates.ts';
import {
  changingCommands,
  elementNumbers,
  familiesInUse,
  familiesOf,
  foreseeableReads,
  namedElements,
  namedGroups,
} from '../../../src/workers/workload/families.ts';

const mixOf = (...commands: string[]) => commands.map(command => ({ command }));

describe('family of a command', () => {
  test.each([
    { mix: ['HSET {key} f {value}', 'EXPIRE {key} 9'], families: ['hashes', 'hashes'] },
    { mix: ['GET {key}', 'HGETALL {key}', 'DEL {key}'], families: ['strings', 'hashes', 'hashes'] },
    { mix: ['TTL {key}', 'PING', 'XADD {key} * f v'], families: ['streams', 'streams', 'streams'] },
    { mix: ['EXISTS {key}', 'OBJECT ENCODING {key}'], families: ['strings', 'strings'] },
    { mix: ['JSON.GET {key}', 'BF.EXISTS {key} a'], families: ['documents', 'keys of modules'] },
    { mix: ['EVAL "redis.call(\'HGET\', KEYS[1], 1)" 1 {key}'], families: ['hashes'] },
    { mix: ['FCALL f 1 {key}', 'LLEN {key}'], families: ['lists', 'lists'] },
    { mix: ['SORT {key} ALPHA'], families: ['lists'] },
    { mix: ['SMEMBERS {key}', 'SORT {key} ALPHA', 'GET {key}'], families: ['sets', 'sets', 'strings'] },
    { mix: ['GEOADD {key} 1 1 a', 'PFCOUNT {key}'], families: ['sorted sets', 'hyperloglogs'] },
  ])('$mix: $families', ({ mix, families }) => {
    expect(familiesOf(mixOf(...mix))).toEqual(families);
  });
});

describe('data that the load changes', () => {
  test.each([
    { mix: ['GET {key}', 'SET {key} {value}', 'INCR {key}', 'PING'], changing: [] },
    { mix: ['SET {key} {value} EX 60', 'DEL {key}', 'GETDEL {key}'], changing: ['SET', 'DEL', 'GETDEL'] },
    // Every key has the fields and members that commands name.
    { mix: ['HSET {key} a {value} b {value}', 'HGET {key} a', 'ZADD {key} {number:0-9} m'], changing: [] },
    { mix: ['HSET {key} f{number:0-9} {value}', 'SADD {key} {value}'], changing: ['HSET', 'SADD'] },
    { mix: ['LPUSH {key} {value}', 'LPOP {key}', 'FOO.ADD {key}'], changing: ['LPUSH', 'LPOP', 'FOO.ADD'] },
    { mix: ['EVAL "return redis.call(\'GET\', KEYS[1])" 1 {key}', 'SORT {key} ALPHA'], changing: [] },
    {
      mix: ['EVAL "redis.call(ARGV[1], KEYS[1])" 1 {key} del', 'FCALL f 1 {key}'],
      changing: ['EVAL', 'FCALL'],
    },
    { mix: ['MULTI; GET {key}; DEL {key}; EXEC', 'SORT {key} STORE {key}'], changing: ['DEL', 'SORT'] },
    { mix: ['EXPIRE {key} 1', 'TTL {key}', 'PERSIST {key}'], changing: ['EXPIRE'] },
  ])('$mix: $changing', ({ mix, changing }) => {
    expect(changingCommands(mixOf(...mix))).toEqual(changing);
  });
});

test('names of fields and members are those that commands of the family have in their text', () => {
  const mix = mixOf(
    'HSET {key} a {value} b {value}',
    'HGET {key} c',
    'HGET {key} f{number:0-9}',
    'HMGET {key} d e',
    'HSCAN {key} 0',
    'SADD {key} x',
  );
  expect(namedElements(mix, 'hashes')).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(namedElements(mix, 'sets')).toEqual(['x']);
  expect(namedElements(mix, 'lists')).toEqual([]);
});

test('reads are foreseeable if the key alone decides whether they find something, and their answer says so', () => {
  const plan = { growth: null, hitShare: 0.5 };
  const mix = mixOf(
    'GET {key}',
    'HGETALL {key}',
    'HGET {key} name',
    'TTL {key}',
    'MGET {key} {key}',
    'LINDEX {key} {number:0-9}',
    'EXISTS {key} {key}',
    'ZSCORE {key} m',
    'ZSCORE {key} m{number:0-9}',
  );
  expect([...foreseeableReads(mix, plan)]).toEqual(['GET', 'HGETALL', 'HGET']);
  expect(foreseeableReads(mix, { ...plan, hitShare: 1 })).toContain('EXISTS');
});

test('elements are numbers where a command sorts or counts them', () => {
  const texts = (family: 'lists' | 'sets' | 'hashes', ...mix: string[]) => {
    const numberOf = elementNumbers(mixOf(...mix), family, { firstKey: 50, keys: 50 });
    return [numberOf(0, undefined), numberOf(1, 'n')];
  };
  expect(texts('lists', 'SORT {key} ALPHA', 'SORT {key} BY nosort')).toEqual([undefined, undefined]);
  expect(texts('lists', 'SORT {key}')).toEqual(['0', '7919']);
  expect(texts('sets', 'SADD {key} x', 'SORT {key} DESC')).toEqual(['0', '7919']);
  expect(texts('hashes', 'HINCRBY {key} n 1', 'HGET {key} m')).toEqual([undefined, '0']);
  // Those of the counters.
  const withPatterns = ['GET {key}', 'SORT {key} BY {key:*} GET {key:*}'];
  expect(texts('lists', ...withPatterns)).toEqual(['00000050', '00000051']);
  expect(familiesInUse(mixOf(...withPatterns))).toEqual(['strings', 'counters', 'lists']);
});

test('groups are those that commands name, but for those that they create themselves', () => {
  const mix = mixOf(
    'XREADGROUP GROUP readers c STREAMS {key} >',
    'XACK {key} others 0-1',
    'XINFO CONSUMERS {key} third',
    'XGROUP CREATE {key} own $',
    'XGROUP DELCONSUMER {key} readers c',
  );
  expect(namedGroups(mix)).toEqual(['readers', 'others', 'third']);
});

test("the server's count is that of the operations unless scripts or transactions run the same commands", () => {
  const apart = (functions: string[], ...mix: string[]) =>
    serverCountsApart(mix.map(parseCommand), functions);
  const get = 'EVAL "return redis.call(\'get\', KEYS[1])" 1 {key}';
  const any = 'EVAL "return redis.call(ARGV[1], KEYS[1])" 1 {key} get';
  expect(apart([], get, 'SET {key} {value}')).toBe(true);
  expect(apart([], get, 'GET {key}')).toBe(false);
  expect(apart([], any)).toBe(true);
  expect(apart([], any, 'SET {key} {value}')).toBe(false);
  expect(apart([], 'MULTI; SET {key} {value}; EXEC', 'GET {key}')).toBe(true);
  expect(apart([], 'MULTI; SET {key} {value}; EXEC', 'SET {key} {value}')).toBe(false);
  expect(apart([], 'FCALL f 1 {key}', 'GET {key}')).toBe(false);
  expect(apart(["redis.call('SET', keys[1], 1)"], 'FCALL f 1 {key}', 'GET {key}')).toBe(true);
  expect(apart([], 'XREADGROUP GROUP g c STREAMS {key} >; XACK', 'XACK {key} g 0-1')).toBe(false);
});
