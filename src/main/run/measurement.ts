import type { RoundResult } from '../../aggregate/result.ts';
import { formatPlural, formatSeconds, toOneLine } from '../../aggregate/text/format.ts';
import { connectionName } from '../../pool/client/batch.ts';
import { nowNs, timeOfDay } from '../../pool/clock.ts';
import { streamSeed } from '../../workers/prng.ts';
import { SharedState } from '../../workers/shared-state.ts';
import { countThreads } from '../experiment/populations.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import type { Progress } from '../live/progress.ts';
import type { Step } from '../live/snapshot.ts';
import { ConnectionCutter, cutByServer } from './connection-cutter.ts';
import { CpuMeter } from './cpu-meter.ts';
import {
  type Bench,
  countTasks,
  type Load,
  loadsOf,
  removeRecords,
  samplesOf,
  threadTasks,
} from './loads.ts';
import { type DrivenLoads, expectFigures, type MeasuredLoads, mergeRound } from './measured-round.ts';
import { catchUp, findReadReplicas } from './read-replicas.ts';
import {
  baseRoundTripMs,
  countBetween,
  isRestarted,
  type ReadReplicas,
  serverCount,
  whatHappened,
} from './server-figures.ts';
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
      const late = `${scenario.id} in round ${step.round}: other programs used the cores when its window of ${formatSeconds(bench.experiment.seconds)} began, so its threads started too late`;
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
  const loads = loadsOf(bench, scenario);
  const placement = placeLoads(bench, scenario, round, loads);
  const replicas = await findReadReplicas(control, loads);
  // Before the server starts to count the load's commands.
  const ready = await prepareTarget(bench, loads, replicas, `round ${round} of ${scenario.id}`);
  const before = await serverCount(control, replicas);
  const driven = await driveLoads(bench, { loads, placement, replicas, round, shared });
  const after = await serverCount(control, replicas);
  for (const load of loads) await removeRecords(load, samplesOf(load, driven.samples));
  const restarted = isRestarted(before, after);
  if (restarted) {
    bench.warn(
      `${whatHappened(control, before, after, replicas)} while ${scenario.id} was measured in round ${round}: its losses are counted as failed operations and misses, and the server's own figures of that round are left out`,
    );
  }
  const { hosts } = bench.threads;
  const there = hosts?.used();
  if (hosts !== undefined && there === undefined) return null;
  const { used } = driven;
  const windows = driven.samples.map(sample => sample.seconds);
  const seconds = Math.max(...windows);
  // A stopped window is kept with its actual length, unless that is too short for a rate. If a thread had none, the load was smaller.
  const isShort = seconds < Math.min(minWindowSeconds, bench.experiment.seconds / 2);
  if (used === null || isShort || windows.includes(0)) return null;
  const measured = {
    ...driven,
    ...ready,
    used,
    round,
    loads,
    placement,
    replicas,
    seconds,
    there,
    restarted,
    counted: countBetween(before, after),
  };
  return expectFigures(mergeRound(measured), scenario.id);
}

/** The thread of each task of these loads. */
function placeLoads(bench: Bench, scenario: Scenario, round: number, loads: readonly Load[]): number[] {
  const { size, hosts } = bench.threads;
  const threads = countThreads(scenario, loads.slice(1));
  const placed = hosts?.place(round, threads, scenario.hosts) ?? placeOn(size, round, threads);
  return loads.flatMap(({ firstThread, scenario }) =>
    placed.slice(firstThread, firstThread + scenario.threads),
  );
}

/** Brings the keys of the loads into place, and takes the time of an undisturbed round trip. */
async function prepareTarget(
  bench: Bench,
  loads: readonly Load[],
  replicas: ReadReplicas | undefined,
  turn: string,
): Promise<Pick<MeasuredLoads, 'dataSets' | 'basePingMs'>> {
  const { control } = bench.target;
  const dataSets: (RoundResult['dataSet'] | undefined)[] = [];
  for (const { bench } of loads) dataSets.push(await bench.data?.ready(turn));
  const behind = replicas && (await catchUp(control, turn));
  if (behind !== undefined) bench.warn(behind);
  return { dataSets, basePingMs: await baseRoundTripMs(control) };
}

/** Runs the tasks of all loads; in their window, meters CPU time and cuts connections. */
async function driveLoads(
  bench: Bench,
  {
    loads,
    placement,
    replicas,
    round,
    shared,
  }: Pick<MeasuredLoads, 'loads' | 'placement' | 'replicas' | 'round'> & { readonly shared: SharedState },
): Promise<DrivenLoads> {
  const { seconds } = bench.experiment;
  const meter = new CpuMeter({ ...bench.target, replicas });
  let proxy: SilentProxy | undefined;
  const cutters = loads.map((load, index) => openCutter(bench, load, { index, round }, () => proxy));
  let startedAt = timeOfDay();
  let warmup: RoundResult['warmup'];
  const onWindow = ({ startNs, warmupSeconds, grown }: WindowStart) => {
    const endNs = startNs + seconds * 1e9;
    startedAt = new Date(timeOfDay().getTime() + (startNs - nowNs()) / 1e6);
    if (warmupSeconds > 0) warmup = { seconds: warmupSeconds, grown };
    meter.schedule(startNs, endNs);
    for (const cutter of cutters) cutter.schedule(startNs, endNs);
  };
  let samples: DrivenLoads['samples'];
  let used: DrivenLoads['used'];
  try {
    if (loads[0].scenario.cut === 'silent') proxy = await startSilentProxy(bench.target.address);
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
  return { samples, used, startedAt, warmup, cutters };
}

/** Cuts connections of a load: at the proxy if the scenario has one, otherwise at the server. */
function openCutter(
  { target: { control } }: Bench,
  { bench: { experiment, claim }, scenario: { cutEveryMs } }: Load,
  { index, round }: { readonly index: number; readonly round: number },
  proxyOfScenario: () => SilentProxy | undefined,
): ConnectionCutter {
  const byServer = cutByServer(control, connectionName({ keyPrefix: claim.prefix }));
  const isOwn = index === 0;
  return new ConnectionCutter(draw => ((isOwn ? proxyOfScenario()?.silence : undefined) ?? byServer)(draw), {
    everyMs: cutEveryMs,
    seed: streamSeed(experiment.seed, 'cuts', round, ...(isOwn ? [] : [index])),
  });
}
