import os from 'node:os';
import { nowNs } from '../../pool/clock.ts';
import type { Control } from '../server/control.ts';
import { serverCpu } from '../server/server-info.ts';

/** Cores that were in use over the measured window; null if the server has no such figure. */
interface CoresInUse {
  readonly client: number;
  /** Fraction of all of this machine's CPUs in use by anything, 0 to 1; counted in ticks of 10 ms. */
  readonly machineBusyShare: number;
  /** Of all masters of a cluster. */
  readonly server: number | null;
  /** Of the busiest master. */
  readonly serverMainThread: number | null;
}

/** CPU seconds of one server since its start. */
type ServerCpu = ReturnType<typeof serverCpu>;

/** What this process and its machine have used so far. */
interface ClientReading {
  readonly atNs: number;
  readonly micros: number;
  readonly idleCpuMs: number;
}

interface Reading {
  readonly client: ClientReading;
  readonly serverAtNs: number;
  /** One entry per node. */
  readonly servers: readonly ServerCpu[];
}

/**
 * Reads the CPU time of this process and of the server at both ends of the measured window. A reading under load
 * comes some milliseconds late, so each is divided by the time that really lay between the two.
 */
export class CpuMeter {
  readonly #control: Control;
  /** The same servers are read at both ends. */
  #nodes: readonly Control[] = [];
  #timers: NodeJS.Timeout[] = [];
  /** At the release of the threads; the middle of the window that follows. */
  #released: { readonly client: ClientReading; readonly middleNs: number } | undefined;
  #begun: Promise<Reading> | undefined;
  #ended: Promise<Reading> | undefined;

  constructor(control: Control) {
    this.#control = control;
  }

  /** Plans the two readings for the given instants. */
  schedule(startNs: number, endNs: number): void {
    this.#nodes = this.#control.nodes;
    this.#released = { client: readClient(), middleNs: (startNs + endNs) / 2 };
    this.#at(startNs, () => {
      this.#begun = this.#read();
    });
    this.#at(endNs, () => {
      this.#ended = this.#read();
    });
  }

  /** The cores in use between the readings; if the window was cut short, up to now. Null if none was scheduled. */
  async stop(): Promise<CoresInUse | null> {
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#released === undefined) return null;
    const [begunOrLate, ended] = await Promise.all([this.#begun, this.#ended ?? this.#read()]);
    // On a busy machine this process can sleep through the start of a short window, or all of it. Its own figures are
    // then those since the release.
    const begun =
      begunOrLate !== undefined && begunOrLate.client.atNs < this.#released.middleNs
        ? begunOrLate
        : { client: this.#released.client, serverAtNs: 0, servers: [] };
    const clientSeconds = (ended.client.atNs - begun.client.atNs) / 1e9;
    const idleSeconds = (ended.client.idleCpuMs - begun.client.idleCpuMs) / 1000;
    const serverSeconds = (ended.serverAtNs - begun.serverAtNs) / 1e9;
    /** Of every node; null if one of them has no such figure. */
    const coresOf = (thread: keyof ServerCpu): number[] | null => {
      const cores = ended.servers.flatMap((server, node) => {
        const [before, after] = [begun.servers[node]?.[thread], server[thread]];
        return before == null || after === null ? [] : Math.max(0, after - before) / serverSeconds;
      });
      return cores.length === 0 || cores.length < ended.servers.length ? null : cores;
    };
    const mainThreads = coresOf('mainThread');
    return {
      machineBusyShare: Math.min(1, Math.max(0, 1 - idleSeconds / clientSeconds / os.cpus().length)),
      client: (ended.client.micros - begun.client.micros) / 1e6 / clientSeconds,
      server: coresOf('all')?.reduce((sum, cores) => sum + cores, 0) ?? null,
      serverMainThread: mainThreads && Math.max(...mainThreads),
    };
  }

  #at(instantNs: number, read: () => void): void {
    this.#timers.push(setTimeout(read, Math.max(0, (instantNs - nowNs()) / 1e6)));
  }

  async #read(): Promise<Reading> {
    const client = readClient();
    // A server that is gone has no figures; the target watch notices that it is gone.
    const infos = await Promise.all(
      this.#nodes.map(node => node.info('cpu').catch(() => new Map<string, string>())),
    );
    return { client, serverAtNs: nowNs(), servers: infos.map(serverCpu) };
  }
}

function readClient(): ClientReading {
  const { user, system } = process.cpuUsage();
  const idleCpuMs = os.cpus().reduce((sum, cpu) => sum + cpu.times.idle, 0);
  return { atNs: nowNs(), micros: user + system, idleCpuMs };
}
