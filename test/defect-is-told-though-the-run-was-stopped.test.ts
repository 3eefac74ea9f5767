import { expect, test } from 'vitest';
import { PoolbenchError } from '../src/main/errors.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';
import { expandScenarios } from '../src/main/experiment/scenarios.ts';
import { Progress } from '../src/main/live/progress.ts';
import { exitCodeOf } from '../src/main/run/exit-code.ts';
import { runMeasurement } from '../src/main/run/measurement.ts';
import { TargetWatch } from '../src/main/run/target-watch.ts';
import { ConnectRefused, type Threads } from '../src/main/run/threads.ts';
import type { Target } from '../src/main/server/resolve.ts';

const stopped = AbortSignal.abort();
const experiment = parseConfig(
  JSON.stringify({
    name: 'stopped',
    target: { server: 'redis', url: 'redis://localhost' },
    scenarios: [{ client: 'wire' }],
  }),
  'config.json',
);

/** A measurement that is stopped, and whose threads fail like this. */
async function measureStopped(failure: Error): Promise<unknown> {
  // A server that is gone.
  const gone = async () => {
    throw new Error('gone');
  };
  const server = { host: '127.0.0.1', port: 6379 };
  const control = { server, nodes: [], findNodes: gone, call: gone, alive: async () => false };
  const target = { control } as unknown as Target;
  const threads = { run: () => Promise.reject(failure) } as unknown as Threads;
  const [scenario] = expandScenarios(experiment.scenarios);
  if (scenario === undefined) throw new Error('no scenario');
  const bench = { experiment, target, threads, keyPrefix: 'p:', warn: () => {} };
  return await runMeasurement(bench, scenario, {
    step: {
      ...{ round: 1, rounds: 1, index: 1, total: 1, scenario: scenario.id, threads: scenario.threads },
      ...{ warmupSeconds: 0, seconds: 1 },
    },
    watch: new TargetWatch(target, { timeoutMs: 100, say: () => {} }),
    progress: await Progress.open(process.stderr, { quiet: true }),
    signal: stopped,
  });
}

test('a measurement ends with it, but without a word where its connections were refused', async () => {
  const defect = new TypeError('undefined is not a function');
  await expect(measureStopped(defect)).rejects.toBe(defect);
  expect(await measureStopped(new ConnectRefused('ECONNREFUSED'))).toBeNull();
});

test('a run ends with it, but with 130 where its target was lost', () => {
  const defect = new TypeError('undefined is not a function');
  expect(() => exitCodeOf({ results: [], error: defect }, [], { interrupted: true })).toThrow(defect);
  const lost = new PoolbenchError('TARGET_LOST', 'it is gone');
  expect(exitCodeOf({ results: [], error: lost }, [], { interrupted: true })).toBe(130);
});
