import os from 'node:os';
import { nowNs } from '../../pool/clock.ts';
import type { Control } from '../server/control.ts';
import { serverCpu } from '../server/server-info.ts';

/** Cores that were in use over the measured window; null where the server does not tell. */
export interface CoresInUse {
  readonly client: number;
  /** Share of all of this machine's CPUs in use by anything, 0 to 1; counted in ticks of 10 ms. */
  readonly machineBusyShare: number;
  /** Of all masters of a cluster. */
  readonly server: number | null;
  /** Of the busiest master. */
  readonly serverMainThread: number | null;
}

/** CPU seconds of one server since its start. */
type ServerCpu = ReturnType<typeof serverCpu>;

interface Reading {
  readonly clientAtNs: number;
  readonly clientMicros: number;
  readonly idleCpuMs: number;
  readonly serverAtNs: number;
  /** One entry a node. */
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
  #begun: Promise<Reading> | undefined;
  #ended: Promise<Reading> | undefined;

  constructor(control: Control) {
    this.#control = control;
  }

  /** Plans the two readings for the given instants. */
  schedule(startNs: number, endNs: number): void {
    this.#nodes = this.#control.nodes;
    this.#at(startNs, () => {
      this.#begun = this.#read();
    });
    this.#at(endNs, () => {
      this.#ended = this.#read();
    });
  }

  /** The cores in use between the readings; if the window was cut short, up to now. Null if it never began. */
  async stop(): Promise<CoresInUse | null> {
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#begun === undefined) return null;
    const [begun, ended] = await Promise.all([this.#begun, this.#ended ?? this.#read()]);
    const clientSeconds = (ended.clientAtNs - begun.clientAtNs) / 1e9;
    const idleSeconds = (ended.idleCpuMs - begun.idleCpuMs) / 1000;
    const serverSeconds = (ended.serverAtNs - begun.serverAtNs) / 1e9;
    const coresOfEach = (seconds: (server: ServerCpu) => number | null) =>
      ended.servers.map((server, node) => {
        const from = begun.servers[node];
        const [before, after] = [from === undefined ? null : seconds(from), seconds(server)];
        return before === null || after === null || serverSeconds <= 0
          ? null
          : Math.max(0, after - before) / serverSeconds;
      });
    return {
      machineBusyShare: Math.min(1, Math.max(0, 1 - idleSeconds / clientSeconds / os.cpus().length)),
      client: (ended.clientMicros - begun.clientMicros) / 1e6 / clientSeconds,
      server: ifAllKnown(
        coresOfEach(({ all }) => all),
        cores => cores.reduce((sum, one) => sum + one, 0),
      ),
      serverMainThread: ifAllKnown(
        coresOfEach(({ mainThread }) => mainThread),
        cores => Math.max(...cores),
      ),
    };
  }

  #at(instantNs: number, read: () => void): void {
    this.#timers.push(setTimeout(read, Math.max(0, (instantNs - nowNs()) / 1e6)));
  }

  async #read(): Promise<Reading> {
    const { user, system } = process.cpuUsage();
    const idleCpuMs = os.cpus().reduce((sum, cpu) => sum + cpu.times.idle, 0);
    const clientAtNs = nowNs();
    // A server that is gone tells nothing; that it is gone is noticed elsewhere.
    const infos = await Promise.all(
      this.#nodes.map(node => node.info('cpu').catch(() => new Map<string, string>())),
    );
    return {
      clientAtNs,
      clientMicros: user + system,
      idleCpuMs,
      serverAtNs: nowNs(),
      servers: infos.map(serverCpu),
    };
  }
}

function ifAllKnown(
  cores: readonly (number | null)[],
  together: (cores: readonly number[]) => number,
): number | null {
  const known = cores.filter(one => one !== null);
  return known.length < cores.length || known.length === 0 ? null : together(known);
}
