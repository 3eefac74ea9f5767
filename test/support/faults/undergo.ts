import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { nowNs } from '../../../src/pool/clock.ts';
import { type AnyClient, clientNames, fileOf, until } from '../connections.ts';
import { decodeHistogram } from '../decode-histogram.ts';
import { clientsNamed, connectObserver, processId, processLives } from '../observed-server.ts';
import { startProxy } from '../proxy.ts';
import { shareServer, startRedis } from '../servers.ts';
import { accounted, type PlainSample, runOne } from '../threads.ts';
import type { Fault, Known, Scene, Seen } from './fault.ts';
import { loopsOf } from './render-reliability.ts';

const usualSeconds = 0.4;
/** The window, which ends when the fault has come and was felt: long after that, or a busy machine would miss it. */
const maxSeconds = 30;
/** A batch is given up after this long, and a connect, too: later than on any busy machine, unless the fault is a silence. */
const usualTimeoutMs = 5000;
const inflictAfterMs = 100;
/** Operations that must have completed by then. */
const minCompleted = 20;
/** Of every reply, unless the fault sets another: without it a closed loop takes a core, which tests beside this one have to do without. */
const usualDelayMs = 10;
/** What a thread may take beyond its end and the time limit: the drain gives up a second later. The rest is for a busy machine. */
const patienceMs = 1000 + 4000;
/** HDR buckets of 3 digits: their upper end is at most so much above what was recorded. */
const bucketWidth = 1.001;

/** A test for each of these faults and each loop it is gone through in, with all of the clients side by side. */
export function testFaults(faults: readonly Fault[], clients: readonly AnyClient[] = clientNames): void {
  for (const fault of faults) {
    for (const loop of loopsOf(fault)) {
      test(`${fault.name} (${loop} loop)`, async ({ task }) => {
        const undergone = clients.map((client, number) => undergo(fault, client, loop, number));
        // All of them, or the load of one would go on beside the next test.
        await Promise.allSettled(undergone);
        task.meta.seen = await Promise.all(undergone);
      });
    }
  }
}

/**
 * Loads a server through a proxy, inflicts the fault in the window, and holds what came of it against what must be true
 * of every fault. Fails the test where it is not.
 *
 * @param number of the client, each of which has a server to itself
 */
async function undergo(fault: Fault, client: AnyClient, loop: Seen['loop'], number: number): Promise<Seen> {
  const { scene, clear } = await setScene(fault, number);
  await fault.prepare?.(scene);
  const before = await callsOfLoad(scene);
  const { timeoutMs = usualTimeoutMs, seconds = usualSeconds, ...load } = fault.load ?? {};
  let inflicted: Promise<unknown> = Promise.resolve();
  let isOver = false;
  let [releasedNs, stoppedNs] = [Number.NaN, Number.NaN];
  const sample = await runOne(
    scene.proxy.port,
    {
      client,
      pipeline: 5,
      seconds: maxSeconds,
      timeoutMs,
      openLoop:
        loop === 'closed'
          ? null
          : { arrivals: { kind: 'constant', rate: 1000, size: 1 }, pools: 1, firstPool: 0 },
      ...load,
    },
    (shared, startNs) => {
      releasedNs = startNs;
      const go = async () => {
        await sleep(inflictAfterMs);
        await until(() => isOver || shared.progress(0).completed >= minCompleted);
        const rest = sleep(1000 * seconds - inflictAfterMs);
        const felt = () => until(() => isOver || feltIn(shared.failures(0)).length > 0);
        try {
          await fault.inflict(scene, felt);
          await rest;
          if (fault.fails.length > 0) await felt();
        } finally {
          stoppedNs = nowNs();
          shared.stop(stoppedNs);
        }
      };
      inflicted = go();
      // It is awaited when the load is over.
      inflicted.catch(() => {});
    },
  );
  isOver = true;
  const endedNs = nowNs();
  await inflicted;
  const tookMs = (endedNs - releasedNs) / 1e6;

  const name = `${fault.name}, ${client}, ${loop} loop`;
  const endMs = (endedNs - stoppedNs) / 1e6;
  expect(endMs, `${name}: every wait has an end`).toBeLessThan(timeoutMs + patienceMs);
  holdBooks(sample, name);
  holdHistograms(sample, { leastMs: fault.slowestMs ?? 0, mostMs: tookMs }, name);
  holdCodes(fault, sample, client, name);
  await nothingIsLeft(scene, name);
  const serverCalls = fault.known === 'nothing' ? null : (await callsOfLoad(scene)) - before;
  if (serverCalls !== null) holdServersCount(sample, serverCalls, fault.known, name);
  await clear();
  const { issued, completed, failed, unfinished } = sample;
  return {
    kind: 'load',
    fault: fault.name,
    client,
    loop,
    issued,
    completed,
    failed,
    unfinished,
    serverCalls,
  };
}

