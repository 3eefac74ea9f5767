import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batch } from '../src/pool/client/batch.ts';
import type { WorkloadTask } from '../src/workers/contract.ts';
import { commandMix } from '../src/workers/workload/command-mix.ts';
import { partOf } from '../src/workers/workload/key-choosers.ts';
import { keyRanges } from '../src/workers/workload/key-ranges.ts';
import { plainWorkload } from '../src/workers/workload/plain-workload.ts';
import { openWorkload, type Workload } from '../src/workers/workload/workload.ts';
import { chiSquaredDeviation } from './support/goodness-of-fit.ts';

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

test('every template has its share: commands by their weights, values by theirs', () => {
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
        expect(draw(open(changes, seed).workload, 300 / size, size)).toEqual(once);
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

test('reads find what is there by the hit share; the others are for keys that nobody writes', () => {
  const { mix, workload } = open({ commands, hitShare: 0.75 });
  const ranges = keyRanges({ ...plain, commands, hitShare: 0.75 });
  expect(ranges).toEqual({
    families: ['strings', 'sets'],
    prefilled: 1000,
    inserted: 2000,
    written: 2000,
    all: 3000,
  });
  const reads: number[] = [];
  const written = new Set<string>();
  for (const [command = 0, ...numbers] of draw(workload, 5000, 10)) {
    const { name, keys } = mix.templates[command] ?? { name: '', keys: 0 };
    const ofKeys = numbers.slice(0, keys);
    if (name === 'GET' || name === 'MGET') reads.push(...ofKeys);
    else for (const key of ofKeys) written.add(`${name} ${Math.floor(key / 1000)}`);
  }
  expect(written).toEqual(new Set(['SET 0', 'SADD 1']));
  expect(reads.every(key => key < 1000 || (key >= 2000 && key < 3000))).toBe(true);
  const hits = reads.filter(key => key < 1000).length;
  // Of a binomial: four standard deviations.
  expect(Math.abs(hits - 0.75 * reads.length)).toBeLessThan(4 * Math.sqrt(reads.length * 0.75 * 0.25));
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
