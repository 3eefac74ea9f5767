import { setPriority } from 'node:os';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { mergeLatencies } from '../../src/aggregate/stats/histogram.ts';
import { nowNs } from '../../src/pool/clock.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import { until } from '../support/connections.ts';
import { distanceToExponential } from '../support/goodness-of-fit.ts';
import { startFirstInLine } from '../support/limit.ts';
import { buildTask, type PlainSample, startThreads } from '../support/threads.ts';
import { measureUndisturbed } from '../support/undisturbed.ts';

/** So low that hardly any two arrivals are nearer to one another than it takes a server that is watched to serve one. */
const rate = 300;
const seconds = 1.6;
/** A tenth of what was due that was answered as late as this would change the gaps by more than chance does. */
const disturbedMs = 1;

/** When the server had each GET and SET, in seconds of its own clock, to the microsecond. */
async function watch(url: string): Promise<number[]> {
  const redis = new Redis(url, { retryStrategy: () => null });
  onTestFinished(() => redis.disconnect());
  const monitor = await redis.monitor();
  onTestFinished(() => monitor.disconnect());
  const times: number[] = [];
  monitor.on('monitor', (time: string, [name = '']: string[]) => {
    if (/^(get|set)$/i.test(name)) times.push(Number(time));
  });
  return times;
}

/** Threads that are made from here on go before other programs, where the system allows it. */
function goFirst(): void {
  try {
    setPriority(-15);
    onTestFinished(() => setPriority(0));
  } catch {
    // Then they take their turn with the others.
  }
}

async function drive(run: ReturnType<typeof startThreads>, port: number, seed: number): Promise<PlainSample> {
  const shared = SharedState.forThreads(1);
  const pool = { workers: 20, connections: 20, minIdle: 20 };
  const running = run(
    buildTask(port, shared, {
      openLoop: { arrivals: { kind: 'poisson', rate, size: 1 }, pools: 2, firstPool: 0 },
      pools: [pool, { ...pool, firstKey: 100 }],
      warmupSeconds: 0.2,
      seconds,
      seed,
    }),
  );
  await until(() => shared.ready === 1);
  shared.openWindow(nowNs() + 310e6);
  shared.release(nowNs() + 10e6);
  return running;
}

interface Watched {
  readonly sample: PlainSample;
  /** As {@link watch} gives them. */
  readonly times: readonly number[];
}

/** Generator and server had their cores: what was due reached the server soon, and in turn. */
function isPunctual({ sample }: Watched): boolean {
  return mergeLatencies([sample.response]).summary.p90 < disturbedMs;
}

test('what a server gets of a Poisson run comes at times that pass a KS test', async context => {
  const server = await startFirstInLine(context);
  goFirst();
  const times = await watch(server.url);
  const run = startThreads(1);
  const measure = async (attempt: number): Promise<Watched> => {
    times.length = 0;
    const sample = await drive(run, server.port, attempt);
    expect(sample).toMatchObject({ failed: {}, unfinished: 0, openLoop: { unsent: 0 } });
    const sent = sample.warmupCompleted + sample.issued;
    await until(() => times.length >= sent);
    expect(times).toHaveLength(sent);
    return { sample, times };
  };
  const watched = await measureUndisturbed(context, measure, isPunctual);

  const gaps = watched.times.slice(1).map((time, index) => time - (watched.times[index] as number));
  // What a true sample of this size exceeds in 1 of 1000.
  const critical = 1.95 / Math.sqrt(gaps.length);
  expect(distanceToExponential(gaps, 1 / rate)).toBeLessThan(critical);
  // The test can tell: another rate does not pass.
  expect(distanceToExponential(gaps, 2 / rate)).toBeGreaterThan(critical);
});
