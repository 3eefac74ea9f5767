import { expect, test } from 'vitest';
import type { CpuUse, OpenLoopResult, RoundResult } from '../src/aggregate/result.ts';
import { limitedBy } from '../src/aggregate/stats/limits/limited-by.ts';
import { buildOpenLoop } from './support/open-loop-round.ts';
import { buildLatency, buildRound } from './support/result-builder.ts';

const surroundings = { cores: 8, local: true, serverThreads: 1 };

/** A round of an open loop whose thread has a core all the time, 60 % of it spun, and a server that works a little. */
function measure(
  openLoop: Partial<OpenLoopResult> = {},
  { cpu = {}, ...changes }: Partial<Omit<RoundResult, 'cpu'>> & { cpu?: Partial<CpuUse> } = {},
): RoundResult {
  const usual = buildRound(0, 1000);
  const strain = { cores: 0.98, waitShare: 0.01, gcPauses: 0, gcMs: 0, gcLongestMs: 0 };
  return {
    ...usual,
    service: buildLatency(1000, 1),
    response: buildLatency(1000, 1),
    openLoop: buildOpenLoop(1000, openLoop),
    ...changes,
    cpu: {
      ...usual.cpu,
      clientCores: 1,
      machineBusyShare: 0.2,
      eventLoopUtilization: [1],
      threads: [{ ...strain, loopDelayP99Ms: 0.1, loopDelayMaxMs: 0.2 }],
      serverCores: 0.2,
      serverMainThreadCores: 0.2,
      ...cpu,
    },
  };
}

const limitOf = (round: RoundResult) => limitedBy([round], surroundings);

test('a thread that spins until the next arrival is not busy: the rate was kept, so nothing limited it', () => {
  const { resource, evidence } = limitOf(measure());
  expect(resource).toBe('none');
  expect(evidence).toContain(
    'thread 0.38 of a core, event loop 40 % busy (and 60 % spun until the next arrival)',
  );
  expect(evidence).toContain('the rate was kept');
});

test('a thread that works all the time is, in an open loop as in a closed one', () => {
  expect(limitOf(measure({ spinShare: 0.02 })).resource).toBe('client');
  expect(limitOf({ ...measure(), openLoop: null }).resource).toBe('client');
});

test('a server that is busy limits an overloaded open loop, and the backlog is told', () => {
  const short = { completed: 500, shortfall: 500, unsent: 450, largestBacklog: 460 };
  const { resource, evidence } = limitOf(measure(short, { cpu: { serverMainThreadCores: 0.97 } }));
  expect(resource).toBe('server');
  expect(evidence).toContain('up to 460 due while all workers were busy');
});

test('waiting for a worker is not waiting for the pool', () => {
  const response = buildLatency(1000, 100);
  const overloaded = { completed: 500, shortfall: 500, unsent: 450, largestBacklog: 460 };
  expect(limitOf(measure(overloaded, { response })).resource).not.toBe('pool');
  const { poolMetrics } = buildRound(0, 1000);
  const acquireWait = { count: 1000, mean: 80, p50: 80, p99: 100, max: 100 };
  expect(
    limitOf(measure(overloaded, { response, poolMetrics: { ...poolMetrics, acquireWait } })).resource,
  ).toBe('pool');
});

test('an open loop that is short although nobody is busy is explained as a closed one', () => {
  const round = measure({ completed: 500, shortfall: 500 }, { basePingMs: 0.9 });
  expect(limitOf({ ...round, cpu: { ...round.cpu, serverMainThreadCores: 0.05 } }).resource).toBe('network');
});
