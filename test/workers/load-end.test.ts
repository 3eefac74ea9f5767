import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadClient } from '../../src/pool/client/libraries.ts';
import { nowNs } from '../../src/pool/clock.ts';
import type { ThreadSample } from '../../src/workers/contract.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import runTask from '../../src/workers/thread.ts';
import {
  type AnyClient,
  allClients,
  answeringClients,
  fileOf,
  loadedNames,
  until,
} from '../support/connections.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';
import { accounted, buildTask, runOne, type TaskOptions } from '../support/threads.ts';

/** Far beyond what a load may take after its end, and how late a busy machine is. */
const patienceMs = 30_000;
/** A batch is given up after this long. */
const timeoutMs = 300;
/** On a busy machine a first connection may take longer than that, and a pool that warms would fail the load. */
const unwarmed = { preset: 'lock-free' } as const;
/** Longer than any test: what waits for it has no end. */
const never = 600;

let server: TestServer;

beforeAll(async () => {
  server = await shareServer();
  for (const client of loadedNames) await loadClient(client, fileOf(client) ?? '');
});

/** A load in this thread, which starts as soon as it can. */
function startLoad(
  port: number,
  options: TaskOptions,
): { shared: SharedState; sample: Promise<ThreadSample> } {
  const shared = SharedState.forThreads(1);
  shared.release(nowNs());
  onTestFinished(() => shared.stop(nowNs()));
  const running = runTask(buildTask(port, shared, { seconds: never, timeoutMs, ...options }));
  const sample = running.then(outcome => ('refused' in outcome ? expect.fail(outcome.refused) : outcome));
  sample.catch(() => {});
  return { shared, sample };
}

/** The sample of a load that was stopped. Fails if there is none in time. */
async function inTime(sample: Promise<ThreadSample>, name: string): Promise<ThreadSample> {
  const late = new AbortController();
  const outcome = await Promise.race([sample, sleep(patienceMs, undefined, { signal: late.signal })]);
  late.abort();
  return outcome ?? expect.fail(`${name}: the load has no end`);
}

interface Moment {
  readonly name: string;
  readonly clients: readonly AnyClient[];
  readonly options: TaskOptions;
  readonly isSilentAtFirst?: boolean;
  /** Resolves when the load waits for a server that says nothing more. */
  silence(proxy: TestProxy, shared: SharedState): Promise<void>;
}

const moments: readonly Moment[] = [
  {
    name: 'it logs in, with a time limit far away',
    // valkey-glide does not end an attempt before its own time limit.
    clients: allClients,
    options: { timeoutMs: never * 1000 },
    isSilentAtFirst: true,
    silence: proxy => until(() => proxy.accepted > 0),
  },
  {
    name: 'it waits for replies',
    clients: answeringClients,
    options: { ...unwarmed, pipeline: 5 },
    async silence(proxy, shared) {
      await until(() => shared.progress(0).completed > 50);
      proxy.silent = true;
    },
  },
  {
    name: 'it checks a connection',
    clients: answeringClients,
    options: { preset: 'baseline', probe: 'ping' },
    async silence(proxy, shared) {
      await until(() => shared.progress(0).completed > 50);
      proxy.admission = (pass, [command]) => {
        if (String(command).toUpperCase() === 'PING') proxy.silent = true;
        else pass();
      };
      await until(() => proxy.silent);
    },
  },
  {
    name: 'it connects again',
    clients: allClients,
    options: unwarmed,
    async silence(proxy, shared) {
      await until(() => shared.progress(0).completed > 50);
      const { accepted } = proxy;
      proxy.cut('end');
      proxy.silent = true;
      await until(() => proxy.accepted > accepted);
    },
  },
  {
    name: 'it warms up',
    clients: answeringClients,
    options: { ...unwarmed, warmupSeconds: never },
    async silence(proxy, shared) {
      await until(() => shared.progress(0).warmupCompleted > 50);
      proxy.silent = true;
    },
  },
];

describe('a load that is stopped while the server is silent', () => {
  test.each(moments)('has an end: $name', async ({ clients, options, isSilentAtFirst = false, silence }) => {
    await Promise.all(
      clients.map(async client => {
        const proxy = await startProxy(server.port);
        // Else the loads take a core.
        proxy.delayMs = 5;
        proxy.silent = isSilentAtFirst;
        const { shared, sample } = startLoad(proxy.port, { client, ...options });
        await silence(proxy, shared);
        shared.stop(nowNs());
        const { loads, seconds } = await inTime(sample, client);
        for (const load of loads) expect(accounted(load), client).toBe(load.issued);
        expect(seconds, client).toBeLessThan(never);
      }),
    );
  });
});

test('a load ends by its own time limit, whatever another load in its thread waits for', async () => {
  const proxy = await startProxy(server.port);
  proxy.delayMs = 5;
  const [one, other] = [startLoad(proxy.port, unwarmed), startLoad(proxy.port, unwarmed)];
  await until(() => one.shared.progress(0).completed > 0 && other.shared.progress(0).completed > 0);
  one.shared.stop(nowNs());
  const { loads } = await inTime(one.sample, 'the first load');
  for (const load of loads) expect(accounted(load)).toBe(load.issued);
  // The other one goes on.
  const { completed } = other.shared.progress(0);
  await until(() => other.shared.progress(0).completed > completed);
  other.shared.stop(nowNs());
  await inTime(other.sample, 'the other load');
});

test('a load whose thread lost its core before its workers began, until its window was over, has had no window', async () => {
  const observe = vi.spyOn(PerformanceObserver.prototype, 'observe').mockImplementationOnce(() => {
    for (const overNs = nowNs() + 200e6; nowNs() < overNs; );
  });
  onTestFinished(() => observe.mockRestore());
  expect(await runOne(server.port, { seconds: 0.15 })).toMatchObject({ seconds: 0, issued: 0 });
});
