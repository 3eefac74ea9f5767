import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ThreadLoadFigures } from '../../src/workers/contract.ts';

/** Runs scripts with a ThreadLoadMeter `meter` at hand, one after another. `jump` makes a stall that takes no real time. */
const source = `
  const { parentPort } = require('node:worker_threads');
  const { performance } = require('node:perf_hooks');
  const now = performance.now.bind(performance);
  let jumpedMs = 0;
  performance.now = () => now() + jumpedMs;
  const jump = ms => { jumpedMs += ms; };
  const block = ms => { for (const end = performance.now() + ms; performance.now() < end;); };
  const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
  const litter = async () => { for (let i = 0; i < 40; i++) { Array.from({ length: 30_000 }, () => ({})); await sleep(0); } };
  parentPort.on('message', async script => {
    jumpedMs = 0;
    const { ThreadLoadMeter } = await import(${JSON.stringify(new URL('../../dist/workers/measured-window.js', import.meta.url).href)});
    const run = eval('async meter => {' + script + '}');
    parentPort.postMessage(await run(new ThreadLoadMeter()));
  });`;

let worker: Worker;
beforeAll(() => {
  worker = new Worker(source, { eval: true, execArgv: [] });
});
afterAll(async () => void (await worker?.terminate()));

/** Longer than any stall of a busy machine. */
const minuteMs = 60_000;

/** What the thread measures of itself in a script that ends with `meter.stop()`. */
async function loadOf(script: string): Promise<ThreadLoadFigures & { readonly wallMs?: number }> {
  worker.postMessage(script);
  const [figures] = await once(worker, 'message');
  return figures;
}

/** Node counts a wait for a core as work of the event loop, so on a busy machine even an idle thread can seem to work. */
const workRatio = ({ eventLoopUtilization, waitShare }: ThreadLoadFigures) =>
  eventLoopUtilization - (waitShare ?? 0);

test('a thread that computes has a core or waits for one all the time', async () => {
  const { wallMs = Number.NaN, ...load } = await loadOf(
    'const from = now(); meter.begin(); block(300); return { ...meter.stop(), wallMs: now() - from };',
  );
  expect(load.eventLoopUtilization).toBeGreaterThan(0.95);
  if (process.platform !== 'linux') return;
  expect((load.cores ?? 0) + (load.waitShare ?? 0)).toBeGreaterThan(0.9);
  // It can wait for a core while it reads these figures, too.
  expect((load.cores ?? 0) + (load.waitShare ?? 0)).toBeLessThan((1.05 * wallMs) / 300);
});

test('a thread that waits has no core, whatever another computes beside it', async () => {
  const waiting = loadOf('meter.begin(); await sleep(300); return meter.stop();');
  for (const endMs = performance.now() + 250; performance.now() < endMs; );
  const load = await waiting;
  expect(workRatio(load)).toBeLessThan(0.5);
  if (process.platform === 'linux') expect(load.cores).toBeLessThan(0.2);
});

test('what came before begin() does not count', async () => {
  const load = await loadOf(`await litter(); jump(${minuteMs}); meter.begin(); return meter.stop();`);
  expect(load).toMatchObject({ gcPauses: 0, gcMs: 0, gcLongestMs: 0 });
  expect(load.loopDelayMaxMs).toBeLessThan(minuteMs / 2);
});

test('pauses of the garbage collector are counted and summed', async () => {
  const { gcPauses, gcMs, gcLongestMs } = await loadOf('meter.begin(); await litter(); return meter.stop();');
  expect(gcPauses).toBeGreaterThan(1);
  expect(gcLongestMs).toBeGreaterThan(0);
  expect(gcMs).toBeGreaterThan(gcLongestMs);
});

for (const [where, script] of [
  ['first', 'meter.begin(); block(150); await sleep(40);'],
  ['in the middle', 'meter.begin(); await sleep(40); block(150); await sleep(40);'],
  ['and is not over', 'meter.begin(); await sleep(40); block(150);'],
] as const) {
  test(`the event loop is late by a stall that comes ${where}`, async () => {
    const load = await loadOf(`${script} return meter.stop();`);
    expect(load.loopDelayMaxMs).toBeGreaterThan(120);
    expect(load.loopDelayP99Ms).toBe(load.loopDelayMaxMs);
  });
}

test('a meter that was never begun reports no pauses and no delay', async () => {
  const load = await loadOf('await sleep(20); return meter.stop();');
  expect(load).toMatchObject({ gcPauses: 0, loopDelayP99Ms: 0, loopDelayMaxMs: 0 });
});

test('a meter can be begun again', async () => {
  const load = await loadOf(
    `meter.begin(); block(150); jump(${minuteMs}); meter.begin(); await sleep(60); return meter.stop();`,
  );
  expect(workRatio(load)).toBeLessThan(0.9);
  expect(load.loopDelayMaxMs).toBeLessThan(minuteMs / 2);
});
