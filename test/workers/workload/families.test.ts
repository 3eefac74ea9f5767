import { describe, expect, test } from 'vitest';
import {
  changingCommands,
  familiesOf,
  foreseeableReads,
  namedElements,
} from '../../../src/workers/workload/families.ts';

const mixOf = (...commands: string[]) => commands.map(command => ({ command }));

describe('family of a command', () => {
  test.each([
    { mix: ['HSET {key} f {value}', 'EXPIRE {key} 9'], families: ['hashes', 'hashes'] },
    { mix: ['GET {key}', 'HGETALL {key}', 'DEL {key}'], families: ['strings', 'hashes', 'hashes'] },
    { mix: ['TTL {key}', 'PING', 'XADD {key} * f v'], families: ['streams', 'streams', 'streams'] },
    { mix: ['EXISTS {key}', 'OBJECT ENCODING {key}'], families: ['strings', 'strings'] },
    { mix: ['JSON.GET {key}', 'BF.EXISTS {key} a'], families: ['documents', 'keys of modules'] },
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
