import { mergeSamples } from '../../aggregate/merge.ts';
import type { RoundResult } from '../../aggregate/result.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import { mixSeed } from '../../workers/prng.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import type { Experiment } from '../config/experiment.ts';
import type { Scenario } from '../plan/scenarios.ts';
import { splitOverThreads } from '../plan/split.ts';
import { commandCalls } from '../target/info.ts';
import type { Target } from '../target/resolve.ts';
import { CpuMeter } from './cpu-meter.ts';
import type { Threads } from './threads.ts';

/** Commands of the workload, as the server's commandstats name them. */
const commandNames = ['get', 'set'];

/** What stays the same for all measurements of a run. */
export interface Bench {
  readonly experiment: Experiment;
  readonly target: Target;
  readonly threads: Threads;
  readonly keyPrefix: string;
}

/** The tasks of one scenario in one round, one a thread. */
export function threadTasks(
  { experiment, target, keyPrefix }: Omit<Bench, 'threads'>,
  scenario: Scenario,
  round: number,
  shared: SharedState,
): ThreadTask[] {
  const { workload, seed, seconds, warmupSeconds, timeoutMs } = experiment;
  return splitOverThreads(scenario, workload.keys).map((pools, thread) => ({
    thread,
    address: target.address,
    client: scenario.client,
    preset: scenario.preset,
    probe: scenario.probe,
    healthTtlMs: scenario.healthTtlMs,
    pools,
    pipeline: scenario.pipeline,
    keyPrefix,
    valueBytes: workload.valueBytes,
    readShare: workload.readShare,
    seed: mixSeed(seed, round, thread),
    warmupSeconds,
    seconds,
    timeoutMs,
    shared: shared.buffer,
  }));
}

/**
 * Measures one scenario once and merges what the threads saw. Null if it was stopped before anything was measured.
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
  const calls = async () =>
    commandCalls(await control.info('commandstats').catch(() => new Map()), commandNames);

  const callsBefore = await calls();
  let samples: ThreadSample[];
  let cores: Awaited<ReturnType<CpuMeter['stop']>>;
  try {
    const tasks = threadTasks(bench, scenario, round, shared);
    samples = await bench.threads.run(tasks, shared, releasedNs => {
      const startNs = releasedNs + warmupSeconds * 1e9;
      meter.schedule(startNs, startNs + seconds * 1e9);
    });
  } finally {
    cores = await meter.stop();
  }
  const callsAfter = await calls();
  const measuredSeconds = Math.max(...samples.map(sample => sample.seconds));
  if (measuredSeconds <= 0 || cores === null) return null;

  const warmupCalls = samples.reduce((sum, sample) => sum + sample.warmupCompleted, 0);
  return mergeSamples(samples, {
    round,
    clientCpuMicros: cores.client * measuredSeconds * 1e6,
    serverCores: cores.server,
    serverMainThreadCores: cores.serverMainThread,
    // A server that restarted counts from zero again: its delta says nothing.
    serverCalls:
      callsBefore === null || callsAfter === null || callsAfter < callsBefore
        ? null
        : callsAfter - callsBefore - warmupCalls,
  });
}
