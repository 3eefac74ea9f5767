import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { expectLimit, startFirstInLine } from '../support/limit.ts';
import { connectObserver } from '../support/observed-server.ts';
import { startProxy } from '../support/proxy.ts';

describe('limit is nobody when client and server take turns', () => {
  test('nothing limits when one worker and the server wait for each other on one machine', async context => {
    const { url } = await startFirstInLine(context);
    const config = { scenarios: [{ client: 'wire', workers: 1 }] };
    await expectLimit(
      context,
      url,
      config,
      /^none: thread 0\.\d\d of a core, .* busy, server main thread 0\.\d\d of a core: (neither|nothing) was /,
    );
  });
});

describe('limit is the client when its threads burn cpu', () => {
  test('the client limits when its thread has a core all the time, and the late event loop is reported', async context => {
    const { url } = await startFirstInLine(context);
    const config = { scenarios: [{ client: 'wire', workers: 1 }] };
    await expectLimit(
      context,
      url,
      config,
      /^client: thread [01]\.\d\d of a core, event loop \d+ % busy, .*event loop \d[\d.]* ms late \(p99\); /,
      { busyThreads: true },
    );
  });
});

describe('limit is the machine when threads outnumber its cores', () => {
  test('the machine limits when it has half as many cores as threads that want one', async context => {
    const { url } = await startFirstInLine(context);
    const pools = 2 * availableParallelism();
    const config = { scenarios: [{ client: 'wire', pools, workers: pools }] };
    await expectLimit(
      context,
      url,
      config,
      /^machine: threads ready without a core [2-9]\d % of the time, machine \d+ % busy /,
      { busyThreads: true },
    );
  });
});

describe('limit is the network when it delays', () => {
  test('the network limits when every round trip takes long and nothing is busy', async context => {
    const { port } = await startFirstInLine(context);
    const proxy = await startProxy(port);
    proxy.delayMs = 15;
    const config = { scenarios: [{ client: 'wire', workers: 2 }] };
    await expectLimit(
      context,
      `redis://127.0.0.1:${proxy.port}`,
      config,
      /^network: .* ms per batch, a PING before the load .* ms: round trips took the time; /,
    );
  });
});

describe('limit is the pool when it has too few connections', () => {
  test('the pool limits when forty workers share two connections', async context => {
    const { url } = await startFirstInLine(context);
    const config = { scenarios: [{ client: 'wire', workers: 40, connectionsPerWorker: 0.05 }] };
    await expectLimit(
      context,
      url,
      config,
      /^pool: 9\d % of the response time \(.* ms\) waiting for a connection, up to 3[89] waiting; /,
    );
  });
});

describe('limit is the server when a script keeps it busy', () => {
  test('the server limits when its main thread is busy with the script of another client', async context => {
    const { url } = await startFirstInLine(context);
    const other = await connectObserver(url);
    const keepBusy = async () => {
      while (other.status === 'ready') await other.eval('for i = 1, 1e6 do end', 0).catch(() => {});
    };
    // The server must have the next script when one ends, even if this process is late.
    for (let script = 0; script < 4; script++) void keepBusy();
    const config = { scenarios: [{ client: 'wire', workers: 4 }] };
    await expectLimit(context, url, config, /^server: server main thread [01]\.\d\d of a core; /);
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
    await expectLimit(
      context,
      url,
      config,
      /^server: .* ms per batch, a PING before the load .* ms, server main thread 0\.\d\d of a core: it was slow without using a core/,
    );
  });
});
