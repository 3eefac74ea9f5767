import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { startRedis } from './support/servers.ts';

/** Commands in the order in which one worker sent them, over its one connection. */
type Sequence = { name: string; key: string; value: string }[];

/** What the worker sent in the warm-up of the threads, and what in the measurement. */
async function sequencesOf(url: string, seed: number): Promise<[Sequence, Sequence]> {
  const redis = new Redis(url);
  onTestFinished(() => redis.disconnect());
  const monitor = await redis.monitor();
  onTestFinished(() => monitor.disconnect());
  const byConnection = new Map<string, Sequence>();
  monitor.on('monitor', (_time: string, [name = '', key = '', value = '']: string[], from: string) => {
    const sequence = byConnection.get(from) ?? [];
    byConnection.set(from, sequence);
    sequence.push({ name: name.toUpperCase(), key: key.replace(/^poolbench:\d+:/, ''), value });
  });
  const experiment = await createExperiment(url, {
    scenarios: [{ client: 'wire', workers: 1 }],
    seconds: 0.2,
    warmupSeconds: 0,
    seed,
  });
  const { code, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  await sleep(50);
  const ofWorker = [...byConnection.values()]
    .map(sequence => sequence.filter(({ name }) => ['GET', 'SET'].includes(name)))
    // Only the coordinator, which writes the keys first, sends no GET.
    .filter(sequence => sequence.some(({ name }) => name === 'GET'));
  const [shakeDown, measured] = ofWorker;
  if (shakeDown === undefined || measured === undefined) throw new Error('expected two connections');
  expect(ofWorker).toHaveLength(2);
  return [shakeDown, measured];
}

test('the same seed gives the same commands, keys and values; another seed others', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const first = await sequencesOf(server.url, 1);
  const again = await sequencesOf(server.url, 1);
  const other = await sequencesOf(server.url, 2);

  const common = 30;
  const start = (sequence: Sequence | undefined) => {
    expect(sequence?.length).toBeGreaterThan(common);
    return (sequence ?? []).slice(0, common);
  };
  const keys = (sequence: Sequence | undefined) => start(sequence).map(({ name, key }) => `${name} ${key}`);
  for (const part of [0, 1]) {
    expect(start(again[part])).toEqual(start(first[part]));
    expect(keys(other[part])).not.toEqual(keys(first[part]));
  }
  // Every round has draws of its own.
  expect(keys(first[0])).not.toEqual(keys(first[1]));

  const [, measured] = first;
  for (const { key } of measured) expect(key).toMatch(/^00000[01]\d\d$/);
  expect(new Set(measured.map(({ name }) => name))).toEqual(new Set(['GET', 'SET']));
  expect(new Set(measured.map(({ key }) => key)).size).toBeGreaterThan(20);
});
