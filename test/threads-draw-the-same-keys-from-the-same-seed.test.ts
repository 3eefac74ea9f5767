import { expect, test } from 'vitest';
import { Batch } from '../src/pool/client/batch.ts';
import { commandMix, randomValue } from '../src/workers/workload/command-mix.ts';
import type { KeyRange } from '../src/workers/workload/key-choosers.ts';
import { plainWorkload } from '../src/workers/workload/plain-workload.ts';
import { openWorkload, type Workload } from '../src/workers/workload/workload.ts';
import { startScriptedServer } from './support/scripted-server.ts';
import { runOne, type TaskOptions } from './support/threads.ts';

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

test('keys are even over the whole range and nowhere else; reads have their share', () => {
  const { commands, keys } = draw(readsAndWrites({ firstKey: 99_999_990, keys: 10 }, 0.25, 3), 4000);
  const counts = new Map<number, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  expect([...counts.keys()].sort()).toEqual(Array.from({ length: 10 }, (_, index) => 99_999_990 + index));
  // 40,000 draws: 4,000 a key with a standard deviation of 60. Commands come in an order that has their exact shares.
  for (const count of counts.values()) expect(Math.abs(count - 4000)).toBeLessThan(360);
  expect(commands.filter(command => command === 0).length).toBe(10_000);
});

test('a share of 0 never reads, a share of 1 always does', () => {
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
  await runOne(port, { seconds: 0.05, ...options });
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
  const [first, second] = [numbers.filter(key => key < 100), numbers.filter(key => key >= 100 && key < 150)];
  expect(first.length + second.length).toBe(numbers.length);
  expect(Math.min(first.length, second.length)).toBeGreaterThan(30);
  expect(new Set(second.map(key => key - 100))).not.toEqual(new Set(first.slice(0, second.length)));
});
