import type { CpuUse, RoundResult } from '../../aggregate/result.ts';
import type { MeteredCpu } from '../../aggregate/stats/merge.ts';
import { nowNs } from '../../pool/clock.ts';
import { readQuotas, throttlingBetween } from '../machine/cpu-quota.ts';
import { allowedCpus, busyRatio, type MachineTimes, onlineCpus, readCpuTimes } from '../machine/cpus.ts';
import { type LinkReading, linkUse, readLink } from '../machine/link.ts';
import type { MachineRoot } from '../machine/machine-files.ts';
import { fullestThread, readServerProcess, type ServerProcess } from '../machine/server-process.ts';
import type { Target } from '../server/find-target.ts';
import { commandStats, infoNumber, ioThreadsSpin, serverCpu } from '../server/server-info.ts';
import { type CommandStats, type ReadReplicas, type ServerTimes, serverTimes } from './server-figures.ts';

/** What was used during the measured window; null: not known. */
export interface MeteredUse extends MeteredCpu, Pick<CpuUse, 'clientCores'>, Pick<RoundResult, 'link'> {
  readonly serverTimes: ServerTimes;
}

/** What this process and its machine have used so far. */
interface ClientReading {
  readonly atNs: number;
  readonly micros: number;
  readonly cpus: MachineTimes | null;
  readonly quotas: ReturnType<typeof readQuotas>;
  readonly link: LinkReading | null;
}

/** What one server has used since its start. */
interface ServerReading {
  readonly cpu: ReturnType<typeof serverCpu>;
  readonly commands: CommandStats;
  /** Null for a server on another machine. */
  readonly process: ServerProcess | null;
}

interface Reading {
  readonly client: ClientReading;
  readonly serverAtNs: number;
  /** One entry per node. */
  readonly servers: readonly ServerReading[];
}

/** The control connection only provides the servers behind it and its own local address. */
interface Subject extends Pick<Target, 'local'> {
  readonly control: Pick<Target['control'], 'nodes' | 'localAddress'>;
  readonly detected: Parameters<typeof ioThreadsSpin>[0];
  readonly replicas?: ReadReplicas | undefined;
}

/**
 * Reads what this process, its machine and the server have used at both ends of the measured window. Readings under
 * load are some milliseconds late, so differences are divided by the actual time between them.
 */
export class CpuMeter {
  readonly #target: Subject;
  readonly #root: MachineRoot;
  /** The same servers are read at both ends. */
  #nodes: Target['control']['nodes'] = [];
  /** How many of them are primaries, which come first. */
  #primaries = 0;
  /** Their processes, as the servers report them. */
  #pids: Promise<readonly (number | null)[]> = Promise.resolve([]);
  #timers: NodeJS.Timeout[] = [];
  /** Taken when the threads are released; the middle of the following window. */
  #released: { readonly client: ClientReading; readonly middleNs: number } | undefined;
  #begun: Promise<Reading> | undefined;
  #ended: Promise<Reading> | undefined;

  constructor(target: Subject, root: MachineRoot = '/') {
    this.#target = target;
    this.#root = root;
  }

