import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Batch } from '../../../src/pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../../../src/workers/contract.ts';
import { commandMix } from '../../../src/workers/workload/command-mix.ts';
import { keyRanges, partOf } from '../../../src/workers/workload/keys.ts';
import { openWorkload } from '../../../src/workers/workload/open-workload.ts';
import { randomValue } from '../../../src/workers/workload/values.ts';
import type { Workload } from '../../../src/workers/workload/workload.ts';
import { chiSquaredDeviation } from '../../support/goodness-of-fit.ts';
import { plainWorkload } from '../../support/plain-workload.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { runOne, stopAfter, type TaskOptions } from '../../support/threads.ts';

describe('mixed commands', () => {
  const plain = plainWorkload({ keys: 1000, valueBytes: 4, readShare: 0.5 });

  function open(changes: Partial<WorkloadTask>, seed = 9) {
    const task = { ...plain, ...changes };
    const mix = commandMix(task, 'k:', 1);
    return { mix, workload: openWorkload(task, mix, { firstKey: 0, keys: task.keys }, seed) };
  }

  /** What is drawn, command by command: the template and its numbers. */
  function draw(workload: Workload, batches: number, size: number): number[][] {
    const drawn: number[][] = [];
    for (let i = 0; i < batches; i++) {
      const batch = new Batch(size, { done: () => {} }, workload.stride);
      workload.fill(batch);
      for (let k = 0; k < size; k++) {
        const numbers = batch.numbers.subarray(k * batch.stride, (k + 1) * batch.stride);
        drawn.push([batch.commandAt(k), ...numbers]);
      }
    }
    return drawn;
  }

  const commands = [
    { command: 'GET {key}', weight: 70 },
    { command: 'MGET {key} {key}', weight: 10 },
    { command: 'SET {key} {value} EX {number:10-60}', weight: 20 },
    { command: 'SADD {key} member-{counter}', weight: 5 },
    { command: 'PING', weight: 1 },
  ];

  test('templates come in proportion to the weights of commands and values', () => {
    const values = [1, 2, 5].map(weight => ({ weight, value: { bytes: weight } }));
    const { mix, workload } = open({ commands, values });
    const counts = new Array<number>(mix.templates.length).fill(0);
    for (const [command = 0] of draw(workload, 5000, 10)) counts[command] = (counts[command] ?? 0) + 1;
    const shares = [70, 10, 20 / 8, (20 * 2) / 8, (20 * 5) / 8, 5, 1];
    expect(mix.templates.map(({ weight }) => weight)).toEqual(shares);
    const expected = shares.map(weight => (weight / 106) * 50_000);
    expect(chiSquaredDeviation(counts, expected)).toBeLessThan(4);
  });

  test('numbers are even over their range, both ends included; a counter counts', () => {
    const { workload } = open({ commands });
    const drawn = draw(workload, 5000, 10);
    const seconds = drawn.filter(([command]) => command === 2).map(([, , number = -1]) => number - 10);
    const counts = new Array<number>(51).fill(0);
    for (const second of seconds) counts[second] = (counts[second] ?? 0) + 1;
    expect(counts.length).toBe(51);
    expect(
      chiSquaredDeviation(
        counts,
        counts.map(() => seconds.length / 51),
      ),
    ).toBeLessThan(4);
    const counted = drawn.filter(([command]) => command === 3).map(([, , number]) => number);
    expect(counted).toEqual(counted.map((_, index) => index));
  });

  test('the same seed draws the same, however it is put into batches', () => {
    const choices = [{ kind: 'zipfian', exponent: 0.99 } as const, { kind: 'uniform' } as const];
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom(1, 2, 3, 5, 50),
        fc.constantFrom(...choices),
        (seed, size, keyChoice) => {
          const changes = { commands, keyChoice, hitShare: 0.7 };
          const once = draw(open(changes, seed).workload, 300, 1);
          const inBatches = draw(open(changes, seed).workload, 300 / size, size);
          expect(inBatches.join(' ')).toBe(once.join(' '));
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });

  test.each(['sequential', 'uniform', 'partitioned'] as const)('%s: every key meets every command', kind => {
    const two = [
      { command: 'GET {key}', weight: 1 },
      { command: 'SET {key} {value}', weight: 1 },
    ];
    // As many keys as there are commands in the order.
    const { workload } = open({ commands: two, keys: 1000, keyChoice: { kind } });
    const met = new Set(draw(workload, 4000, 10).map(([command, key]) => `${command} ${key}`));
    expect(met.size).toBe(2000);
  });

  test('reads find a key at the ratio of the hit share; the others are for keys that nobody writes', () => {
    const { mix, workload } = open({ commands, hitShare: 0.75 });
    const ranges = keyRanges({ ...plain, commands, hitShare: 0.75 });
    const same = { keys: 1000, members: 10, ownChoice: undefined };
    expect(ranges).toEqual({
      families: [
        { family: 'strings', firstKey: 0, ...same },
        { family: 'sets', firstKey: 1000, ...same },
      ],
      prefilled: 2000,
      inserted: 2000,
      written: 2000,
      all: 3000,
    });
    const reads: number[] = [];
    const written = new Set<string>();
    for (const [command = 0, ...numbers] of draw(workload, 5000, 10)) {
      const { name, bases } = mix.templates[command] ?? { name: '', bases: [] };
      const ofKeys = numbers.slice(0, bases.length);
      if (name === 'GET' || name === 'MGET') reads.push(...ofKeys);
      else for (const key of ofKeys) written.add(`${name} ${Math.floor(key / 1000)}`);
    }
    expect(written).toEqual(new Set(['SET 0', 'SADD 1']));
    expect(reads.every(key => key < 1000 || (key >= 2000 && key < 3000))).toBe(true);
    const hits = reads.filter(key => key < 1000).length;
    // Of a binomial: four standard deviations.
    expect(Math.abs(hits - 0.75 * reads.length)).toBeLessThan(4 * Math.sqrt(reads.length * 0.75 * 0.25));
  });

  test('a type can have a number of keys and a choice of its own, and every pool draws from all of them', () => {
    const types = {
      strings: { keys: 50 },
      sets: { keys: 300, keyChoice: { kind: 'zipfian', exponent: 1.2 } },
    } as const;
    const three = [...commands, { command: 'HGET {key} a', weight: 20 }];
    const task = { ...plain, commands: three, types };
    const mix = commandMix(task, 'k:', 1);
    const keysOf = (size: number) => {
      const drawn = draw(openWorkload(task, mix, { firstKey: 600, keys: 400 }, 9), 6000 / size, size);
      const keys = new Map<string, number[]>();
      for (const [command = 0, key = 0] of drawn) {
        const { name = '', bases = [] } = mix.templates[command] ?? {};
        if (bases.length > 0) keys.set(name, [...(keys.get(name) ?? []), key]);
      }
      return keys;
    };
    const keys = keysOf(10);
    const within = (name: string) => {
      const ofName = keys.get(name) ?? [];
      return [Math.min(...ofName), Math.max(...ofName)];
    };
    expect(within('GET')).toEqual([0, 49]);
    // The other types have what the workload says, and each pool its own part of it.
    const [from = 0, to = 0] = within('HGET');
    expect([from >= 50 + 600, to < 50 + 1000]).toEqual([true, true]);
    const sets = (keys.get('SADD') ?? []).map(key => key - 1050);
    expect([Math.min(...sets), Math.max(...sets) < 300]).toEqual([0, true]);
    // 1 / ∑ r^-1.2 is 0.25.
    expect(sets.filter(key => key === 0).length / sets.length).toBeGreaterThan(0.15);
    expect(keysOf(3)).toEqual(keys);
  });

  test('one type alone, too', () => {
    const { workload } = open({ types: { strings: { keys: 5 } } });
    expect(new Set(draw(workload, 100, 10).map(([, key]) => key))).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test('workers that share a pool have keys of their own where keys are partitioned', () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 50 }),
        (firstKey, keys, parts) => {
          fc.pre(keys >= parts);
          const owned = Array.from({ length: parts }, (_, part) =>
            partOf({ firstKey, keys }, part, parts),
          ).flatMap(range => Array.from({ length: range.keys }, (_, index) => range.firstKey + index));
          expect(owned).toEqual(Array.from({ length: keys }, (_, index) => firstKey + index));
        },
      ),
      { seed: 1 },
    );
  });
});

