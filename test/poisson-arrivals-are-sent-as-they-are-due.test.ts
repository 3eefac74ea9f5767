import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { nowNs } from '../src/pool/clock.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import { until } from './support/connections.ts';
import { distanceToExponential } from './support/goodness-of-fit.ts';
import { startRedis } from './support/servers.ts';
import { buildTask, startThreads } from './support/threads.ts';

/** So low that hardly any two arrivals are nearer to one another than it takes to send one. */
const rate = 400;
const seconds = 4;

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

// Whoever takes the cores for a while delays what is due meanwhile: then it is measured again.
test('what a server gets of a Poisson run comes at times that pass a KS test', { retry: 2 }, async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const times = await watch(server.url);
  const run = startThreads(1);
  const shared = SharedState.forThreads(1);
  const running = run(
    buildTask(server.port, shared, {
      openLoop: { arrivals: { kind: 'poisson', rate, size: 1 }, pools: 2, firstPool: 0 },
      pools: [
        { workers: 20, connections: 20, minIdle: 20 },
        { workers: 20, connections: 20, minIdle: 20, firstKey: 100 },
      ],
      warmupSeconds: 0,
      seconds,
    }),
  );
  await until(() => shared.ready === 1);
  shared.release(nowNs() + 10e6);
  const sample = await running;
  expect(sample).toMatchObject({ failed: {}, unfinished: 0, openLoop: { unsent: 0 } });
  await until(() => times.length >= sample.issued);
  expect(times).toHaveLength(sample.openLoop?.offered ?? 0);

  const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
  // What a true sample of this size exceeds in 1 of 100.
  const critical = 1.628 / Math.sqrt(gaps.length);
  expect(distanceToExponential(gaps, 1 / rate)).toBeLessThan(critical);
  // The test can tell: a rate that is a sixth off does not pass.
  expect(distanceToExponential(gaps, 1.2 / rate)).toBeGreaterThan(critical);
});
