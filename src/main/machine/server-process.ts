import { allowedCpus, type CpuList } from './cpus.ts';
import { listMachineFolder, type MachineRoot, readMachineFile } from './machine-files.ts';

/** A server's process on this machine. */
export interface ServerProcess {
  readonly pid: number;
  /** Time that each thread has had a core, in ns, by the thread's id. */
  readonly threads: ReadonlyMap<string, number>;
  /** CPUs that it may use; null if it is not known. */
  readonly cpus: CpuList | null;
}

/** The fullest thread of a process. */
interface FullestThread {
  readonly name: string;
  readonly cores: number;
}

/** CPU seconds by which the process and what the server reports may differ: its ticks, and the time between the readings. */
const maxDifference = 0.1;
const maxDifferenceRatio = 0.02;

/**
 * The process id that a local server reports. In another container, the id may belong to another process here, so its
 * CPU time must match the server's report.
 *
 * @param usedSeconds of all threads, by the server's INFO; null: not known
 * @returns null if it is not the server's process, or cannot be read
 */
export function readServerProcess(
  root: MachineRoot,
  pid: number | null,
  usedSeconds: number | null,
  online: CpuList | null,
): ServerProcess | null {
  if (pid === null || pid === process.pid || usedSeconds === null) return null;
  // The name may have spaces and brackets; utime and stime are the 12th and 13th fields behind it.
  const fields = readMachineFile(root, `proc/${pid}/stat`)
    ?.replace(/^.*\) /, '')
    .split(' ');
  const seconds = (Number(fields?.[11]) + Number(fields?.[12])) / 100;
  const isServer = Math.abs(seconds - usedSeconds) <= maxDifference + maxDifferenceRatio * usedSeconds;
  const tasks = isServer ? listMachineFolder(root, `proc/${pid}/task`) : null;
  if (tasks === null) return null;
  const threads = tasks.flatMap((task): [string, number][] => {
    const ranNs = Number(readMachineFile(root, `proc/${pid}/task/${task}/schedstat`)?.split(' ')[0]);
    return ranNs > 0 ? [[task, ranNs]] : [];
  });
  return { pid, threads: new Map(threads), cpus: allowedCpus(root, pid, online) };
}

/**
 * The thread that used the most of a core between two readings; null if it is not known.
 *
 * @param spins whether io-threads spin while they have nothing to do: then their CPU time does not show, and they are
 *   left out
 */
export function fullestThread(
  root: MachineRoot,
  before: ServerProcess | null,
  after: ServerProcess | null,
  { elapsedNs, spins }: { readonly elapsedNs: number; readonly spins: boolean },
): FullestThread | null {
  if (before === null || after === null || before.pid !== after.pid || elapsedNs <= 0) return null;
  const threads = [...after.threads].flatMap(([task, ranNs]): FullestThread[] => {
    const from = before.threads.get(task);
    if (from === undefined) return [];
    const name = readMachineFile(root, `proc/${after.pid}/task/${task}/comm`) ?? 'unnamed';
    const isLeftOut = spins && name.startsWith('io_thd');
    return isLeftOut ? [] : [{ name, cores: Math.max(0, ranNs - from) / elapsedNs }];
  });
  return threads.toSorted((a, b) => b.cores - a.cores)[0] ?? null;
}