  /** Plans the two readings for the given instants. */
  schedule(startNs: number, endNs: number): void {
    const { control, replicas } = this.#target;
    this.#nodes = [...control.nodes, ...(replicas?.nodes ?? [])];
    this.#primaries = control.nodes.length;
    this.#pids = this.#askPids();
    this.#released = { client: this.#readClient('start'), middleNs: (startNs + endNs) / 2 };
    this.#at(startNs, () => {
      this.#begun = this.#read('start');
    });
    this.#at(endNs, () => {
      this.#ended = this.#read('end');
    });
  }

  /** What was in use between the readings; if the window was cut short, up to now. Null if none was scheduled. */
  async stop(): Promise<MeteredUse | null> {
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#released === undefined) return null;
    const [begunOrLate, ended] = await Promise.all([this.#begun, this.#ended ?? this.#read('end')]);
    // On a busy machine, this process can miss the start of a short window, or all of it. Its own figures then count
    // from the release.
    const begun =
      begunOrLate !== undefined && begunOrLate.client.atNs < this.#released.middleNs
        ? begunOrLate
        : { client: this.#released.client, serverAtNs: 0, servers: [] };
    return { ...this.#ofClient(begun.client, ended.client, ended.servers), ...this.#ofServers(begun, ended) };
  }

  #ofClient(before: ClientReading, after: ClientReading, servers: readonly ServerReading[]) {
    const elapsedNs = after.atNs - before.atNs;
    const online = onlineCpus(this.#root) ?? [];
    const client = allowedCpus(this.#root, 'self', online);
    const useOf = (cpus: readonly number[]) => ({
      cpus: cpus.length,
      busyShare: busyRatio(cpus, before.cpus, after.cpus, elapsedNs / 1e6),
    });
    // A local server that does not report its CPUs may use all of them; a remote one uses none.
    const ofServers = this.#target.local ? servers.flatMap(({ process }) => process?.cpus ?? online) : [];
    return {
      clientCores: elapsedNs <= 0 ? 0 : (after.micros - before.micros) / (elapsedNs / 1000),
      machineBusyShare: busyRatio(after.cpus?.keys() ?? [], before.cpus, after.cpus, elapsedNs / 1e6),
      cpuSets: client && {
        machine: online.length,
        client: useOf(client),
        both: useOf([...new Set([...client, ...ofServers])]),
      },
      throttling: throttlingBetween(before.quotas, after.quotas),
      link: this.#target.local ? null : linkUse(before.link, after.link, elapsedNs),
    };
  }

  #ofServers(begun: Pick<Reading, 'serverAtNs' | 'servers'>, ended: Reading) {
    const elapsedNs = ended.serverAtNs - begun.serverAtNs;
    const pairs = ended.servers.map((after, node) => ({ before: begun.servers[node], after }));
    /** Sum over all nodes; null if one of them lacks the figure. */
    const coresOf = (thread: keyof ServerReading['cpu']): number[] | null => {
      const cores = pairs.flatMap(({ before, after }) => {
        const [from, to] = [before?.cpu[thread] ?? null, after.cpu[thread]];
        return from === null || to === null || elapsedNs <= 0
          ? []
          : Math.max(0, to - from) / (elapsedNs / 1e9);
      });
      return cores.length === 0 || cores.length < pairs.length ? null : cores;
    };
    const mainThreads = coresOf('mainThread');
    const spins = ioThreadsSpin(this.#target.detected);
    const fullest = pairs.flatMap(
      ({ before, after }) =>
        fullestThread(this.#root, before?.process ?? null, after.process, { elapsedNs, spins }) ?? [],
    );
    return {
      serverCores: coresOf('all')?.reduce((sum, cores) => sum + cores, 0) ?? null,
      serverMainThreadCores: mainThreads && Math.max(...mainThreads),
      serverFullestThread: fullest.toSorted((a, b) => b.cores - a.cores)[0] ?? null,
      serverTimes: serverTimes(
        pairs.map(({ before, after }, node) => ({
          before: before?.commands ?? null,
          after: after.commands,
          only: node < this.#primaries ? undefined : this.#target.replicas?.reads,
        })),
      ),
    };
  }

  #at(instantNs: number, read: () => void): void {
    this.#timers.push(setTimeout(read, Math.max(0, (instantNs - nowNs()) / 1e6)));
  }

  async #askPids(): Promise<(number | null)[]> {
    if (!this.#target.local) return [];
    const infos = await this.#ask('server');
    return infos.map(info => infoNumber(info, 'process_id'));
  }

  async #read(edge: 'start' | 'end'): Promise<Reading> {
    const client = this.#readClient(edge);
    const [cpus, commands, pids] = await Promise.all([
      this.#ask('cpu'),
      this.#ask('commandstats'),
      this.#pids,
    ]);
    const serverAtNs = nowNs();
    const online = onlineCpus(this.#root);
    const servers = cpus.map((info, node) => {
      const cpu = serverCpu(info);
      return {
        cpu,
        commands: commandStats(commands[node] ?? new Map()),
        process: readServerProcess(this.#root, pids[node] ?? null, cpu.all, online),
      };
    });
    return { client, serverAtNs, servers };
  }

  /** A lost server has no figures; the target watch detects the loss. */
  #ask(section: string): Promise<ReadonlyMap<string, string>[]> {
    return Promise.all(this.#nodes.map(node => node.info(section).catch(() => new Map<string, string>())));
  }

  /** The process's own time is read last at the start and first at the end, so it excludes the other readings. */
  #readClient(edge: 'start' | 'end'): ClientReading {
    const atEnd = edge === 'end' ? readOwnTime() : undefined;
    const rest = {
      cpus: readCpuTimes(this.#root),
      quotas: readQuotas(this.#root),
      link: this.#target.local ? null : readLink(this.#root, this.#target.control.localAddress),
    };
    return { ...rest, ...(atEnd ?? readOwnTime()) };
  }
}

/** CPU time of this process, with all of its threads, and when it was read. */
function readOwnTime(): Pick<ClientReading, 'atNs' | 'micros'> {
  const { user, system } = process.cpuUsage();
  return { atNs: nowNs(), micros: user + system };
}
