import os from 'node:os';
import { nowNs } from '../../pool/clock.ts';
import type { Control } from '../target/control.ts';
import { serverCpu } from '../target/info.ts';

/** Cores that were in use over the measured window; null where the server does not tell. */
export interface CoresInUse {
  readonly client: number;
  /** Share of all of this machine's CPUs in use by anything, 0 to 1; counted in ticks of 10 ms. */
  readonly machineBusyShare: number;
  readonly server: number | null;
  readonly serverMainThread: number | null;
}

interface Reading {
  readonly clientAtNs: number;
  readonly clientMicros: number;
  readonly idleCpuMs: number;
  readonly serverAtNs: number;
  readonly serverSeconds: number | null;
  readonly serverMainThreadSeconds: number | null;
}

/**
 * Reads the CPU time of this process and of the server at both ends of the measured window. A reading under load
 * comes some milliseconds late, so each is divided by the time that really lay between the two.
 */
export class CpuMeter {
  readonly #control: Control;
  #timers: NodeJS.Timeout[] = [];
  #begun: Promise<Reading> | undefined;
  #ended: Promise<Reading> | undefined;

  constructor(control: Control) {
    this.#control = control;
  }

  /** Plans the two readings for the given instants. */
  schedule(startNs: number, endNs: number): void {
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
    const cores = (from: number | null, to: number | null) =>
      from === null || to === null || serverSeconds <= 0 ? null : Math.max(0, to - from) / serverSeconds;
    return {
      machineBusyShare: Math.min(1, Math.max(0, 1 - idleSeconds / clientSeconds / os.cpus().length)),
      client: (ended.clientMicros - begun.clientMicros) / 1e6 / clientSeconds,
      server: cores(begun.serverSeconds, ended.serverSeconds),
      serverMainThread: cores(begun.serverMainThreadSeconds, ended.serverMainThreadSeconds),
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
    const info = await this.#control.info('cpu').catch(() => new Map<string, string>());
    const server = serverCpu(info);
    return {
      clientAtNs,
      clientMicros: user + system,
      idleCpuMs,
      serverAtNs: nowNs(),
      serverSeconds: server.all,
      serverMainThreadSeconds: server.mainThread,
    };
  }
}
