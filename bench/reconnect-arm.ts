/**
 * One arm of bench/reconnect.ts, in a process of its own: drives one thread's load through an outage and prints, as
 * JSON, what it saw every 20 ms.
 */
import { CircuitBreaker, type ConnectGate } from '../src/pool/circuit-breaker.ts';
import { IoredisConnection } from '../src/pool/client/ioredis-connection.ts';
import { WireConnection } from '../src/pool/client/wire-connection.ts';
import { nowNs } from '../src/pool/clock.ts';
import type { Connect } from '../src/pool/connection.ts';
import { openPool } from '../src/pool/pool.ts';
import { type Client, presets } from '../src/pool/presets.ts';
import type { ThreadTask } from '../src/workers/contract.ts';
import { LoadDriver } from '../src/workers/load-driver.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import { commandMix } from '../src/workers/workload/command-mix.ts';
import { plainWorkload } from '../test/support/plain-workload.ts';

export const workers = 500;
const connections = 2 * workers;
const keys = 1000;
const lookMs = 20;

export interface ReconnectArm {
  readonly client: Client;
  readonly breaker: boolean;
  readonly port: number;
  readonly seconds: number;
}

/** What there had been by an instant of the machine's monotonic clock. */
export interface Look {
  readonly ns: number;
  readonly completed: number;
  readonly connects: number;
  readonly cpuMicros: number;
}

/** Lets everybody connect at any time, as pools did before there was a breaker. */
const openGate: ConnectGate = { through: connect => connect(), allowsBackground: true };

async function drive({ client, breaker, port, seconds }: ReconnectArm): Promise<Look[]> {
  const shared = SharedState.forThreads(1);
  const task: ThreadTask = {
    thread: 0,
    address: { host: '127.0.0.1', port, tls: false, database: 0 },
    client,
    preset: 'lock-free',
    probe: 'poll',
    healthTtlMs: 0,
    connects: 'parallel',
    clientOptions: {},
    autoPipelining: false,
    readFrom: 'primary',
    transport: 'direct',
    burst: false,
    openLoop: null,
    pools: [{ groups: [{ workers, pipeline: 1 }], connections, minIdle: 0, firstKey: 0, keys }],
    keyPrefix: 'poolbench:1:',
    workload: plainWorkload({ keys, valueBytes: 32, readShare: 0.5 }),
    seed: 1,
    valueSeed: 1,
    warmupSeconds: 0,
    seconds,
    timeoutMs: 5000,
    shared: shared.buffer,
  };
  const mix = commandMix(task.workload, task.keyPrefix, task.seed);
  const real =
    client === 'wire'
      ? WireConnection.connector(task.address, mix.commandSet, task.timeoutMs, task.transport)
      : IoredisConnection.connector(task.address, mix.commandSet, task.timeoutMs, { autoPipelining: false });
  let connects = 0;
  const counted: Connect = () => {
    connects++;
    return real();
  };
  const options = { strategies: presets['lock-free'], max: connections, metrics: true } as const;
  const { minIdle, probe, healthTtlMs, timeoutMs } = { ...task, minIdle: 0 };
  const pool = openPool(
    { ...options, minIdle, probe, healthTtlMs, timeoutMs, connects: 'parallel' },
    counted,
    breaker ? new CircuitBreaker() : openGate,
  );
  const looks: Look[] = [];
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage();
    const { completed } = shared.progress(0);
    looks.push({ ns: nowNs(), completed, connects, cpuMicros: user + system });
  }, lookMs);
  await new LoadDriver(task, [pool], mix, null).drive(shared, nowNs());
  clearInterval(timer);
  await pool.close({ timeout: 0 });
  return looks;
}

const [, file, arm] = process.argv;
if (arm !== undefined && file?.includes('reconnect-arm')) {
  process.stdout.write(JSON.stringify(await drive(JSON.parse(arm) as ReconnectArm)));
}