async function setScene(
  { serverArguments: args = [], spoilsServer = false }: Fault,
  number: number,
): Promise<{ scene: Scene; clear(): Promise<void> }> {
  const isOwn = spoilsServer || args.length > 0;
  let server = await (isOwn ? startRedis({ args }) : shareServer('redis', number));
  const clear = () => server.stop();
  onTestFinished(clear);
  const proxy = await startProxy(server.port);
  proxy.delayMs = usualDelayMs;
  let observer = await connectObserver(server.url);
  let pid = await processId(observer);
  const scene: Scene = {
    proxy,
    get observer() {
      return observer;
    },
    get pid() {
      return pid;
    },
    async killAndRestart() {
      process.kill(pid, 'SIGKILL');
      while (processLives(pid)) await sleep(2);
      await server.stop();
      server = await startRedis({ args, port: server.port });
      observer = await connectObserver(server.url);
      pid = await processId(observer);
    },
  };
  return { scene, clear };
}

/** Issued = completed + failed + unfinished, to the operation, in the sums and second by second. */
function holdBooks(sample: PlainSample, name: string): void {
  expect(sample.completed, `${name}: the load was there`).toBeGreaterThan(0);
  expect(accounted(sample), `${name}: the books balance`).toBe(sample.issued);
  const failed = Object.values(sample.failed).reduce((sum, count) => sum + count, 0);
  const inSeconds = (count: (second: PlainSample['series'][number]) => number) =>
    sample.series.reduce((sum, second) => sum + count(second), 0);
  expect(
    inSeconds(second => second.completed),
    `${name}: completed in the series`,
  ).toBe(sample.completed);
  expect(
    inSeconds(second => second.failed),
    `${name}: failed in the series`,
  ).toBe(failed);
  if (sample.openLoop !== null)
    expect(sample.openLoop.offered, `${name}: what was due`).toBe(sample.issued + sample.openLoop.unsent);
}

/** As many latencies as operations that completed, and the longest within bounds: `mostMs` is the length of the run. */
function holdHistograms(
  { service, response, completed, overRange }: PlainSample,
  { leastMs, mostMs }: { readonly leastMs: number; readonly mostMs: number },
  name: string,
): void {
  for (const [kind, encoded] of Object.entries({ service, response })) {
    const histogram = decodeHistogram(encoded);
    try {
      expect(histogram.totalCount, `${name}: ${kind} times`).toBe(completed);
      expect(histogram.getValueAtPercentile(0), `${name}: shortest ${kind} time`).toBeGreaterThan(0);
      const longestMs = histogram.getValueAtPercentile(100) / 1e6;
      expect(longestMs, `${name}: longest ${kind} time`).toBeLessThan(mostMs * bucketWidth);
      expect(longestMs, `${name}: longest ${kind} time`).toBeGreaterThanOrEqual(leastMs);
    } finally {
      histogram.destroy();
    }
  }
  expect(overRange).toBe(0);
}

function holdCodes({ fails: known }: Fault, { failed }: PlainSample, client: AnyClient, name: string): void {
  const codes = Object.keys(failed);
  // A client that poolbench only loads need not say that it gave up because of what arrived.
  const fails =
    fileOf(client) !== undefined && known.includes('PROTOCOL') ? [...known, 'CONNECTION_CLOSED'] : known;
  expect(
    codes.filter(code => !fails.includes(code)),
    `${name}: codes that nobody expects`,
  ).toEqual([]);
  if (fails.length > 0) expect(feltIn(failed).length, `${name}: the fault was felt`).toBeGreaterThan(0);
}

/** Codes that are a sign of a fault. Connection attempts run out of time on a busy machine, too, and then fewer are made. */
function feltIn(failed: Readonly<Record<string, number>>): string[] {
  return Object.keys(failed).filter(code => !['ETIMEDOUT', 'CIRCUIT_OPEN'].includes(code));
}

function holdServersCount(sample: PlainSample, calls: number, known: Known, name: string): void {
  const { completed, issued } = sample;
  const failed = Object.values(sample.failed).reduce((sum, count) => sum + count, 0);
  if (known === 'completed') expect(calls, `${name}: the server's count`).toBe(completed);
  else if (known === 'completed and failed')
    expect(calls, `${name}: the server's count`).toBe(completed + failed);
  else {
    expect(calls, `${name}: the server's count`).toBeGreaterThanOrEqual(completed);
    expect(calls, `${name}: the server's count`).toBeLessThanOrEqual(issued);
  }
}

/** No connection of ours at the proxy or the server, and no key but those under the load's prefix. */
async function nothingIsLeft({ proxy, observer }: Scene, name: string): Promise<void> {
  await expect.poll(() => proxy.open, { message: `${name}: sockets left` }).toBe(0);
  const ours = () => clientsNamed(observer, 'test');
  await expect.poll(ours, { message: `${name}: connections left at the server` }).toEqual([]);
  const keys = await observer.keys('*');
  expect(
    keys.filter(key => !key.startsWith('test:')),
    `${name}: keys of others`,
  ).toEqual([]);
}

/** How often the server has run the commands of the load, refused ones not among them. */
async function callsOfLoad({ observer }: Pick<Scene, 'observer'>): Promise<number> {
  const info = await observer.info('commandstats');
  return ['get', 'set', 'setrange'].reduce(
    (sum, command) => sum + Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0),
    0,
  );
}
