import { LatencyCounts } from '../src/pool/latency-counts.ts';
import type { ThreadSample } from '../src/workers/contract.ts';
import { Prng } from '../src/workers/prng.ts';

const operationsPerSecond = 20_000;

/** What a thread with one pool hands back of a window of so many seconds: latencies spread as under load, log-normal about 0.4 ms. */
export function syntheticSample(thread: number, seconds: number, seed: number): ThreadSample {
  const prng = new Prng(seed);
  const uniform = () => (prng.draw() + 1) / (2 ** 32 + 1);
  const latencyNs = () =>
    4e5 * Math.exp(0.5 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
  const histogram = (digits: 2 | 3, count: number) => {
    const counts = new LatencyCounts(digits);
    for (let i = 0; i < count; i++) counts.add(latencyNs(), 1);
    return counts.encode();
  };
  const completed = operationsPerSecond * seconds;
  const standing = { active: 50, idle: 0, waiting: 0, total: 50 };
  return {
    thread,
    seconds,
    loads: [
      {
        ...{ pipeline: 1, issued: completed, completed, failed: {}, unfinished: 0, misses: 0, commands: [] },
        ...{ warmupCompleted: 5000, overRange: 0 },
        service: histogram(3, completed),
        response: histogram(3, completed),
        failedWaits: { service: '', response: '' },
        series: Array.from({ length: seconds }, (_, second) => ({
          ...{ second, completed: operationsPerSecond, failed: 0 },
          response: histogram(2, operationsPerSecond),
        })),
      },
    ],
    allServedMs: 20,
    pools: [
      {
        ...{ acquisitions: completed, immediate: completed, lockWaits: 0, lockWaitMs: 0 },
        ...{ healthChecksRun: 0, healthChecksSkipped: completed, healthCheckMs: 0 },
        ...{
          createdBefore: 50,
          created: 0,
          lastCreatedMs: null,
          createdForWorkers: 0,
          lastCreatedForWorkersMs: null,
          connectFailures: 0,
          reconnects: 0,
          peakWaiting: 0,
        },
        acquireWait: histogram(2, 0),
        connectTime: histogram(2, 50),
        utilization: Array.from({ length: seconds * 10 }, (_, slot) => ({ atMs: slot * 100, ...standing })),
      },
    ],
    threadLoad: {
      ...{ eventLoopUtilization: 1, cores: 1, waitShare: 0, gcPauses: 10, gcMs: 5, gcLongestMs: 1 },
      ...{ loopDelayP99Ms: 1, loopDelayMaxMs: 2 },
    },
    openLoop: null,
    redirects: null,
    inserted: [],
  };
}

/** What a measurement of no real server knows beside its samples. */
export function syntheticContext(round: number) {
  return {
    ...{ round, startedAt: null, clientCpuMicros: 1e6, machineBusyShare: 1, serverCores: 1 },
    ...{ serverMainThreadCores: 1, serverCalls: null, cuts: 0, basePingMs: 0.05 },
  };
}
