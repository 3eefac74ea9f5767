import { secondsOf } from '../../aggregate/scenario/arrival.ts';
import { limits } from '../../aggregate/scenario/limits.ts';
import { pathOf } from '../../aggregate/scenario/scenario.ts';
import { minRounds } from '../../aggregate/stats/sign-test.ts';
import { median } from '../../aggregate/stats/statistics.ts';
import { formatList, formatPlural } from '../../aggregate/text/format.ts';
import { nowNs } from '../../pool/clock.ts';
import type { Client } from '../../pool/presets.ts';
import { SharedState, type ThreadProgress } from '../../workers/shared-state.ts';
import { usableCores } from '../environment.ts';
import { besideOf } from '../experiment/populations.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { workloadTask } from '../experiment/workload.ts';
import type { Progress } from '../live/progress.ts';
import type { Bench } from './loads.ts';
import { runOnce } from './measurement.ts';
import { TurnVoided } from './threads.ts';

/**
 * Min operations of each client per thread. Measured on a cold thread: the CPU time per operation falls to a quarter
 * within 7,000 operations with ioredis, and to a half within 3,000 with wire; other clients are assumed to be like
 * ioredis. `windows` covers the rest.
 */
const minOperationsOf = (client: Client) => (client === 'wire' ? 4000 : 8000);

/** CPU time of a thread's window: enough for a mean, and short compared with the 0.5 s that ioredis needs. */
const windowCpuNs = 20e6;
/**
 * The median of this many windows is compared with that of the same number before. A garbage collection affects only
 * one.
 */
const windows = 4;
/** The CPU time of an operation has settled when the later median is at least this fraction of the earlier one. */
const minSettledRatio = 0.9;

/** Interval at which the threads publish and are checked. */
const lookMs = 50;

/** Min time for a path, and the time in a run with too few rounds for a verdict. */
const minPathSeconds = 0.2;
/** Time for a path, plus the same for each thread that shares a core. */
const pathSeconds = 2;
/** Max fraction of the planned run for the warm-up; reached only if threads lack cores or the run is short. */
const maxRunRatio = 0.5;
/** A search does not know its duration: this many measurements are assumed. */
const assumedMeasurements = 10;

/** Max scenarios that a warning lists. */
const maxListed = 3;

interface WarmUp {
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  /** Planned time of the following measurements; undefined if not known. */
  readonly plannedSeconds: number | undefined;
  /** The next round: not the first one if the run is resumed. */
  readonly firstRound: number;
  /** A scenario's id as it is shown. */
  readonly named: (id: string) => string;
}

/**
 * Warms up the threads: runs every path through the code (see `Dimension.path`) on all threads of the run at once,
 * until each thread has completed enough operations and their CPU time has settled, and discards the figures. Otherwise
 * the first rounds would measure code that is not compiled yet, especially in threads that only wide scenarios use.
 * Warns if a thread has not settled within the limit, at most half of the planned run.
 *
 * @throws ConnectRefused, or any other failure of a thread
 */
export async function warmUpThreads(
  bench: Bench,
  scenarios: readonly Scenario[],
  { progress, signal, plannedSeconds, firstRound, named }: WarmUp,
): Promise<void> {
  const { experiment } = bench;
  const beside = (bench.populations ?? []).filter(population =>
    scenarios.some(scenario => besideOf(scenario, [population]).length > 0),
  );
  // The figures of the warm-up are discarded, so their caveats do not belong in the results. The keys are used as they
  // are.
  const pathOn = (bench: Bench, scenario: Scenario) => {
    // Each thread needs its own key.
    const size = Math.min(bench.threads.size, workloadTask(bench.experiment.workload).keys);
    const unjudged: Bench = { ...bench, data: undefined, warn: () => {} };
    return { scenario: spreadOver(scenario, size), size, bench: unjudged };
  };
  const paths = [
    ...widestOfEachPath(scenarios).map(scenario => pathOn(bench, scenario)),
    ...beside.map(population => pathOn(population.bench, population.scenario)),
  ];
  // So few rounds give no verdict. Such a trial must stay short.
  const isTrial = experiment.rounds.atMost < minRounds;
  const runSeconds = plannedSeconds ?? assumedMeasurements * (experiment.warmupSeconds + experiment.seconds);
  const endNs = nowNs() + (isTrial ? 0 : maxRunRatio * runSeconds * 1e9);
  const unsettled: string[] = [];
  for (const [index, { scenario, size, bench }] of paths.entries()) {
    if (signal.aborted) return;
    // Time that a path does not use is available to later paths.
    const partSeconds = (endNs - nowNs()) / 1e9 / (paths.length - index);
    const isFast = canSettle(scenario);
    const wantedSeconds = isFast ? maxSecondsOf(scenario) : 0;
    const seconds = Math.max(minPathSeconds, Math.min(wantedSeconds, partSeconds));
    const step = {
      round: 0,
      rounds: 0,
      index: index + 1,
      total: paths.length,
      place: `warm-up of ${formatPlural(size, 'thread')}`,
      scenario: named(scenario.id),
      threads: size,
      warmupSeconds: 0,
      seconds,
      warmsThreads: true,
    };
    const shared = SharedState.forThreads(size);
    const stop = () => shared.stop(nowNs());
    const settling = new Settling(size, minOperationsOf(scenario.client));
    const timer = setInterval(() => {
      if (settling.look(Array.from({ length: size }, (_, thread) => shared.progress(thread)))) stop();
    }, lookMs);
    signal.addEventListener('abort', stop);
    progress.follow(step, shared, () => {});
    try {
      await runOnce(
        { ...bench, experiment: { ...bench.experiment, warmupSeconds: 0, seconds } },
        squeezed(scenario, seconds),
        0,
        shared,
      );
    } catch (cause) {
      // The threads have run enough by then, and there is no verdict.
      if (!(cause instanceof TurnVoided)) throw cause;
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', stop);
      progress.finished(step, null);
    }
    if (isFast && settling.unsettled > 0) unsettled.push(`${scenario.id} (${settling.unsettled} of ${size})`);
  }
  if (unsettled.length === 0 || signal.aborted) return;
  const more = unsettled.length - maxListed;
  const listed = [...unsettled.slice(0, maxListed), ...(more > 0 ? [`${more} more`] : [])];
  if (isTrial) {
    progress.say('note: a run this short does not warm up its threads fully, so it shows a higher CPU cost');
    return;
  }
  bench.warn(
    `threads were not warm when round ${firstRound} began, in ${formatList(listed)}: the CPU time per operation was still falling when their warm-up reached its time limit, so that round and the next can show a higher CPU cost and a lower throughput than the others; a longer run gives the threads more time`,
  );
}

