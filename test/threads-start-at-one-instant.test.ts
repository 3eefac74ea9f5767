import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowNs } from '../src/pool/clock.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import { until } from './support/connections.ts';
import { startScriptedServer } from './support/scripted-server.ts';
import { buildTask, runOne, startThreads } from './support/threads.ts';

test('threads that are ready at different times issue nothing before the start instant, and then together', async () => {
  const firstArrivalNs = new Map<string, number>();
  const { port } = await startScriptedServer((request, reply) => {
    const [command = '', key = ''] = request;
    const thread = key.split(':')[0] ?? '';
    if ((command === 'GET' || command === 'SET') && !firstArrivalNs.has(thread))
      firstArrivalNs.set(thread, nowNs());
    reply('+OK\r\n');
  });
  const run = startThreads(2);
  const shared = SharedState.forThreads(2);
  const task = (thread: number) =>
    buildTask(port, shared, { keyPrefix: `thread${thread}:`, seconds: 0.1, warmupSeconds: 0.05 }, thread);

  const first = run(task(0));
  await until(() => shared.ready === 1);
  await sleep(300);
  const second = run(task(1));
  await until(() => shared.ready === 2);
  await sleep(100);
  expect(firstArrivalNs.size).toBe(0);
  const startNs = nowNs() + 50e6;
  shared.release(startNs);
  const samples = await Promise.all([first, second]);

  expect(samples.map(sample => sample.thread)).toEqual([0, 1]);
  const arrivals = [...firstArrivalNs.values()];
  expect(arrivals).toHaveLength(2);
  for (const arrivalNs of arrivals) expect(arrivalNs).toBeGreaterThanOrEqual(startNs);
  // They became ready 300 ms apart; on a busy machine a thread may be scheduled late, but not by as much.
  expect(Math.abs((arrivals[0] ?? 0) - (arrivals[1] ?? 0)) / 1e6).toBeLessThan(280);
});

test('no operation comes before the start instant, not even by the granularity of a timer', async () => {
  let firstNs = Number.POSITIVE_INFINITY;
  const { port } = await startScriptedServer((request, reply) => {
    if (request[0] === 'GET' || request[0] === 'SET') firstNs = Math.min(firstNs, nowNs());
    reply('+OK\r\n');
  });
  let issued = 0;
  for (const leadMs of [5.1, 5.3, 5.5, 5.7, 5.9]) {
    firstNs = Number.POSITIVE_INFINITY;
    let startNs = 0;
    const sample = await runOne(port, { seconds: 0.05, leadMs }, (_, releasedNs) => {
      startNs = releasedNs;
    });
    issued += sample.issued;
    expect(firstNs).toBeGreaterThanOrEqual(startNs);
  }
  expect(issued).toBeGreaterThan(0);
});

test('a thread that is stopped at the barrier issues nothing', async () => {
  let asked = 0;
  const { port } = await startScriptedServer((request, reply) => {
    if (request[0] === 'GET' || request[0] === 'SET') asked++;
    reply('+OK\r\n');
  });
  const run = startThreads(1);
  const shared = SharedState.forThreads(1);
  const running = run(buildTask(port, shared, { seconds: 60 }));
  await until(() => shared.ready === 1);
  shared.stop(nowNs());
  expect(await running).toMatchObject({ seconds: 0, issued: 0, completed: 0, unfinished: 0 });
  expect(asked).toBe(0);
});
