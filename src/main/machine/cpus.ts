import os from 'node:os';
import { type MachineRoot, readMachineFields, readMachineFile } from './machine-files.ts';

/** Numbers of CPUs, ascending. */
export type CpuList = readonly number[];

/** Time that one CPU has been in use and idle, in ms since it was started. */
interface CpuTimes {
  readonly busyMs: number;
  readonly idleMs: number;
}

/** By the number of the CPU. */
export type MachineTimes = ReadonlyMap<number, CpuTimes>;

/** /proc/stat counts in ticks of 1/USER_HZ, which is 100 on every Linux. */
const tickMs = 10;
/** Min fraction of the time passed that counters must account for. Below it the system does not keep them. */
const minCounted = 0.5;

/**
 * The time of each CPU, by /proc/stat; on other systems by Node. A CPU that waits for a disk (`iowait`) is idle: it
 * would run any ready thread. Time taken by the host of a virtual machine (`steal`) is in use. Null if the file is
 * hidden, or if all counters are 0, as in some sandboxes.
 */
export function readCpuTimes(root: MachineRoot): MachineTimes | null {
  const text = readMachineFile(root, 'proc/stat');
  if (text === null) return process.platform === 'linux' ? null : timesOfNode();
  const times = new Map<number, CpuTimes>();
  for (const [, cpu, counts] of text.matchAll(/^cpu(\d+) +([\d ]+)$/gm)) {
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = (
      counts ?? ''
    )
      .split(' ')
      .map(Number);
    const busy = user + nice + system + irq + softirq + steal;
    times.set(Number(cpu), { busyMs: busy * tickMs, idleMs: (idle + iowait) * tickMs });
  }
  return [...times.values()].some(({ busyMs, idleMs }) => busyMs + idleMs > 0) ? times : null;
}

function timesOfNode(): MachineTimes {
  return new Map(
    os
      .cpus()
      .map(({ times: { user, nice, sys, irq, idle } }, cpu) => [
        cpu,
        { busyMs: user + nice + sys + irq, idleMs: idle },
      ]),
  );
}

/**
 * Fraction of these CPUs that was in use between two readings, 0 to 1.
 * Null if it is not known: without a reading or a CPU, or if the counters did not move with the time.
 */
export function busyRatio(
  cpus: Iterable<number>,
  before: MachineTimes | null,
  after: MachineTimes | null,
  elapsedMs: number,
): number | null {
  let busyMs = 0;
  let countedMs = 0;
  let count = 0;
  for (const cpu of cpus) {
    const [from, to] = [before?.get(cpu), after?.get(cpu)];
    if (from === undefined || to === undefined) return null;
    // A counter of idle time may go back a little.
    const busy = Math.max(0, to.busyMs - from.busyMs);
    busyMs += busy;
    countedMs += busy + Math.max(0, to.idleMs - from.idleMs);
    count++;
  }
  const moved = countedMs > 0 && countedMs >= minCounted * count * (elapsedMs - tickMs);
  return moved ? busyMs / countedMs : null;
}

/** CPUs that are online; null if it is not known. */
export function onlineCpus(root: MachineRoot): CpuList | null {
  const online = parseCpuList(readMachineFile(root, 'sys/devices/system/cpu/online'));
  const times = online === null ? readCpuTimes(root) : null;
  return times === null ? online : [...times.keys()];
}

/** CPUs that a process may use, of those that are online; null if it is not known. */
export function allowedCpus(root: MachineRoot, pid: number | 'self', online: CpuList | null): CpuList | null {
  const allowed = parseCpuList(
    readMachineFields(root, `proc/${pid}/status`).get('Cpus_allowed_list') ?? null,
  );
  if (allowed === null || online === null) return null;
  // The list may name CPUs that the machine does not have.
  const both = allowed.filter(cpu => online.includes(cpu));
  return both.length === 0 ? null : both;
}

/** "0-2,4" is 0, 1, 2, 4. Null if it is no such list. */
function parseCpuList(text: string | null): CpuList | null {
  if (text === null || !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) return null;
  return text.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  });
}

/** 0, 1, 2, 4 is "0-2,4". */
export function formatCpuList(cpus: CpuList): string {
  const ranges: [first: number, last: number][] = [];
  for (const cpu of cpus) {
    const range = ranges.at(-1);
    if (range !== undefined && cpu === range[1] + 1) range[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
