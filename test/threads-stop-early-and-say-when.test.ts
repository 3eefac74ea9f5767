import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowNs } from '../src/pool/clock.ts';
import { startScriptedServer } from './support/scripted-server.ts';
import { accounted, runOne } from './support/threads.ts';

async function stopAfter(stopMs: number, warmupSeconds: number) {
  const arrivalsNs: number[] = [];
  const { port } = await startScriptedServer((request, reply) => {
    if (request[0] === 'GET' || request[0] === 'SET') arrivalsNs.push(nowNs());
    reply('+OK\r\n');
  });
  let startNs = 0;
  const sample = await runOne(
    port,
    { seconds: 60, warmupSeconds, pools: [{ workers: 2 }] },
    (shared, releasedNs) => {
      startNs = releasedNs + warmupSeconds * 1e9;
      void sleep((releasedNs - nowNs()) / 1e6 + stopMs).then(() => shared.stop(nowNs()));
    },
  );
  return { sample, measured: arrivalsNs.filter(ns => ns >= startNs), startNs, arrivalsNs };
}

test('stopped in the measured window: the window is as long as operations were issued', async () => {
  const { sample, measured, startNs } = await stopAfter(120, 0);
  expect(sample.seconds).toBeGreaterThan(0.11);
  expect(sample.seconds).toBeLessThan(10);
  expect(accounted(sample)).toBe(sample.issued);
  expect(sample.completed).toBeGreaterThan(50);
  expect(Math.abs(measured.length - sample.completed)).toBeLessThanOrEqual(2);
  // What was issued after the window's end would be throughput of a time that is not counted.
  const late = measured.filter(ns => ns > startNs + sample.seconds * 1e9 + 5e6);
  expect(late.length).toBeLessThanOrEqual(2);
});

test('stopped in the warm-up: nothing was measured, and that takes no time', async () => {
  const { sample, arrivalsNs } = await stopAfter(60, 30);
  expect(sample).toMatchObject({
    seconds: 0,
    issued: 0,
    completed: 0,
    failed: {},
    unfinished: 0,
    series: [],
  });
  expect(sample.warmupCompleted).toBe(arrivalsNs.length);
  expect(sample.warmupCompleted).toBeGreaterThan(0);
});
