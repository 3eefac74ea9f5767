/**
 * `npm run soak`: ten minutes of load (or as many as its argument says) through the threads of a real run, scenario
 * after scenario, with heap and resident memory sampled and charted. Growth is what the second half has over the first. A
 * second argument is the transport of wire.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { mergeSamples } from '../src/aggregate/stats/merge.ts';
import { median } from '../src/aggregate/stats/statistics.ts';
import { type Transport, transports } from '../src/pool/presets.ts';
import type { ThreadRefusal, ThreadSample } from '../src/workers/contract.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import { poolTask, release } from './load-arm.ts';
import { startBenchServer } from './server.ts';

const threads = 2;
const sampleMs = 1000;
const rows = 30;
const columns = 60;
/** Each for some seconds, in turn, as the scenarios of a run are. */
const scenarios = [
  { client: 'wire', connections: 50, pipeline: 1, seconds: 4 },
  { client: 'ioredis', connections: 50, pipeline: 1, seconds: 4 },
  { client: 'wire', connections: 25, pipeline: 100, seconds: 4 },
] as const;

interface Sample {
  readonly atMinutes: number;
  readonly heapMegabytes: number;
  readonly residentMegabytes: number;
}

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) {
  console.error(`Expected minutes, a number above 0, found ${process.argv[2]}`);
  process.exit(2);
}
const transport = findTransport(process.argv[3] ?? 'direct');
const server = await startBenchServer();
const piscina = new Piscina({
  filename: new URL('../dist/workers/thread.js', import.meta.url).href,
  ...{
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    execArgv: [],
  },
});
const samples: Sample[] = [];
const startMs = performance.now();
const elapsedMinutes = () => (performance.now() - startMs) / 60_000;
const sampler = setInterval(() => {
  const { heapUsed, rss } = process.memoryUsage();
  samples.push({ atMinutes: elapsedMinutes(), heapMegabytes: heapUsed / 1e6, residentMegabytes: rss / 1e6 });
}, sampleMs);
let completed = 0;
let lost = 0;
try {
  for (let turn = 0; elapsedMinutes() < minutes; turn++) {
    const result = await measure(scenarios[turn % scenarios.length] as (typeof scenarios)[number]);
    completed += result.completed;
    lost += result.issued - result.completed;
  }
} finally {
  clearInterval(sampler);
  await piscina.destroy();
  await server.stop();
}
chart('resident memory, MB', samples, sample => sample.residentMegabytes);
chart('heap of the main thread, MB', samples, sample => sample.heapMegabytes);
console.log(`${completed} operations completed, ${lost} did not.`);

function findTransport(asked: string): Transport {
  const found = transports.find(name => name === asked);
  if (found !== undefined) return found;
  console.error(`Expected one of ${transports.join(', ')}, found ${asked}`);
  process.exit(2);
}

async function measure(scenario: (typeof scenarios)[number]) {
  const shared = SharedState.forThreads(threads);
  const running = Array.from({ length: threads }, (_, thread) =>
    piscina.run(poolTask({ ...scenario, transport, port: server.port }, shared, thread)),
  );
  while (shared.ready < threads) await sleep(1);
  release(shared);
  const outcomes = (await Promise.all(running)) as (ThreadSample | ThreadRefusal)[];
  const loads = outcomes.map(outcome => {
    if ('refused' in outcome) throw new Error(outcome.refused);
    return outcome;
  });
  return mergeSamples(loads, {
    ...{
      round: 1,
      startedAt: null,
      clientCpuMicros: 0,
      machineBusyShare: 0,
      serverCores: null,
      serverMainThreadCores: null,
    },
    ...{ serverCalls: null, cuts: 0, basePingMs: null },
  });
}

/** A line for each thirtieth of the time, with its lowest and highest sample: garbage makes a saw of it. */
function chart(title: string, all: readonly Sample[], of: (sample: Sample) => number): void {
  const most = Math.max(...all.map(of));
  console.log(`\n${title}: lowest and highest of each stretch\n`);
  const length = Math.max(1, Math.ceil(all.length / rows));
  for (let from = 0; from < all.length; from += length) {
    const stretch = all.slice(from, from + length).map(of);
    const [low, high] = [Math.min(...stretch), Math.max(...stretch)];
    const width = (value: number) => Math.round((value / most) * columns);
    const bar = '█'.repeat(width(low)) + '░'.repeat(width(high) - width(low));
    const at = (all[from]?.atMinutes ?? 0).toFixed(1).padStart(5);
    console.log(`${at} min ${bar.padEnd(columns)} ${low.toFixed(0)}–${high.toFixed(0)}`);
  }
  // What is warming up is no growth: the first fifth is left out.
  const settled = all.slice(Math.floor(all.length / 5));
  const half = Math.floor(settled.length / 2);
  const [first, second] = [settled.slice(0, half), settled.slice(half)].map(part => median(part.map(of)));
  console.log(
    `median of the second half of the settled time ${second?.toFixed(1)}, of the first ${first?.toFixed(1)}`,
  );
}
