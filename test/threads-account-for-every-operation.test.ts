import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Control, connectControl } from '../src/main/server/control.ts';
import { commandCalls } from '../src/main/server/info.ts';
import { plainWorkload } from '../src/workers/workload/plain-workload.ts';
import { clientNames, loopback, until } from './support/connections.ts';
import { decodeHistogram } from './support/decode-histogram.ts';
import { startProxy } from './support/proxy.ts';
import { startScriptedServer } from './support/scripted-server.ts';
import { startRedis, type TestServer } from './support/servers.ts';
import { accounted, type PlainSample, runOne } from './support/threads.ts';

let server: TestServer;
let control: Control;

beforeAll(async () => {
  server = await startRedis();
  control = await connectControl(loopback(server.port), { timeoutMs: 2000 });
});

afterAll(async () => {
  control?.close();
  await server?.stop();
});

function recorded(sample: PlainSample): { service: number; response: number; series: number } {
  const total = (encoded: string) => {
    const histogram = decodeHistogram(encoded);
    const { totalCount } = histogram;
    histogram.destroy();
    return totalCount;
  };
  return {
    service: total(sample.service),
    response: total(sample.response),
    series: sample.series.reduce((sum, second) => sum + total(second.response), 0),
  };
}

/** GETs and SETs that the server has seen. */
async function calls(): Promise<number> {
  return commandCalls(await control.info('commandstats'), ['get', 'set']) ?? 0;
}

function failedOf(sample: PlainSample): number {
  return Object.values(sample.failed).reduce((sum, count) => sum + count, 0);
}

describe.each(clientNames)('%s', client => {
  test.each([1, 7])(
    'with a warm-up, %d deep: the warm-up is counted apart, and the server agrees',
    async pipeline => {
      const before = await calls();
      const sample = await runOne(server.port, { client, pipeline, warmupSeconds: 0.2, seconds: 0.2 });
      expect(sample.warmupCompleted).toBeGreaterThan(0);
      expect(sample).toMatchObject({ failed: {}, unfinished: 0 });
      expect(sample.issued).toBe(sample.completed);
      expect((await calls()) - before).toBe(sample.warmupCompleted + sample.completed);
      const { completed } = sample;
      expect(recorded(sample)).toEqual({ service: completed, response: completed, series: completed });
      expect(sample.series.reduce((sum, second) => sum + second.completed, 0)).toBe(completed);
    },
  );

  test('reads that find nothing are misses, and completed', async () => {
    const sample = await runOne(server.port, {
      client,
      workload: plainWorkload({ keys: 100, valueBytes: 16, readShare: 1 }),
      keyPrefix: 'nothing-here:',
    });
    expect(sample.completed).toBeGreaterThan(0);
    expect(sample.misses).toBe(sample.completed);
  });

  test('error replies are failures by code, and no latency', async () => {
    const full = await startRedis({ args: ['--maxmemory', '1'] });
    onTestFinished(() => full.stop());
    const sample = await runOne(full.port, { client, pipeline: 3 });
    expect(Object.keys(sample.failed)).toEqual(['OOM']);
    expect(sample.completed).toBeGreaterThan(0);
    expect(sample.failed.OOM).toBeGreaterThan(0);
    expect(accounted(sample)).toBe(sample.issued);
    expect(recorded(sample).response).toBe(sample.completed);
    expect(sample.series.reduce((sum, second) => sum + second.failed, 0)).toBe(failedOf(sample));
  });

  test.each(['baseline', 'optimized'] as const)('%s: the server dies in mid-run', async preset => {
    const mortal = await startRedis();
    onTestFinished(() => mortal.stop());
    const sample = await runOne(mortal.port, { client, preset, pipeline: 2, seconds: 1 }, () =>
      setTimeout(() => mortal.stop(), 200),
    );
    expect(sample.completed).toBeGreaterThan(0);
    expect(sample.failed.ECONNREFUSED).toBeGreaterThan(0);
    expect(accounted(sample)).toBe(sample.issued);
    expect(recorded(sample).response).toBe(sample.completed);
    expect(sample.seconds).toBe(1);
  });

  test.each(['baseline', 'optimized'] as const)(
    '%s: the connections go silent in mid-batch, and so do those that are opened',
    async preset => {
      const proxy = await startProxy(server.port);
      const before = await calls();
      const sample = await runOne(
        proxy.port,
        { client, preset, pipeline: 5, seconds: 1, timeoutMs: 200 },
        async () => {
          // A few batches of each worker were answered by then.
          await until(async () => (await calls()) > before + 20);
          proxy.cutAfter(7, 'silence');
          setTimeout(() => {
            proxy.silent = true;
          }, 20);
        },
      );
      expect(sample.completed).toBeGreaterThan(0);
      expect(sample.failed.TIMEOUT).toBeGreaterThan(0);
      expect(accounted(sample)).toBe(sample.issued);
      expect(recorded(sample).response).toBe(sample.completed);
    },
  );

  test('callers that are still waiting at the end are unfinished, and nothing else', async () => {
    const proxy = await startProxy(server.port);
    // In turn, each connect waits for its own time limit: the last ones are given up with the drain.
    const options = { client, preset: 'baseline', timeoutMs: 400, seconds: 0.1 } as const;
    proxy.silent = true;
    const sample = await runOne(proxy.port, { ...options, pools: [{ workers: 10, connections: 20 }] });
    expect(sample.unfinished).toBeGreaterThan(0);
    expect(sample.completed).toBe(0);
    expect(Object.keys(sample.failed)).not.toContain('POOL_CLOSED');
    expect(accounted(sample)).toBe(sample.issued);
  });

  test('a batch that is half answered when the drain is given up is unfinished, and does no harm', async () => {
    const sockets = new Set<unknown>();
    let asked = 0;
    const { port } = await startScriptedServer((request, reply, socket) => {
      sockets.add(socket);
      // The first three logins are never answered, so that under the lock the fourth comes late in the drain.
      if (sockets.size <= 3) return;
      if (request[0] !== 'GET' && request[0] !== 'SET') reply('+OK\r\n');
      else if (asked++ === 0) reply('+OK\r\n');
    });
    const late = { preset: 'baseline', pipeline: 5, timeoutMs: 400, seconds: 0.1 } as const;
    const sample = await runOne(port, { client, ...late, pools: [{ workers: 10, connections: 20 }] });
    expect(asked).toBeGreaterThan(0);
    expect(sample.unfinished).toBeGreaterThan(0);
    expect(accounted(sample)).toBe(sample.issued);
    // An error of what ends now is uncaught, and fails the run.
    await new Promise(resolve => setTimeout(resolve, 50));
  });

  test('a pool that cannot warm fails the task, and leaves nothing open', async () => {
    const proxy = await startProxy(server.port);
    await proxy.refuse();
    await expect(runOne(proxy.port, { client })).rejects.toThrow(/ECONNREFUSED/);
    await proxy.admit();
    proxy.silent = true;
    await expect(runOne(proxy.port, { client, timeoutMs: 100 })).rejects.toThrow(
      /No connection within 100 ms/,
    );
    await expect.poll(() => proxy.open).toBe(0);
  });
});
