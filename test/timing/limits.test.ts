import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ThreadLoadFigures } from '../../src/workers/contract.ts';
import { measureLimit, startFirstInLine } from '../support/limit.ts';
import { connectObserver } from '../support/observed-server.ts';
import { startProxy } from '../support/proxy.ts';

describe('limit is nobody when client and server take turns', () => {
  test('nothing limits when one worker and the server wait for each other on one machine', async context => {
    const { url } = await startFirstInLine(context);
    const config = { scenarios: [{ client: 'wire', workers: 1 }] };
    expect(await measureLimit(context, url, config)).toMatch(
      /^none: thread 0\.\d\d of a core, .* busy, server main thread 0\.\d\d of a core: (neither|nothing) was /,
    );
  });
});

describe('limit is the client when its threads burn cpu', () => {
  test('the client limits when its thread has a core all the time, and the late event loop is reported', async context => {
    const { url } = await startFirstInLine(context);
    const config = { scenarios: [{ client: 'wire', workers: 1 }] };
    expect(await measureLimit(context, url, config, { busyThreads: true })).toMatch(
      /^client: thread [01]\.\d\d of a core, event loop \d+ % busy, .*event loop \d[\d.]* ms late \(p99\); /,
    );
  });
});

describe('limit is the machine when threads outnumber its cores', () => {
  test('the machine limits when it has half as many cores as threads that want one', async context => {
    const { url } = await startFirstInLine(context);
    const pools = 2 * availableParallelism();
    const config = { scenarios: [{ client: 'wire', pools, workers: pools }] };
    expect(await measureLimit(context, url, config, { busyThreads: true, crowded: true })).toMatch(
      /^machine: threads ready without a core [2-9]\d % of the time, machine \d+ % busy /,
    );
  });
});

describe('limit is the network when it delays', () => {
  test('the network limits when every round trip takes long and nothing is busy', async context => {
    const { port } = await startFirstInLine(context);
    const proxy = await startProxy(port);
    proxy.delayMs = 50;
    const config = { scenarios: [{ client: 'wire', workers: 2 }] };
    expect(await measureLimit(context, `redis://127.0.0.1:${proxy.port}`, config)).toMatch(
      /^network: .* ms per batch, a PING before the load .* ms: round trips took the time; /,
    );
  });
});

describe('limit is the pool when it has too few connections', () => {
  test('the pool limits when forty workers share two connections', async context => {
    const { url } = await startFirstInLine(context);
    const config = { scenarios: [{ client: 'wire', workers: 40, connectionsPerWorker: 0.05 }] };
    expect(await measureLimit(context, url, config)).toMatch(
      /^pool: 9\d % of the response time \(.* ms\) waiting for a connection, up to 3[89] waiting; /,
    );
  });
});

describe('limit is the server when a script keeps it busy', () => {
  test('the server limits when its main thread is busy with the script of another client', async context => {
    const { url } = await startFirstInLine(context);
    const other = await connectObserver(url);
    const keepBusy = async () => {
      // Two at a time: the server must find the next one when it has done with one.
      while (other.status === 'ready')
        await Promise.all([0, 1].map(() => other.eval('for i = 1, 1e6 do end', 0))).catch(() => {});
    };
    void keepBusy();
    const config = { scenarios: [{ client: 'wire', workers: 4 }] };
    expect(await measureLimit(context, url, config)).toMatch(
      /^server: server main thread [01]\.\d\d of a core; /,
    );
  });
});

describe('limit is the server when it takes its time', () => {
  test('the server limits when it holds writes back without using a core', async context => {
    const { url } = await startFirstInLine(context);
    const other = await connectObserver(url);
    // As a slow disk does, and unlike DEBUG SLEEP, this lets a PING pass.
    const holdWritesBack = async () => {
      while (other.status === 'ready') {
        await other.call('CLIENT', 'PAUSE', '1000', 'WRITE');
        await sleep(60);
        await other.call('CLIENT', 'UNPAUSE');
      }
    };
    holdWritesBack().catch(() => {});
    const config = { workload: { keys: 20, readShare: 0 }, scenarios: [{ client: 'wire', workers: 4 }] };
    expect(await measureLimit(context, url, config)).toMatch(
      /^server: .* ms per batch, a PING before the load .* ms, server main thread 0\.\d\d of a core: it took its time without using a core/,
    );
  });
});

describe('limit of a thread is measured in the thread', () => {
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

  test('a meter that was never begun reports no pauses and no delay', async () => {
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
});
