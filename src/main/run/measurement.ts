import { z } from 'zod';
import type { RoundResult } from '../../aggregate/result.ts';
import { roundSchema } from '../../aggregate/round.ts';
import { mergeSamples } from '../../aggregate/stats/merge.ts';
import { countReads } from '../../aggregate/stats/reads.ts';
import { sumOf } from '../../aggregate/stats/statistics.ts';
import { formatPlural, toOneLine } from '../../aggregate/text/format.ts';
import { connectionName } from '../../pool/client/batch.ts';
import { nowNs, timeOfDay } from '../../pool/clock.ts';
import type { ThreadSample } from '../../workers/contract.ts';
import { streamSeed } from '../../workers/prng.ts';
import { SharedState } from '../../workers/shared-state.ts';
import { countThreads } from '../experiment/populations.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { foreseeReads, workloadTask } from '../experiment/workload.ts';
import type { Progress } from '../live/progress.ts';
import type { Step } from '../live/snapshot.ts';
import { ConnectionCutter, cutByServer } from './connection-cutter.ts';
import { CpuMeter } from './cpu-meter.ts';
import { areApart, areCounted, callsOf, commandsOf, namesOf } from './load-counts.ts';
import {
  type Bench,
  countTasks,
  type Load,
  loadsOf,
  onOtherThreads,
  removeRecords,
  samplesOf,
  threadTasks,
} from './loads.ts';
import { catchUp, findReadReplicas, readCalls } from './read-replicas.ts';
import { baseRoundTripMs, serverCount, whatHappened } from './server-figures.ts';
import { type SilentProxy, startSilentProxy } from './silent-proxy.ts';
import type { TargetWatch } from './target-watch.ts';
import { ConnectRefused, placeOn, TurnVoided } from './threads.ts';
import type { WindowStart } from './window-start.ts';

const minWindowSeconds = 0.1;

/** What one measurement needs beyond the bench. */
interface MeasurementRun {
  readonly step: Step;
  readonly watch: TargetWatch;
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
}

/**
 * How often a measurement is attempted if its threads did not start together, or had no core when the window began.
 */
const maxAttempts = 3;

/**
 * Measures one scenario of one round. If a thread could not connect, it tries once more when the target is back; if the
 * threads noticed the window too late, up to twice more. Null if it was stopped before it had measured anything, or if
 * no attempt had a window.
 *
 * @throws PoolbenchError TARGET_LOST; ConnectRefused, or any other failure of a thread
 */
export async function runMeasurement(
  bench: Bench,
  scenario: Scenario,
  { step, watch, progress, signal }: MeasurementRun,
): Promise<RoundResult | null> {
  let refusals = 0;
  for (let attempt = 1; ; attempt++) {
    const shared = SharedState.forThreads(countTasks(loadsOf(bench, scenario)));
    const stop = () => shared.stop(nowNs());
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    let result: RoundResult | null = null;
    let refused: ConnectRefused | undefined;
    let voided: TurnVoided | undefined;
    progress.follow(step, shared, () => {
      watch.suspect();
      if (watch.lost) stop();
    });
    try {
      result = await runOnce(bench, scenario, step.round, shared);
    } catch (cause) {
      if (cause instanceof TurnVoided) voided = cause;
      else if (cause instanceof ConnectRefused) refused = cause;
      else throw cause;
    } finally {
      signal.removeEventListener('abort', stop);
      progress.finished(step, result);
    }
    // The user who stopped the run may also have stopped its server.
    if (signal.aborted) return result;
    if (voided !== undefined) {
      if (attempt === maxAttempts) throw voided;
      for (const load of loadsOf(bench, scenario)) await removeRecords(load);
      continue;
    }
    if (refused === undefined) {
      if (result !== null || watch.lost) return result;
      // It was not stopped, so its threads noticed the start of the window too late.
      const late = `${scenario.id} in round ${step.round}: other programs used the cores when its window of ${bench.experiment.seconds} s began, so its threads started too late`;
      if (attempt === maxAttempts) {
        bench.warn(
          `${late}; it has no figures in that round. Use longer windows (--seconds), or a less busy machine`,
        );
        return null;
      }
      continue;
    }
    if (refusals++ > 0) throw refused;
    await watch.present(() => signal.aborted);
  }
}

