import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import type { ThreadLoadFigures } from '../../src/workers/contract.ts';

/** What a thread that runs `script`, with a ThreadLoadMeter `meter` at hand, says of itself: it ends with `meter.stop()`. */
async function strainOf(script: string): Promise<ThreadLoadFigures> {
  const module = new URL('../../dist/workers/measured-window.js', import.meta.url).href;
  const source = `
    const block = ms => { for (const end = performance.now() + ms; performance.now() < end;); };
    const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
    const litter = async () => { for (let i = 0; i < 40; i++) { Array.from({ length: 30_000 }, () => ({})); await sleep(0); } };
    import(${JSON.stringify(module)})
      .then(async ({ ThreadLoadMeter }) => { const meter = new ThreadLoadMeter(); ${script} })
      .then(strain => require('node:worker_threads').parentPort.postMessage(strain));`;
  const worker = new Worker(source, { eval: true, execArgv: [] });
  onTestFinished(async () => void (await worker.terminate()));
  const [strain] = await once(worker, 'message');
  return strain;
}

test('a thread that computes has a core or waits for one all the time', async () => {
  const strain = await strainOf('meter.begin(); block(300); return meter.stop();');
  expect(strain.eventLoopUtilization).toBeGreaterThan(0.95);
  if (process.platform !== 'linux') return;
  expect((strain.cores ?? 0) + (strain.waitShare ?? 0)).toBeGreaterThan(0.9);
  expect((strain.cores ?? 0) + (strain.waitShare ?? 0)).toBeLessThan(1.05);
});

test('a thread that waits has no core, whatever another computes beside it', async () => {
  const [strain] = await Promise.all([
    strainOf('meter.begin(); await sleep(300); return meter.stop();'),
    strainOf('meter.begin(); block(300); return meter.stop();'),
  ]);
  expect(strain.eventLoopUtilization).toBeLessThan(0.2);
  if (process.platform === 'linux') expect(strain.cores).toBeLessThan(0.2);
});

test('what came before begin() does not count', async () => {
  const strain = await strainOf('await litter(); block(200); meter.begin(); return meter.stop();');
  expect(strain).toMatchObject({ gcPauses: 0, gcMs: 0, gcLongestMs: 0, loopDelayMaxMs: 0 });
});

test('pauses of the garbage collector are counted and summed', async () => {
  const { gcPauses, gcMs, gcLongestMs } = await strainOf(
    'meter.begin(); await litter(); return meter.stop();',
  );
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
    const strain = await strainOf(`${script} return meter.stop();`);
    expect(strain.loopDelayMaxMs).toBeGreaterThan(120);
    expect(strain.loopDelayP99Ms).toBe(strain.loopDelayMaxMs);
  });
}

test('a meter that was never begun tells of no pauses and no delay', async () => {
  const strain = await strainOf('await sleep(20); return meter.stop();');
  expect(strain).toMatchObject({ gcPauses: 0, loopDelayP99Ms: 0, loopDelayMaxMs: 0 });
});

test('a meter can be begun again', async () => {
  const strain = await strainOf(
    'meter.begin(); block(150); meter.begin(); await sleep(60); return meter.stop();',
  );
  expect(strain.eventLoopUtilization).toBeLessThan(0.9);
  expect(strain.loopDelayMaxMs).toBeLessThan(120);
});
