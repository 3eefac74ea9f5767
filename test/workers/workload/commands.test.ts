import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { Batch, KEY } from '../../../src/pool/client/batch.ts';
import { commandMix, commandOrder } from '../../../src/workers/workload/command-mix.ts';
import { OrderedCommands } from '../../../src/workers/workload/drawn-workload.ts';
import { faultsIn } from '../../support/config-faults.ts';
import { plainWorkload } from '../../support/plain-workload.ts';

describe('placeholders', () => {
  const plain = plainWorkload({ keys: 10, valueBytes: 3, readShare: 0.5 });

  function mixOf(...commands: string[]) {
    const values = [{ weight: 1, value: { text: 'one' } }];
    const task = { ...plain, values, commands: commands.map(command => ({ command, weight: 1 })) };
    return commandMix(task, 'k:', 1);
  }

  test('placeholders stand alone or in text; keys come first among the numbers', () => {
    const { commandSet, stride, templates } = mixOf(
      'set {key} {value} EX {number:10-60}',
      'ZADD {key} {number:1-9} m{counter}-{value}',
      'MSET {key} a{value} {key} {counter}',
      'OBJECT ENCODING {key}',
      'PING',
    );
    expect(commandSet.commands).toEqual([
      { name: 'SET', args: [KEY, 'one', 'EX', [1]] },
      { name: 'ZADD', args: [KEY, [1], ['m', 2, '-one']] },
      { name: 'MSET', args: [KEY, 'aone', KEY, [2]] },
      { name: 'OBJECT', args: ['ENCODING', KEY], readsOnly: true },
      { name: 'PING', args: [] },
    ]);
    expect(stride).toBe(3);
    expect(templates.map(({ bases }) => bases.length)).toEqual([1, 1, 2, 1, 0]);
    expect(templates[1]?.otherNumbers).toMatchObject([{ from: 1, to: 9 }, 'counter']);
  });

  test.each([
    ['SET {key} "two words"', [KEY, 'two words']],
    [`SET {key} 'two "words" \\n it\\'s'`, [KEY, `two "words" \\n it's`]],
    ['SET {key} ""', [KEY, '']],
    ['SET {key} "\\x41\\n\\t\\"\\\\\\q"', [KEY, 'A\n\t"\\q']],
    ['SET {key} "\\xc3\\xa9"', [KEY, 'é']],
    ['SET {key} "\\xff\\x00"', [KEY, Buffer.from([0xff, 0])]],
    ['SET {key} {{value}}', [KEY, '{value}']],
    [`SET {key} '{{"a":"{value}","b":{{}}}}'`, [KEY, '{"a":"one","b":{}}']],
    ['SET {key} "\\x7bkey}}"', [KEY, '{key}']],
    ['SET {key} a;b', [KEY, 'a;b']],
    [`EVAL "return redis.call('GET', KEYS[1])" 1 {key}`, ["return redis.call('GET', KEYS[1])", '1', KEY]],
    ['EVALSHA "return 1" 1 {key}', ['e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '1', KEY]],
    [
      'XREADGROUP GROUP streams c COUNT 2 STREAMS {key} >',
      ['GROUP', 'streams', 'c', 'COUNT', '2', 'STREAMS', KEY, '>'],
    ],
    ['XREADGROUP GROUP "a;b" c STREAMS {key} >', ['GROUP', 'a;b', 'c', 'STREAMS', KEY, '>']],
    ['LCS {key:a} {key:a}', [KEY, { sameKey: 0 }]],
  ])('%s is read as redis-cli would', (command, args) => {
    expect(mixOf(command).commandSet.commands[0]?.args).toEqual(args);
  });

  test('the requests of a transaction are one command; a labelled key is the same one in all of them', () => {
    const { commandSet, templates, stride } = mixOf(
      'watch {key:a}; MULTI; SET {key:a} {value}-{counter}; HSET {key:b} f {number:1-2}; DEL {key} {key:b}; EXEC;',
    );
    expect(commandSet.commands).toEqual([
      {
        name: 'WATCH',
        args: [KEY],
        followedBy: [
          { name: 'MULTI', args: [] },
          { name: 'SET', args: [{ sameKey: 0 }, ['one-', 3]] },
          { name: 'HSET', args: [KEY, 'f', [4]] },
          { name: 'DEL', args: [KEY, { sameKey: 1 }] },
          { name: 'EXEC', args: [] },
        ],
      },
    ]);
    // Each key is of the type of the first request that needs one.
    expect(templates).toMatchObject([{ name: 'MULTI', bases: [0, 10, 10], nullIsAbort: true }]);
    expect(stride).toBe(5);
  });

  test('a labelled key is of the type that a request of its operation needs, not of the nearest command before', () => {
    const { templates } = mixOf('INCR {key}', 'WATCH {key:a}; MULTI; TTL {key:a}; HSET {key:a} f 1; EXEC');
    expect(templates.map(({ bases }) => bases)).toEqual([[0], [10]]);
  });

  test('a command with a value has a template for each of them, one without has one', () => {
    const values = [1, 2, 3].map(bytes => ({ weight: bytes, value: { bytes } }));
    const { templates } = commandMix({ ...plain, values }, 'k:', 1);
    expect(templates.map(({ name, weight }) => [name, weight])).toEqual([
      ['GET', 0.5],
      ['SET', 1 / 12],
      ['SET', 2 / 12],
      ['SET', 3 / 12],
    ]);
  });

  test('keys of another type of value are other keys', () => {
    const { templates } = mixOf(
      'INCR {key}',
      'LPUSH {key} x',
      'LLEN {key}',
      'APPEND {key} x',
      'XADD {key} * a b',
    );
    expect(templates.map(({ bases }) => bases)).toEqual([[10], [20], [20], [0], [30]]);
  });

  function faultOf(workload: object, target: object = {}, scenarios: readonly object[] = [{}]): string {
    const server = { server: 'redis', url: 'redis://h', ...target };
    const config = { name: 'c', target: server, scenarios, workload };
    try {
      parseConfig(JSON.stringify(config), 'c.json');
      return 'none';
    } catch (error) {
      return faultsIn((error as Error).message)[0] ?? '';
    }
  }

  const faultOfCommand = (command: string) => faultOf({ commands: [{ command }] });

  test.each([
    ['FLUSHALL', /no FLUSHALL \(/],
    ['flushdb async', /no FLUSHDB \(/],
    ['SHUTDOWN', /no SHUTDOWN \(/],
    ['DEBUG SLEEP 1', /no DEBUG \(/],
    ['CONFIG SET save x', /no CONFIG \(/],
    ['SCRIPT FLUSH', /no SCRIPT \(/],
    ['KEYS *', /no KEYS \(/],
    ['BLPOP {key} 0', /a constant time above 0 in seconds as argument 2 of BLPOP/],
    ['BLPOP {key} {key}', /\{key\} only as a whole argument where BLPOP takes a key/],
    ['BZMPOP {number:1-2} 1 {key} MIN', /a constant time .* argument 1 of BZMPOP/],
    ['BLPOP {key} 5', /less than 5000 ms/],
    ['SUBSCRIBE {key}', /no SUBSCRIBE \(/],
    ['MONITOR', /no MONITOR \(/],
    ['CLIENT KILL {key}', /no CLIENT \(/],
    ['SELECT 1', /no SELECT \(/],
    ['MULTI', /no MULTI \(/],
    ['MULTI; SET {key} {value}', /a transaction such as/],
    ['MULTI; WATCH {key}; EXEC', /WATCH before MULTI/],
    ['MULTI; SET other 1; EXEC', /\{key\} as argument 1 of SET/],
    ['MULTI; FLUSHALL; EXEC', /no FLUSHALL \(/],
    ['EVAL "return 1" {key}', /the number of its keys as argument 2 of EVAL/],
    ['EVAL "return 1" 2 {key} x', /\{key\} as argument 4 of EVAL/],
    ['EVAL "return 1" 1 {key} {key}', /\{key\} only as a whole argument where EVAL takes a key/],
    ['EVAL "return 1" 99 {key}', /\{key\} as argument 4 of EVAL/],
    ['EVALSHA "return {value}" 1 {key}', /a script, or .* SHA1/],
    ['ZUNIONSTORE other 1 {key}', /\{key\} as argument 1 of ZUNIONSTORE/],
    ['CONFIG RESETSTAT', /no CONFIG \(/],
    ['ACL SETUSER x', /no ACL \(/],
    ['SORT {key} BY weight_*', /\{key:\*\} as the pattern of SORT/],
    ['SORT {key} BY weight{number:1-2}_*', /\{key:\*\} as the pattern of SORT/],
    ['SORT {key} BY x{key:*}', /\{key:\*\} only as the whole pattern of BY or GET/],
    ['GET {key:*}', /\{key\} as argument 1 of GET/],
    ['ECHO {key:*}', /\{key:\*\} only as the whole pattern of BY or GET/],
    ['EVAL "return {KEYS[1]}" 1 {key}', /no \{KEYS\[1\]\}; double a brace of the text itself/],
    ['SORT {key} STORE other', /\{key\} as argument 3 of SORT/],
    ['XREAD BLOCK 0 STREAMS {key} $', /a constant time above 0 in whole milliseconds as argument 2 of XREAD/],
    ['XREAD STREAMS {key} {key} 0', /as many ids as keys/],
    ['XREAD STREAMS other 0', /\{key\} as argument 2 of XREAD/],
    ['XREADGROUP GROUP g{counter} c STREAMS {key} >', /the name of a group/],
    ['XREADGROUP GROUP g c STREAMS {key} >; XLEN {key}', /XACK alone/],
    ['XREADGROUP GROUP g c NOACK STREAMS {key} >; XACK', /without NOACK/],
    ['SET {key} "a', /a closing quote/],
    [`SET {key} 'a'b`, /a space after the closing quote/],
    ['SET {key} "\\xff{value}"', /text in UTF-8 around a placeholder/],
    ['SET {key} {a', /double a brace of the text itself/],
    ['MOVE {key} 1', /no MOVE \(/],
    ['SET other 1', /\{key\} as argument 1 of SET/],
    ['SET x{key} 1', /\{key\} as argument 1 of SET/],
    ['DEL {key} other', /\{key\} as argument 2 of DEL/],
    ['RENAME {key} other', /\{key\} as argument 2 of RENAME/],
    ['RENAME {key}', /\{key\} as argument 2 of RENAME/],
    ['COPY {key} {key} DB 3', /no DB/],
    ['BITOP AND {key} mine', /\{key\} as argument 3 of BITOP/],
    ['GET', /\{key\} as argument 1 of GET/],
    ['SADD {key} {key}', /\{key\} only .*argument 2/],
    ['PING {key}', /no \{key\}.*argument 1/],
    ['SET {key} {val}', /no \{val\}/],
    ['SET {key} {number:9-1}', /a range of numbers/],
    ['SET {key} {number:0-4294967296}', /a range of numbers/],
    ['SET {key} {value', /placeholders/],
    ['ZADD {key} 1 {record}', /no \{record\}/],
    ['', /SET \{key\} \{value\}/],
  ])('%s is refused with its reason', (command, reason) => {
    const fault = faultOfCommand(command);
    expect(fault).toMatch(/^workload\.commands\[0\]\.command: expected /);
    expect(fault).toMatch(reason);
  });

  test.each([
    [
      { readShare: 0.5, commands: [{ command: 'PING' }] },
      /^workload.readShare: expected no readShare with commands/,
    ],
    [
      { readShare: 0.5, ycsb: 'A' },
      /^workload.readShare: expected no readShare with ycsb, which sets it, found 0.5/,
    ],
    [{ keyChoice: { kind: 'uniform' }, ycsb: 'A' }, /^workload.keyChoice: expected no keyChoice with ycsb/],
    [{ ycsb: 'A', commands: [{ command: 'PING' }] }, /^workload.commands: expected no commands with ycsb/],
    [{ ycsb: 'G' }, /^workload.ycsb: expected "A" or "B" or "C" or "D" or "E" or "F", found "G"/],
    [{ ycsb: 'D', hitShare: 0.9 }, /^workload.hitShare: expected 1, or nothing, with ycsb D, .*found 0.9/],
    [{ ycsb: 'D', keys: 60_000_000 }, /^workload.keys: expected at most 50000000 keys/],
    [{ ycsb: 'E', keys: 60_000_000 }, /^workload.keys: expected at most 50000000 keys/],
    [
      { keyChoice: 'zipfian' },
      /^workload.keyChoice: expected an object such as \{ "kind": "zipfian", .*, found "zipfian"/,
    ],
    [
      { keyChoice: { kind: 'zipf' } },
      /^workload.keyChoice.kind: expected "uniform" or "zipfian" .*, found "zipf"/,
    ],
    [
      { keyChoice: { kind: 'zipfian', exponent: 0 } },
      /^workload.keyChoice.exponent: expected a number from 0.01 to 10, found 0/,
    ],
    [
      { keyChoice: { kind: 'partitioned' }, keys: 50 },
      /^workload.keys: expected at least 51 keys \(partitioned/,
    ],
    [{ valueBytes: '32' }, /^workload.valueBytes: expected a whole number from 0 to 16777216, found "32"/],
    [
      { valueBytes: { kind: 'range', from: 9, to: 1 } },
      /^workload.valueBytes.from: expected a range from the smaller size/,
    ],
    [
      { valueBytes: { kind: 'file', path: '/nowhere/at-all' } },
      /^workload.valueBytes.path: expected a file that can be read \(no such file\)/,
    ],
    [
      { valueBytes: { from: 1, to: 2 } },
      /^workload.valueBytes.kind: missing; expected "range" or "weighted" or "lognormal" or "file"/,
    ],
    [
      { keys: 60_000_000, commands: [{ command: 'GET {key}' }, { command: 'INCR {key}' }] },
      /^workload.keys: expected at most 50000000 keys, as 2 times as many/,
    ],
    [{ hitShare: 1.1 }, /^workload.hitShare: expected a number from 0 to 1/],
  ])('%j is refused', (workload, reason) => {
    expect(faultOf(workload)).toMatch(reason);
  });

  test('commands that block are refused where others wait on the same connection, or for too long', () => {
    const blocking = { commands: [{ command: 'BLPOP {key} {key} 0.5' }] };
    expect(faultOf(blocking)).toBe('none');
    expect(faultOf(blocking, {}, [{ pipeline: [1, 10] }])).toMatch(/less than 500 ms/);
    expect(faultOf(blocking, {}, [{ pipeline: [30] }])).toMatch(/less than 167 ms/);
    expect(faultOf(blocking, {}, [{}, { pool: 'shared' }])).toMatch(/scenarios\[1\]\.pool is "shared"/);
  });

  test('on a cluster, commands of several keys are refused', () => {
    const faults = faultOf(
      { commands: ['GET {key}', 'PING', 'MGET {key} {key}'].map(command => ({ command })) },
      { cluster: true },
    );
    expect(faults).toBe(
      'workload.commands[2].command: expected a command of one key at most, as target.cluster is true (the keys of one command would be on several nodes), found "MGET {key} {key}"',
    );
  });

  test('on a cluster, YCSB E is refused', () => {
    expect(faultOf({ ycsb: 'E' }, { cluster: true })).toBe(
      'workload.ycsb: expected another one, as target.cluster is true (its records are one sorted set, so on one node), found "E"',
    );
  });

  test('beside YCSB D and E, batch workers with pools of their own are refused', () => {
    const scenarios = [{}, { batch: { pool: 'separate', workers: 5, pipeline: 10 } }];
    expect(faultOf({ ycsb: 'D' }, {}, scenarios)).toMatch(
      /^scenarios\[1\]\.batch: expected no batch workers with separate pools, as workload\.ycsb is "D" \(both/,
    );
    expect(faultOf({ ycsb: 'C' }, {}, scenarios)).toBe('none');
  });
});

describe('orders of commands', () => {
  function countsOf(order: Iterable<number>, kinds: number): number[] {
    const counts = new Array<number>(kinds).fill(0);
    for (const command of order) counts[command] = (counts[command] ?? 0) + 1;
    return counts;
  }

  test('each command comes exactly in proportion to its weight, and not at all if that is 0', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.constantFrom(1, 0.01, 7),
        (counts, seed, scale) => {
          const sum = counts.reduce((total, count) => total + count, 0);
          fc.pre(sum > 0);
          const order = commandOrder(
            counts.map(count => count * scale),
            seed,
          );
          const length = order?.length ?? 0;
          expect(length).toBeGreaterThan(500);
          expect(length).toBeLessThanOrEqual(1000);
          expect(countsOf(order ?? [], counts.length).map(count => count * sum)).toEqual(
            counts.map(count => count * length),
          );
        },
      ),
      { seed: 1 },
    );
  });

  test('weights that would need more than a thousand commands have no order', () => {
    expect(commandOrder([1, 1000], 1)).toBeUndefined();
    expect(commandOrder([1, 999], 1)?.length).toBe(1000);
    expect(commandOrder([Math.PI, 1], 1)).toBeUndefined();
  });

  test('an order is shuffled, by its seed', () => {
    const order = commandOrder([1, 1], 5) as Uint16Array;
    expect(commandOrder([1, 1], 5)).toEqual(order);
    expect(commandOrder([1, 1], 6)).not.toEqual(order);
    const changes = order.reduce((sum, command, index) => sum + Number(command !== order[index - 1]), 0);
    // Of 1,000 draws, 500 with a standard deviation of 16.
    expect(Math.abs(changes - 500)).toBeLessThan(80);
  });

  test('batches of any size take the commands in their order, from one place on and around its end', () => {
    const order = commandOrder([3, 2, 1], 1) as Uint16Array;
    fc.assert(
      fc.property(
        fc.nat({ max: 2 ** 32 - 1 }),
        fc.array(fc.integer({ min: 1, max: 2500 }), { minLength: 1, maxLength: 5 }),
        (draw, sizes) => {
          const commands = new OrderedCommands(order, draw);
          const taken = sizes.flatMap(size => {
            const batch = new Batch(size, { done: () => {} });
            commands.choose(batch);
            return Array.from({ length: size }, (_, index) => batch.commandAt(index));
          });
          const first = draw % order.length;
          expect(taken).toEqual(taken.map((_, index) => order[(first + index) % order.length]));
        },
      ),
      { seed: 1, numRuns: 50 },
    );
  });
});