describe('seeds', () => {
  interface Drawn {
    readonly commands: number[];
    readonly keys: number[];
  }

  function readsAndWrites(own: KeyRange, readShare: number, seed: number): Workload {
    const task = plainWorkload({ keys: own.keys, valueBytes: 8, readShare });
    return openWorkload(task, commandMix(task, 'k:', 1), own, seed);
  }

  function draw(workload: Workload, batches: number, size = 10): Drawn {
    const batch = new Batch(size, { done: () => {} });
    const drawn: Drawn = { commands: [], keys: [] };
    for (let i = 0; i < batches; i++) {
      workload.fill(batch);
      for (let index = 0; index < size; index++) drawn.commands.push(batch.commandAt(index));
      drawn.keys.push(...batch.numbers);
    }
    return drawn;
  }

  test('the same seed draws the same commands and keys, however they are put into batches', () => {
    const keys = { firstKey: 500, keys: 1000 };
    const once = draw(readsAndWrites(keys, 0.3, 7), 100);
    expect(draw(readsAndWrites(keys, 0.3, 7), 100)).toEqual(once);
    expect(draw(readsAndWrites(keys, 0.3, 7), 10, 100)).toEqual(once);
    expect(draw(readsAndWrites(keys, 0.3, 8), 100).keys).not.toEqual(once.keys);
  });

  test('keys are uniform over the whole range and nowhere else; reads come at their ratio', () => {
    const { commands, keys } = draw(readsAndWrites({ firstKey: 99_999_990, keys: 10 }, 0.25, 3), 4000);
    const counts = new Map<number, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual(Array.from({ length: 10 }, (_, index) => 99_999_990 + index));
    // 40,000 draws: 4,000 a key with a standard deviation of 60. Commands come in an order that has their exact shares.
    for (const count of counts.values()) expect(Math.abs(count - 4000)).toBeLessThan(360);
    expect(commands.filter(command => command === 0).length).toBe(10_000);
  });

  test('a ratio of 0 never reads, a ratio of 1 always does', () => {
    const keys = { firstKey: 0, keys: 1 };
    expect(new Set(draw(readsAndWrites(keys, 0, 1), 200).commands)).toEqual(new Set([1]));
    expect(new Set(draw(readsAndWrites(keys, 1, 1), 200).commands)).toEqual(new Set([0]));
    expect(new Set(draw(readsAndWrites(keys, 1, 1), 200).keys)).toEqual(new Set([0]));
  });

  test('values are printable, seeded, and as long as asked for', () => {
    for (const bytes of [0, 1, 32, 5000])
      expect(randomValue(bytes, 1)).toMatch(new RegExp(`^[\\w-]{${bytes}}$`));
    expect(randomValue(32, 1)).toBe(randomValue(32, 1));
    expect(randomValue(32, 1)).not.toBe(randomValue(32, 2));
    const workload = plainWorkload({ keys: 1, valueBytes: 8, readShare: 0.5 });
    const { commands } = commandMix(workload, 'k:', 1).commandSet;
    expect(commands.map(command => command.name)).toEqual(['GET', 'SET']);
  });

  /** The keys that a server is asked for by one task, in the order of their arrival. */
  async function keysAskedFor(options: TaskOptions): Promise<string[]> {
    const asked: string[] = [];
    const { port } = await startScriptedServer((request, reply) => {
      const [command = '', key = ''] = request;
      if (command === 'GET' || command === 'SET') asked.push(key);
      reply('+OK\r\n');
    });
    await runOne(port, { seconds: 10, ...options }, stopAfter(200));
    return asked;
  }

  test('a thread asks for the same keys in the same order every time', async () => {
    const one = { pools: [{ workers: 1 }], keyPrefix: 'run:' };
    const [first, second, other] = [
      await keysAskedFor({ ...one, seed: 5 }),
      await keysAskedFor({ ...one, seed: 5 }),
      await keysAskedFor({ ...one, seed: 6 }),
    ];
    const both = Math.min(first.length, second.length);
    expect(both).toBeGreaterThan(30);
    expect(first.slice(0, both)).toEqual(second.slice(0, both));
    expect(other.slice(0, both)).not.toEqual(first.slice(0, both));
  });

  test('the pools of a thread draw from their own keys only, each differently', async () => {
    const asked = await keysAskedFor({
      keyPrefix: 'run:',
      pools: [
        { firstKey: 0, keys: 100 },
        { firstKey: 100, keys: 50 },
      ],
    });
    const numbers = asked.map(key => Number(/^run:(\d{8})$/.exec(key)?.[1]));
    const [first, second] = [
      numbers.filter(key => key < 100),
      numbers.filter(key => key >= 100 && key < 150),
    ];
    expect(first.length + second.length).toBe(numbers.length);
    expect(Math.min(first.length, second.length)).toBeGreaterThan(30);
    expect(new Set(second.map(key => key - 100))).not.toEqual(new Set(first.slice(0, second.length)));
  });
});
