import { z } from 'zod';
import type { RoundResult } from '../../aggregate/result.ts';
import { roundSchema } from '../../aggregate/round.ts';
import { mergeSamples } from '../../aggregate/stats/merge.ts';
import { countReads } from '../../aggregate/stats/reads.ts';
import { sumOf } from '../../aggregate/stats/statistics.ts';
import { toOneLine } from '../../aggregate/text/format.ts';
import type { ThreadSample } from '../../workers/contract.ts';
import { foreseeReads, workloadTask } from '../experiment/workload.ts';
import type { ConnectionCutter } from './connection-cutter.ts';
import type { MeteredUse } from './cpu-meter.ts';
import type { HostUse } from './host-use.ts';
import { areApart, areCounted, callsOf, commandsOf, namesOf } from './load-counts.ts';
import { type Load, type loadsOf, onOtherThreads, samplesOf } from './loads.ts';
import { readCalls } from './read-replicas.ts';
import type { Counted, ReadReplicas } from './server-figures.ts';

/** The figures of a measurement: those of its scenario, and of the populations that ran at the same time. */

/** What the tasks of all loads did in one window. */
export interface DrivenLoads {
  readonly samples: readonly ThreadSample[];
  /** Null: no window was scheduled. */
  readonly used: MeteredUse | null;
  readonly startedAt: Date;
  readonly warmup: RoundResult['warmup'];
  /** Of each load. A last cut may still be under way. */
  readonly cutters: readonly Pick<ConnectionCutter, 'cuts'>[];
}

/** The same with a window that is long enough, and what was read around it. */
export interface MeasuredLoads extends DrivenLoads {
  readonly used: MeteredUse;
  readonly round: number;
  readonly loads: ReturnType<typeof loadsOf>;
  /** The thread of each task, in the order of the tasks. */
  readonly placement: readonly number[];
  /** Length of the window. */
  readonly seconds: number;
  /** Undefined without agents. */
  readonly there: HostUse | undefined;
  readonly replicas: ReadReplicas | undefined;
  /** Of each load. */
  readonly dataSets: readonly (RoundResult['dataSet'] | undefined)[];
  readonly basePingMs: number | null;
  /** A server that restarted counts from zero again, so differences of its own figures mean nothing. */
  readonly restarted: boolean;
  readonly counted: Counted;
}

/** The figures of the scenario, with those of its populations. */
export function mergeRound(measured: MeasuredLoads): RoundResult {
  const { loads, samples, counted } = measured;
  const names = loads.map(load => namesOf(workloadOf(load), samplesOf(load, samples)));
  const merge = (load: Load, index: number) => {
    const others = names.filter((_, other) => other !== index);
    return mergeLoad(measured, load, { index, isApart: areApart(names[index] ?? null, others) });
  };
  const [first, ...beside] = loads;
  const own = merge(first, 0);
  if (beside.length === 0) return own;
  const populations = beside.map((load, index) => ({ name: load.name, ...merge(load, 1 + index) }));
  const all = [own, ...populations];
  const together = {
    issued: sumOf(all, ({ issued }) => issued),
    completed: sumOf(all, ({ completed }) => completed),
    serverCalls: callsOf(loads.map(workloadOf), samples, names => counted(of => of.calls(names))),
  };
  return { ...own, populations, together };
}

const workloadOf = ({ bench }: Load) => bench.experiment.workload;

/** @param isApart whether the server's counts of the load's commands are of this load alone */
function mergeLoad(
  measured: MeasuredLoads,
  load: Load,
  { index, isApart }: { readonly index: number; readonly isApart: boolean },
): RoundResult {
  const { samples, round, placement, seconds, warmup, used, there, replicas, restarted, counted } = measured;
  const workload = workloadOf(load);
  const own = samplesOf(load, samples);
  const commands = commandsOf(workload);
  const others = onOtherThreads(own, samples, placement);
  const use = { ...used, ...there?.cpu };
  const serverCalls = (names: readonly string[]) => counted(of => of.calls(names));
  const merged = mergeSamples(own, {
    round,
    placement,
    startedAt: measured.startedAt.toISOString(),
    warmup,
    clientCpuMicros: use.clientCores * seconds * 1e6,
    othersCpuMicros: cpuMicrosOf(others),
    ...(others.length === 0
      ? {}
      : { othersSpunCores: sumOf(others, ({ threadLoad }) => threadLoad.spinShare ?? 0) }),
    ...use,
    ...(there === undefined ? {} : { hosts: there.hosts }),
    ...(restarted ? { serverCores: null, serverMainThreadCores: null, serverFullestThread: null } : {}),
    serverTime: ofCommand =>
      restarted || !isApart || replicas?.nodes === null
        ? null
        : used.serverTimes(
            commands
              .filter(({ name }) => ofCommand === undefined || name === ofCommand)
              .map(({ statName }) => statName),
          ),
    serverCalls: isApart ? callsOf([workload], own, serverCalls) : null,
    serverCallsOf: ofScript => (isApart ? serverCalls(ofScript) : null),
    ...(replicas === undefined || load.scenario.readFrom === 'primary'
      ? {}
      : { readCalls: isApart && areCounted([workload]) ? readCalls(commands, replicas, counted) : null }),
    cuts: measured.cutters[index]?.cuts ?? 0,
    basePingMs: there === undefined ? measured.basePingMs : there.basePingMs,
  });
  const reads = countReads(merged, foreseeReads(workloadTask(workload)));
  return { ...merged, dataSet: measured.dataSets[index] ?? null, reads };
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
