import { expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../../src/main/server/control.ts';
import { commandCalls } from '../../src/main/server/server-info.ts';
import { nowNs } from '../../src/pool/clock.ts';
import type { OpenLoopTask, ThreadSample } from '../../src/workers/contract.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import runTask from '../../src/workers/thread.ts';
import { loopback, patient, until } from '../support/connections.ts';
import { plainWorkload } from '../support/plain-workload.ts';
import { shareServer } from '../support/servers.ts';
import { accounted, buildTask, type TaskOptions } from '../support/threads.ts';

/** Runs several tasks in this thread at the same time. */
async function runTogether(port: number, loads: readonly TaskOptions[]): Promise<ThreadSample[]> {
  const shared = SharedState.forThreads(loads.length);
  const running = loads.map((load, thread) => runTask(buildTask(port, shared, load, thread)));
  await until(() => shared.ready === loads.length);
  const startNs = nowNs() + 5e6;
  shared.openWindow(startNs);
  shared.release(startNs);
  const outcomes = await Promise.all(running);
  return outcomes.map(outcome => ('refused' in outcome ? expect.fail(outcome.refused) : outcome));
}

const constant = (rate: number): OpenLoopTask => ({
  ...{ arrivals: { kind: 'constant', rate, size: 1 }, pools: 1, firstPool: 0 },
});
const window = { seconds: 0.3, pools: [{ workers: 20, connections: 20 }] };
const only = (command: string) => ({
  ...plainWorkload({ keys: 100, valueBytes: 16, readShare: 1 }),
  commands: [{ command, weight: 1 }],
});

test('two loads in one thread are counted separately, and the counts agree with those of the server', async () => {
  const server = await shareServer();
  const control = await connectControl(loopback(server.port), patient);
  onTestFinished(() => control.close());
  const calls = async () => {
    const info = await control.info('commandstats');
    return ['get', 'strlen'].map(name => commandCalls(info, [name]) ?? 0);
  };
  const before = await calls();
  const samples = await runTogether(server.port, [
    { ...window, openLoop: constant(1000), workload: only('GET {key}') },
    { ...window, pools: [{ workers: 2 }], workload: only('STRLEN {key}'), pipeline: 10 },
  ]);
  const after = await calls();
  expect(samples[0]?.openLoop?.offered).toBe(300);
  for (const [index, { thread, loads, pools }] of samples.entries()) {
    const [load = expect.fail()] = loads;
    expect(thread).toBe(index);
    expect(load).toMatchObject({ failed: {}, unfinished: 0 });
    expect(accounted(load)).toBe(load.issued);
    expect((after[index] ?? 0) - (before[index] ?? 0)).toBe(load.completed);
    expect(pools).toHaveLength(1);
  }
  // The thread spins for the open loop in its idle time, which both loads report.
  const [open, closed] = samples;
  const spun = closed?.threadLoad.spinShare ?? 0;
  expect(Math.abs(spun - (open?.openLoop?.spinShare ?? 0))).toBeLessThan(0.1);
});

test('two open loops in one thread report the same spinning, which is no longer than the CPU time of the thread', async () => {
  const server = await shareServer();
  const samples = await runTogether(server.port, [
    { ...window, openLoop: constant(1000) },
    { ...window, openLoop: constant(700) },
  ]);
  const [one = expect.fail(), other = expect.fail()] = samples.map(
    ({ openLoop }) => openLoop ?? expect.fail(),
  );
  expect([one.offered, other.offered]).toEqual([300, 210]);
  // Both report that of the whole thread.
  expect(Math.abs(one.spinShare - other.spinShare)).toBeLessThan(0.1);
  for (const { threadLoad, openLoop } of samples) {
    expect(threadLoad.spinShare).toBe(openLoop?.spinShare);
    const { cores } = threadLoad;
    if (cores !== null) expect(openLoop?.spinShare).toBeLessThan(cores + 0.05);
  }
});