/** One scenario for each path: the one with the most threads, or for open loops the highest rate. */
export function widestOfEachPath(scenarios: readonly Scenario[]): Scenario[] {
  const widest = new Map<string, Scenario>();
  for (const scenario of scenarios) {
    const path = pathOf(scenario);
    const known = widest.get(path);
    if (
      known === undefined ||
      rateOf(scenario) > rateOf(known) ||
      (rateOf(scenario) === rateOf(known) && scenario.threads > known.threads)
    )
      widest.set(path, scenario);
  }
  return [...widest.values()];
}

/** 0 in a closed loop. */
function rateOf({ arrival }: Scenario): number {
  return arrival.kind === 'closed' ? 0 : arrival.rate;
}

/**
 * A scenario alone, with one pool on each thread. A run has several threads only for a scenario with at least as many
 * connections.
 */
function spreadOver(scenario: Scenario, threads: number): Scenario {
  const { workers, connections, batch } = scenario;
  return {
    ...scenario,
    threads,
    pools: threads,
    poolsPerThread: 1,
    hosts: 0,
    beside: null,
    workers: Math.max(workers, threads),
    connections: Math.max(connections, threads * (batch.pool === 'separate' ? 2 : 1)),
    batch: batch.pool === 'none' ? batch : { ...batch, workers: Math.max(batch.workers, threads) },
  };
}

/**
 * With its stages compressed into this time, so that each of their rates is used. Of a recording, which can begin with a pause
 * or have no operations for some threads, the mean rate is used.
 */
function squeezed(scenario: Scenario, seconds: number): Scenario {
  const { arrival } = scenario;
  if (arrival.kind === 'recorded') return { ...scenario, arrival: { kind: 'poisson', rate: arrival.rate } };
  if (arrival.kind === 'closed' || arrival.stages === undefined) return scenario;
  const ratio = seconds / secondsOf(arrival.stages);
  const stages = arrival.stages.map(stage => ({ ...stage, seconds: stage.seconds * ratio }));
  return { ...scenario, arrival: { ...arrival, stages } };
}

/** Max time for a path: threads that share a core need longer. */
function maxSecondsOf({ threads }: Scenario): number {
  return Math.min(pathSeconds * (1 + threads / usableCores()), limits.seconds);
}

/**
 * Whether the threads can complete enough operations in that time. The warm-up keeps the rate of an open loop, because
 * the target may not tolerate more; a slow one would take minutes, and the cost of its operations limits nothing.
 */
function canSettle(scenario: Scenario): boolean {
  const rate = rateOf(scenario);
  return rate === 0 || rate * maxSecondsOf(scenario) >= minOperationsOf(scenario.client) * scenario.threads;
}

/** Decides from the progress of the threads whether the CPU time of an operation has settled in each of them. */
export class Settling {
  readonly #minOperations: number;
  readonly #threads: { operations: number; cpuNs: number; costs: number[]; settled: boolean }[];

  /** @param minOperations that each thread must have completed, including failed ones */
  constructor(threads: number, minOperations: number) {
    this.#minOperations = minOperations;
    this.#threads = Array.from({ length: threads }, () => {
      return { operations: 0, cpuNs: 0, costs: [], settled: false };
    });
  }

  /** The number of threads that have not settled. */
  get unsettled(): number {
    return this.#threads.filter(({ settled }) => !settled).length;
  }

  /** Updates the progress of each thread. @returns whether all have settled */
  look(progress: readonly Pick<ThreadProgress, 'completed' | 'failed' | 'cpuNs'>[]): boolean {
    for (const [index, thread] of this.#threads.entries()) {
      const { completed = 0, failed = 0, cpuNs = 0 } = progress[index] ?? {};
      const operations = completed + failed;
      if (thread.settled || operations === thread.operations) continue;
      // If the platform does not report the CPU time, only the number of operations counts.
      if (Number.isNaN(cpuNs)) thread.settled = operations >= this.#minOperations;
      else if (thread.cpuNs === 0 || cpuNs - thread.cpuNs >= windowCpuNs) {
        // The first window has no start: it begins with the first operations.
        if (thread.cpuNs > 0) thread.costs.push((cpuNs - thread.cpuNs) / (operations - thread.operations));
        thread.operations = operations;
        thread.cpuNs = cpuNs;
        thread.settled = operations >= this.#minOperations && hasSettled(thread.costs);
      }
    }
    return this.unsettled === 0;
  }
}

/** Whether costs, oldest first, have stopped falling. On a busy machine they fluctuate, which is not warm-up. */
function hasSettled(costs: readonly number[]): boolean {
  if (costs.length < 2 * windows) return false;
  return median(costs.slice(-windows)) >= minSettledRatio * median(costs.slice(-2 * windows, -windows));
}
