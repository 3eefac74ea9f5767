import { expect, test } from 'vitest';
import { parseConfig } from '../src/main/experiment/read-config.ts';
import { expandScenarios } from '../src/main/experiment/scenarios.ts';
import { threadTasks } from '../src/main/run/measurement.ts';
import type { Target } from '../src/main/server/resolve.ts';
import type { Preset } from '../src/pool/presets.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import { loopback } from './support/connections.ts';

/** What a scenario says of its connects, and what the threads are told. */
function connectsOf(
  pool: Preset,
  connects: string,
): { scenario: string | undefined; task: string | undefined } {
  const config = {
    name: 'a',
    target: { server: 'redis', url: 'redis://h' },
    scenarios: [{ pool, connects }],
  };
  const experiment = parseConfig(JSON.stringify(config), 'a.json');
  const [scenario] = expandScenarios(experiment.scenarios);
  if (scenario === undefined) throw new Error('expected a scenario');
  const target = { address: loopback(1), control: {} } as Target;
  const [task] = threadTasks({ experiment, target, keyPrefix: 'a:' }, scenario, 1, SharedState.forThreads(1));
  return { scenario: scenario.connects, task: task?.connects };
}

test('the lock makes connects serial by itself: the pool is not told to pace those that it warms with', () => {
  expect(connectsOf('warmed', 'jittered')).toEqual({ scenario: 'serial', task: 'parallel' });
});

test('a pool without the lock is told what the config says', () => {
  expect(connectsOf('optimized', 'serial')).toEqual({ scenario: 'serial', task: 'serial' });
});
