import { mergeSamples } from '../../aggregate/merge.ts';
import type { RoundResult } from '../../aggregate/result.ts';
import { toOneLine } from '../../aggregate/text/format.ts';
import { connectionName } from '../../pool/batch.ts';
import { presets } from '../../pool/presets.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import { mixSeed } from '../../workers/prng.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { parseCommand } from '../../workers/workload/command-template.ts';
import type { Experiment } from '../config/experiment.ts';
import { openLoopOf } from '../plan/open-loop-task.ts';
import type { Scenario } from '../plan/scenarios.ts';
import { splitOverThreads } from '../plan/split.ts';
import { workloadTask } from '../plan/workload-task.ts';
import type { Control } from '../target/control.ts';
import { commandCalls } from '../target/info.ts';
import type { Target } from '../target/resolve.ts';
import { shownAddress } from '../target/url.ts';
import { measureBaseRoundTripMs } from './base-round-trip.ts';
import { ConnectionCutter } from './connection-cutter.ts';
import { CpuMeter } from './cpu-meter.ts';
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
    client: scenario.client,
    preset: scenario.preset,
    probe: scenario.probe,
    healthTtlMs: scenario.healthTtlMs,
    // Under the lock connects come one after another by themselves; warming opens them side by side all the same.
    connects: presets[scenario.preset].acquisition === 'mutex' ? 'parallel' : scenario.connects,
    autoPipelining: scenario.autoPipelining,
    burst: scenario.burst,
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
  try {
    const tasks = threadTasks(bench, scenario, round, shared);
    samples = await bench.threads.run(tasks, shared, releasedNs => {
      const startNs = releasedNs + warmupSeconds * 1e9;
      const endNs = startNs + seconds * 1e9;
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

/** Commands of the workload, as the server's commandstats name them. */
function commandNames(workload: Experiment['workload']): string[] {
  return workloadTask(workload).commands.map(({ command }) => parseCommand(command).statName);
}

/** How often the server has run the workload's commands in its life so far, where it tells; the masters of a cluster together. */
interface ServerCount {
  /** Another one after every start of the server, and when other masters serve. */
  readonly life: string | undefined;
  readonly calls: number | null;
  /** Where it is: behind a Sentinel that may change. */
  readonly server: string;
}

async function serverCount(control: Control, names: readonly string[]): Promise<ServerCount> {
  // A server that is gone tells nothing; that it is gone is noticed elsewhere.
  const nodes = await control.findNodes().catch(() => control.nodes);
  const ask = (section: string) =>
    Promise.all(nodes.map(node => node.info(section).catch(() => new Map<string, string>())));
  const lives = (await ask('server')).map(server => server.get('run_id') ?? server.get('process_id'));
  const calls = (await ask('commandstats')).map(info => commandCalls(info, names));
  return {
    // A master that is silent at one end only has gone or come: what the others tell is then not the cluster's.
    life:
      control.cluster === undefined
        ? lives[0]
        : lives
            .map(life => life ?? 'silent')
            .toSorted()
            .join(' '),
    calls: calls.reduce((sum, ofNode) => (sum === null || ofNode === null ? null : sum + ofNode), 0),
    server: shownAddress(control.server),
  };
}

/** Why the server's counts before and after do not belong together, as a clause. */
function whatHappened(control: Control, before: ServerCount, after: ServerCount): string {
  if (control.cluster !== undefined) return 'a master of the cluster was restarted or replaced';
  return before.server === after.server
    ? 'the server was restarted'
    : `the master moved from ${before.server} to ${after.server}`;
}