/**
 * Runs one scenario once, with its populations, and merges the samples of the threads. Null if it was stopped before it
 * had measured anything. Rejects with the error of a thread, such as a connection that was refused while a pool warmed.
 */
export async function runOnce(
  bench: Bench,
  scenario: Scenario,
  round: number,
  shared: SharedState,
): Promise<RoundResult | null> {
  const { control } = bench.target;
  const { seconds } = bench.experiment;
  const { size, hosts } = bench.threads;
  const loads = loadsOf(bench, scenario);
  const threads = countThreads(scenario, loads.slice(1));
  const placed = hosts?.place(round, threads, scenario.hosts) ?? placeOn(size, round, threads);
  const placement = loads.flatMap(({ firstThread, scenario }) =>
    placed.slice(firstThread, firstThread + scenario.threads),
  );
  const replicas = await findReadReplicas(control, loads);
  const meter = new CpuMeter({ ...bench.target, replicas });
  let proxy: SilentProxy | undefined;
  const cutters = loads.map(({ bench: { experiment, claim }, scenario: { cutEveryMs } }, index) => {
    const byServer = cutByServer(control, connectionName({ keyPrefix: claim.prefix }));
    const isOwn = index === 0;
    return new ConnectionCutter(draw => ((isOwn ? proxy?.silence : undefined) ?? byServer)(draw), {
      everyMs: cutEveryMs,
      seed: streamSeed(experiment.seed, 'cuts', round, ...(isOwn ? [] : [index])),
    });
  });

  const turn = `round ${round} of ${scenario.id}`;
  // Before the server starts to count the load's commands.
  const dataSets: (RoundResult['dataSet'] | undefined)[] = [];
  for (const { bench } of loads) dataSets.push(await bench.data?.ready(turn));
  const behind = replicas && (await catchUp(control, turn));
  if (behind !== undefined) bench.warn(behind);
  const basePingMs = await baseRoundTripMs(control);
  const before = await serverCount(control, replicas);
  let samples: ThreadSample[];
  let used: Awaited<ReturnType<CpuMeter['stop']>>;
  let startedAt = timeOfDay();
  let warmup: RoundResult['warmup'];
  try {
    if (scenario.cut === 'silent') proxy = await startSilentProxy(bench.target.address);
    const tasks = loads.flatMap((load, index) =>
      threadTasks(
        load.bench,
        load.scenario,
        round,
        shared,
        // The proxy belongs to the scenario, not to its populations.
        index === 0 ? proxy?.address : undefined,
        load.firstTask,
      ),
    );
    const onWindow = ({ startNs, warmupSeconds, grown }: WindowStart) => {
      const endNs = startNs + seconds * 1e9;
      startedAt = new Date(timeOfDay().getTime() + (startNs - nowNs()) / 1e6);
      if (warmupSeconds > 0) warmup = { seconds: warmupSeconds, grown };
      meter.schedule(startNs, endNs);
      for (const cutter of cutters) cutter.schedule(startNs, endNs);
    };
    samples = await bench.threads.run(tasks, shared, onWindow, placement);
  } finally {
    used = await meter.stop();
    for (const cutter of cutters) cutter.stop();
    await proxy?.close();
  }
  for (const [index, { failure, cuts }] of cutters.entries()) {
    if (failure === undefined) continue;
    const what = cuts === 0 ? 'no' : `after ${formatPlural(cuts, 'cut')}, no other`;
    bench.warn(`${what} connection could be cut in ${loads[index]?.name}: ${toOneLine(failure)}`);
  }
  const after = await serverCount(control, replicas);
  const parts = loads.map(load => samplesOf(load, samples));
  for (const [index, load] of loads.entries()) await removeRecords(load, parts[index]);
  const restarted = before.life !== undefined && after.life !== undefined && after.life !== before.life;
  if (restarted) {
    bench.warn(
      `${whatHappened(control, before, after, replicas)} while ${scenario.id} was measured in round ${round}: its losses are counted as failed operations and misses, and the server's own figures of that round are left out`,
    );
  }
  /** What the server counted in between; null if it does not report that, or was restarted. */
  const counted = (count: (of: typeof before) => number | null) => {
    const [from, to] = [count(before), count(after)];
    return restarted || from === null || to === null ? null : to - from;
  };
  const serverCalls = (names: readonly string[]) => counted(of => of.calls(names));
  const measuredSeconds = Math.max(...samples.map(sample => sample.seconds));
  // A stopped window is kept with its actual length, unless that is too short for a rate.
  const there = hosts?.used();
  if (hosts !== undefined && there === undefined) return null;
  if (used === null || measuredSeconds < Math.min(minWindowSeconds, seconds / 2)) return null;
  const { serverTimes } = used;
  const use = { ...used, ...there?.cpu };
  const workloads = loads.map(load => load.bench.experiment.workload);
  const namesCounted = workloads.map((workload, index) => namesOf(workload, parts[index] ?? []));

  const merge = (load: Load, index: number): RoundResult => {
    const { workload } = load.bench.experiment;
    const own = parts[index] ?? [];
    const isOther = (_: unknown, other: number) => other !== index;
    const isApart = areApart(namesCounted[index] ?? null, namesCounted.filter(isOther));
    const commands = commandsOf(workload);
    const others = onOtherThreads(own, samples, placement);
    const merged = mergeSamples(own, {
      round,
      placement,
      startedAt: startedAt.toISOString(),
      warmup,
      clientCpuMicros: use.clientCores * measuredSeconds * 1e6,
      othersCpuMicros: cpuMicrosOf(others),
      ...(others.length === 0
        ? {}
        : { othersSpunCores: sumOf(others, ({ threadLoad }) => threadLoad.spinShare ?? 0) }),
      ...use,
      ...(there === undefined ? {} : { hosts: there.hosts }),
      // A server that restarted counts from zero again, so the difference means nothing.
      ...(restarted ? { serverCores: null, serverMainThreadCores: null, serverFullestThread: null } : {}),
      serverTime: ofCommand =>
        restarted || !isApart || replicas?.nodes === null
          ? null
          : serverTimes(
              commands
                .filter(({ name }) => ofCommand === undefined || name === ofCommand)
                .map(({ statName }) => statName),
            ),
      serverCalls: isApart ? callsOf([workload], own, serverCalls) : null,
      serverCallsOf: ofScript => (isApart ? serverCalls(ofScript) : null),
      ...(replicas === undefined || load.scenario.readFrom === 'primary'
        ? {}
        : { readCalls: isApart && areCounted([workload]) ? readCalls(commands, replicas, counted) : null }),
      cuts: cutters[index]?.cuts ?? 0,
      basePingMs: there === undefined ? basePingMs : there.basePingMs,
    });
    const reads = countReads(merged, foreseeReads(workloadTask(workload)));
    return { ...merged, dataSet: dataSets[index] ?? null, reads };
  };
  const [first, ...beside] = loads;
  const own = merge(first, 0);
  if (beside.length === 0) return expectFigures(own, scenario.id);
  const populations = beside.map((load, index) => ({ name: load.name, ...merge(load, 1 + index) }));
  const all = [own, ...populations];
  const together = {
    issued: sumOf(all, ({ issued }) => issued),
    completed: sumOf(all, ({ completed }) => completed),
    serverCalls: callsOf(workloads, samples, serverCalls),
  };
  return expectFigures({ ...own, populations, together }, scenario.id);
}

/** CPU time of these threads in the window; null if the platform does not report it. */
function cpuMicrosOf(samples: readonly ThreadSample[]): number | null {
  return samples.reduce<number | null>(
    (sum, { seconds, threadLoad: { cores } }) =>
      sum === null || cores === null ? null : sum + cores * seconds * 1e6,
    0,
  );
}

/**
 * A figure that is not a finite number would make the result unreadable, so it is detected here, at its origin.
 *
 * @throws Error that names the figure: a defect
 */
export function expectFigures(measured: RoundResult, id: string): RoundResult {
  const { error } = roundSchema.safeParse(measured);
  if (error === undefined) return measured;
  throw new Error(
    `round ${measured.round} of ${id} has figures that are not finite numbers, so it cannot be written: ${toOneLine(z.prettifyError(error))}`,
  );
}
