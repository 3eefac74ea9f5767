import { type ThreadPart, threadPartOf } from '../../aggregate/scenario/scenario.ts';
import { sumOf } from '../../aggregate/stats/statistics.ts';
import { formatPlural, toOneLine } from '../../aggregate/text/format.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import { streamSeed } from '../../workers/prng.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import type { UsedClient } from '../experiment/clients.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { besideOf, countThreads, type Population } from '../experiment/populations.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { openLoopOf, splitOverThreads } from '../experiment/split.ts';
import { workloadTask } from '../experiment/workload.ts';
import type { Claim } from '../server/claim.ts';
import type { DataSet } from '../server/data-set.ts';
import type { Target } from '../server/find-target.ts';
import { removeInserted } from '../server/key-space.ts';
import type { LoadThreads } from './threads.ts';

/** The loads of a measurement: which tasks and threads each has, and what it leaves behind. */

/** What stays the same for all measurements of a run. */
export interface Bench {
  readonly experiment: Experiment;
  readonly target: Target;
  /** Where the threads load clients from; absent: those of poolbench. */
  readonly clients?: ReadonlyMap<string, Pick<UsedClient, 'file'>>;
  /** Only this object knows where the threads run. */
  readonly threads: Omit<LoadThreads, 'close'>;
  /** The prefix of the run's keys, and the token that marks them as its own. */
  readonly claim: Claim;
  /** The keys that must exist before each measurement; undefined: not checked. */
  readonly data?: Pick<DataSet, 'ready'> | undefined;
  /** Called with each caveat of the results. */
  readonly warn: (line: string) => void;
  /** The populations of the scenarios; absent: none. */
  readonly populations?: readonly PopulationLoad[];
}

/** A population with its workload and its keys. */
export interface PopulationLoad extends Pick<Population, 'name' | 'scenario' | 'sharesThreads'> {
  readonly bench: Bench;
}

/** One load of a measurement: that of the scenario, named by its id, or of a population. It has one task on each of its threads. */
export interface Load extends PopulationLoad {
  /** Index of its first task among those of the measurement. */
  readonly firstTask: number;
  /** Index of its first thread among those of the measurement; 0 if it shares the scenario's threads. */
  readonly firstThread: number;
}

/** The loads of a scenario: its own first, then its populations. */
export function loadsOf(bench: Bench, scenario: Scenario): [own: Load, ...beside: Load[]] {
  const own = { name: scenario.id, bench, scenario, sharesThreads: false, firstTask: 0, firstThread: 0 };
  const populations = besideOf(scenario, bench.populations ?? []);
  const beside = populations.map((population, index) => {
    const before = populations.slice(0, index);
    return {
      ...population,
      firstTask: scenario.threads + sumOf(before, load => load.scenario.threads),
      firstThread: population.sharesThreads ? 0 : countThreads(scenario, before),
    };
  });
  return [own, ...beside];
}

export function countTasks(loads: readonly Load[]): number {
  return sumOf(loads, ({ scenario }) => scenario.threads);
}

/** The samples of a load's tasks, in their order. */
export function samplesOf({ firstTask, scenario }: Load, samples: readonly ThreadSample[]): ThreadSample[] {
  return samples.filter(({ thread }) => thread >= firstTask && thread < firstTask + scenario.threads);
}

/**
 * The tasks of one scenario in one round, one per thread.
 *
 * @param address where the load connects, if not to the target
 * @param firstTask index of the first one among those of the measurement
 */
export function threadTasks(
  { experiment, target, clients, claim }: Omit<Bench, 'threads' | 'data' | 'warn'>,
  scenario: Scenario,
  round: number,
  shared: SharedState,
  address = target.address,
  firstTask = 0,
): ThreadTask[] {
  const { seed, seconds, warmupSeconds, timeoutMs } = experiment;
  const workload = workloadTask(experiment.workload);
  const clientFile = clients?.get(scenario.client)?.file;
  return splitOverThreads(scenario, workload.keys).map((pools, index) => ({
    thread: firstTask + index,
    address,
    ...(target.control.cluster === undefined ? {} : { cluster: target.control.cluster }),
    ...(clientFile === undefined ? {} : { clientFile }),
    ...(threadPartOf(scenario) satisfies Pick<ThreadTask, keyof ThreadPart>),
    openLoop: openLoopOf(scenario, index),
    pools,
    keyPrefix: claim.prefix,
    workload,
    seed: streamSeed(seed, 'thread', round, firstTask + index),
    valueSeed: seed,
    warmupSeconds,
    seconds,
    timeoutMs,
    shared: shared.buffer,
  }));
}

/** One sample of each thread of a measurement that ran none of the tasks of `own`. */
export function onOtherThreads(
  own: readonly ThreadSample[],
  samples: readonly ThreadSample[],
  placement: readonly number[],
): ThreadSample[] {
  const known = new Set(own.map(({ thread }) => placement[thread]));
  return samples.filter(({ thread }) => {
    const isNew = !known.has(placement[thread]);
    known.add(placement[thread]);
    return isNew;
  });
}

/**
 * Removes the records that the load has inserted. The measurement is kept even if this fails.
 *
 * @param samples undefined: they were lost, so every record that the load may have inserted is removed
 */
export async function removeRecords(
  { bench, scenario }: Load,
  samples?: readonly ThreadSample[],
): Promise<void> {
  const workload = workloadTask(bench.experiment.workload);
  if (workload.growth === null) return;
  const inserted = splitOverThreads(scenario, workload.keys).flatMap((pools, thread) =>
    pools.map((share, pool) => ({
      share,
      records: samples === undefined ? share.keys : (samples[thread]?.inserted[pool] ?? 0),
    })),
  );
  if (inserted.some(({ share, records }) => records > share.keys))
    bench.warn(
      `${scenario.id} inserted more records than there is room for (${formatPlural(workload.keys, 'record')}): later inserts overwrote earlier ones, so the set did not grow; use more keys or shorter measurements`,
    );
  const reason = await removeInserted(bench.target.control, bench.claim, workload, inserted).catch(
    (cause: Error) => cause.message,
  );
  if (reason !== undefined)
    bench.warn(
      `the inserted records could not be removed before the next measurement, whose inserts overwrite them: ${toOneLine(reason)}`,
    );
}
