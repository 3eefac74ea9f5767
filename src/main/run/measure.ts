import { mergeSamples } from '../../aggregate/merge.ts';
import type { RoundResult } from '../../aggregate/result.ts';
import { type ThreadPart, threadPartOf } from '../../aggregate/scenario.ts';
import { formatPlural, toOneLine } from '../../aggregate/text/format.ts';
import { connectionName } from '../../pool/batch.ts';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import { mixSeed } from '../../workers/prng.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { parseCommand } from '../../workers/workload/command-templates.ts';
import type { Experiment } from '../config/experiment.ts';
import { openLoopOf } from '../plan/open-loop-task.ts';
import type { Scenario } from '../plan/scenarios.ts';
import { splitOverThreads } from '../plan/split.ts';
import { workloadTask } from '../plan/workload-task.ts';
import { removeInserted } from '../target/record-index.ts';
import type { Target } from '../target/resolve.ts';
import { measureBaseRoundTripMs } from './base-round-trip.ts';
import { ConnectionCutter } from './connection-cutter.ts';
import { CpuMeter } from './cpu-meter.ts';
import { serverCount, whatHappened } from './server-count.ts';
import type { Threads } from './threads.ts';

const shortestWindowSeconds = 0.1;

/** What stays the same for all measurements of a run. */
export interface Bench {
  readonly experiment: Experiment;
  readonly target: Target;
  readonly threads: Threads;
  readonly keyPrefix: string;
  /** Is told what a reader of the results must know. */
  readonly warn: (line: string) => void;
}

/** The tasks of one scenario in one round, one a thread. */
export function threadTasks(
  { experiment, target, keyPrefix }: Omit<Bench, 'threads' | 'warn'>,
  scenario: Scenario,
  round: number,
  shared: SharedState,
): ThreadTask[] {
  const { seed, seconds, warmupSeconds, timeoutMs } = experiment;
  const workload = workloadTask(experiment.workload);
  return splitOverThreads(scenario, workload.keys).map((pools, thread) => ({
    thread,
    address: target.address,
    ...(target.control.cluster === undefined ? {} : { cluster: target.control.cluster }),
    ...(threadPartOf(scenario) satisfies Pick<ThreadTask, keyof ThreadPart>),
    openLoop: openLoopOf(scenario, thread),
    pools,
    keyPrefix,
    workload,
    seed: mixSeed(seed, round, thread),
    warmupSeconds,
    seconds,
    timeoutMs,
    shared: shared.buffer,
  }));
}

/**
 * Measures one scenario once and merges what the threads saw. Null if it was stopped before its window told anything.
 * Rejects with what a thread failed with, such as a connection that was refused while a pool warmed.
 */
export async function measure(
  bench: Bench,
  scenario: Scenario,
  round: number,
  shared: SharedState,
): Promise<RoundResult | null> {
  const { control } = bench.target;
  const { seconds, warmupSeconds } = bench.experiment;
  const meter = new CpuMeter(control);
  const cutter = new ConnectionCutter(control, {
    everyMs: scenario.cutEveryMs,
    connectionName: connectionName({ keyPrefix: bench.keyPrefix }),
    seed: mixSeed(bench.experiment.seed, round),
  });

  const names = commandNames(bench.experiment.workload);
  const basePingMs = await measureBaseRoundTripMs(control);
  const before = await serverCount(control, names);
  let samples: ThreadSample[];
  let cores: Awaited<ReturnType<CpuMeter['stop']>>;
  let startedAt = new Date();
  try {
    const tasks = threadTasks(bench, scenario, round, shared);
    samples = await bench.threads.run(tasks, shared, releasedNs => {
      const startNs = releasedNs + warmupSeconds * 1e9;
      const endNs = startNs + seconds * 1e9;
      startedAt = new Date(Date.now() + (startNs - nowNs()) / 1e6);
      meter.schedule(startNs, endNs);
      cutter.schedule(startNs, endNs);
    });
  } finally {
    cores = await meter.stop();
    cutter.stop();
  }
  if (cutter.failure !== undefined) {
    bench.warn(`no connection could be cut in ${scenario.id}: ${toOneLine(cutter.failure)}`);
  }
  const after = await serverCount(control, names);
  await clearAway(bench, scenario, samples);
  const restarted = before.life !== undefined && after.life !== undefined && after.life !== before.life;
  if (restarted) {
    bench.warn(
      `${whatHappened(control, before, after)} while ${scenario.id} was measured in round ${round}: what it lost is among the failed operations and the misses, and the server's own figures of that round are left out`,
    );
  }
  const measuredSeconds = Math.max(...samples.map(sample => sample.seconds));
  // What a stopped window has measured is kept, with its true length, but for a blink that tells no rate.
  if (measuredSeconds < Math.min(shortestWindowSeconds, seconds / 2) || cores === null) return null;

  const loads = samples.flatMap(sample => sample.loads);
  const warmupCalls = loads.reduce((sum, load) => sum + load.warmupCompleted, 0);
  return mergeSamples(samples, {
    round,
    startedAt: startedAt.toISOString(),
    clientCpuMicros: cores.client * measuredSeconds * 1e6,
    machineBusyShare: cores.machineBusyShare,
    // A server that restarted counts from zero again: its deltas say nothing.
    serverCores: restarted ? null : cores.server,
    serverMainThreadCores: restarted ? null : cores.serverMainThread,
    serverCalls:
      restarted || before.calls === null || after.calls === null
        ? null
        : after.calls - before.calls - warmupCalls,
    cuts: cutter.cuts,
    basePingMs,
  });
}

/** Removes the records that the load has inserted. What was measured is kept, whatever becomes of them. */
async function clearAway(bench: Bench, scenario: Scenario, samples: readonly ThreadSample[]): Promise<void> {
  const workload = workloadTask(bench.experiment.workload);
  if (workload.growth === null) return;
  const inserted = splitOverThreads(scenario, workload.keys).flatMap((shares, thread) =>
    shares.map((share, pool) => ({ share, records: samples[thread]?.inserted[pool] ?? 0 })),
  );
  if (inserted.some(({ share, records }) => records > share.keys))
    bench.warn(
      `${scenario.id} inserted more than there is room for (${formatPlural(workload.keys, 'record')}): the later ones overwrote a record and made the set no larger; take more keys, or shorter measurements`,
    );
  const { control } = bench.target;
  const reason = await removeInserted(control, bench.keyPrefix, workload, inserted).catch(
    (cause: Error) => cause.message,
  );
  if (reason !== undefined)
    bench.warn(
      `what was inserted could not be removed before the next measurement, whose inserts overwrite it: ${toOneLine(reason)}`,
    );
}

/** Commands of the workload, as the server's commandstats name them. */
function commandNames(workload: Experiment['workload']): string[] {
  return workloadTask(workload).commands.map(({ command }) => parseCommand(command).statName);
}
