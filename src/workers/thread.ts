import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../pool/client/address.ts';
import type { CommandSet } from '../pool/client/batch.ts';
import { RedirectCount } from '../pool/client/cluster/slot-ranges.ts';
import type { WireOptions } from '../pool/client/wire-connection.ts';
import { nowNs } from '../pool/clock.ts';
import type { Connect } from '../pool/connection.ts';
import { openPool } from '../pool/pool.ts';
import { presets } from '../pool/presets.ts';
import type { PoolTask, ThreadRefusal, ThreadSample, ThreadTask } from './contract.ts';
import type { Deliveries } from './deliveries.ts';
import { LoadDriver } from './load-driver.ts';
import { Prng, streamSeed } from './prng.ts';
import type { ScriptLoad } from './script/script-load.ts';
import { SharedState } from './shared-state.ts';
import { type CommandMix, commandMix } from './workload/command-mix.ts';

/** Interval of a thread's heartbeat. */
const heartbeatMs = 250;

/** Interval at which a thread that connects looks at the stop flag. */
const stopLookMs = 10;

/** How long after its load a script can still fail in what nobody waits for. */
const strayMs = 1000;

/** Piscina's entry: opens the thread's pools, waits at the barrier, drives the load, and returns the sample. */
export default async function runTask(task: ThreadTask): Promise<ThreadSample | ThreadRefusal> {
  const shared = new SharedState(task.shared);
  const heartbeat = setInterval(() => shared.heartbeat(task.thread), heartbeatMs);
  try {
    return await measure(task, shared);
  } finally {
    clearInterval(heartbeat);
  }
}

async function measure(task: ThreadTask, shared: SharedState): Promise<ThreadSample | ThreadRefusal> {
  const redirects = task.cluster === undefined ? null : new RedirectCount();
  const mix = commandMix(task.workload, task.keyPrefix, task.seed, task.valueSeed);
  const script = await scriptOf(task);
  const connect = await connector(task, mix.commandSet, redirects);
  const pools = task.pools.map((pool, index) =>
    openPool(poolOptions(task, pool, index), script?.connector(connect) ?? connect),
  );
  let deliveries: Deliveries | undefined;
  const endStrays = script?.noteStrays();
  try {
    try {
      await unlessStopped(Promise.all(pools.map(pool => pool.warm())), shared);
      if (shared.stopNs === undefined) deliveries = await deliveriesOf(task, mix);
    } catch (error) {
      return { refused: error instanceof Error ? error.message : String(error) };
    }
    const load = new LoadDriver(task, pools, mix, redirects, { script, deliveries });
    shared.markReady();
    const startNs = await passBarrier(shared);
    shared.publishBegun(task.thread, nowNs());
    return await load.drive(shared, startNs);
  } finally {
    deliveries?.close();
    await Promise.all(pools.map(pool => pool.close({ timeout: 0 })));
    // Promises that a script left in flight reject only when the connections are closed.
    if (endStrays !== undefined) setTimeout(endStrays, strayMs).unref();
  }
}

/** Waits for the work, but not after a stop: with a slow server, a queue of connection attempts can take minutes. */
async function unlessStopped(work: Promise<unknown>, shared: SharedState): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const stopped = new Promise<void>(resolve => {
    timer = setInterval(() => {
      if (shared.stopNs !== undefined) resolve();
    }, stopLookMs);
  });
  try {
    await Promise.race([work, stopped]);
  } finally {
    clearInterval(timer);
  }
}

/** @throws Error if a subscriber cannot connect or subscribe */
async function deliveriesOf(task: ThreadTask, mix: CommandMix): Promise<Deliveries | undefined> {
  if (task.workload.subscribers === undefined) return undefined;
  const { Deliveries } = await import('./deliveries.ts');
  return await Deliveries.open(task, mix);
}

/** @throws Error if it cannot be loaded */
async function scriptOf(task: ThreadTask): Promise<ScriptLoad | undefined> {
  const { script } = task.workload;
  if (script === undefined) return undefined;
  const { ScriptLoad } = await import('./script/script-load.ts');
  return await ScriptLoad.open(task, script);
}

/** Loads only the client that the scenario uses: ioredis costs a thread about 10 MB. @throws Error if it cannot be loaded */
async function connector(
  task: ThreadTask,
  commands: CommandSet,
  redirects: RedirectCount | null,
): Promise<Connect> {
  const { address, cluster, timeoutMs, autoPipelining, clientOptions, readFrom } = task;
  if (cluster !== undefined && redirects !== null) {
    if (task.client === 'wire') {
      const { connectWireCluster } = await import('../pool/client/cluster/wire-cluster.ts');
      return connectWireCluster(cluster, commands, timeoutMs, {
        redirects,
        readFrom,
        options: wireOptions(task),
      });
    }
    const { IoredisCluster } = await import('../pool/client/cluster/ioredis-cluster.ts');
    const settings = { autoPipelining, nodeOptions: clientOptions, redirects, readFrom };
    return IoredisCluster.connector(cluster, commands, timeoutMs, settings);
  }
  const connectNode = await nodeConnector(task);
  if (readFrom === 'primary') return connectNode(address, commands);
  const { connectBehindSentinel } = await import('../pool/client/cluster/sentinel-nodes.ts');
  return connectBehindSentinel(address, commands, timeoutMs, { readFrom, connectNode });
}

/** The same for all connections of wire: to one server, behind a Sentinel, and to a cluster. */
const wireOptions = ({ transport }: ThreadTask): WireOptions => ({ transport });

/** Makes the connections to one server. */
async function nodeConnector(task: ThreadTask): Promise<(address: Address, commands: CommandSet) => Connect> {
  const { client, clientFile, timeoutMs, autoPipelining, clientOptions: options } = task;
  if (client === 'wire') {
    const { WireConnection } = await import('../pool/client/wire-connection.ts');
    return (address, commands) => WireConnection.connector(address, commands, timeoutMs, wireOptions(task));
  }
  if (clientFile !== undefined) {
    const { loadClient } = await import('../pool/client/libraries.ts');
    const { connector } = await loadClient(client, clientFile);
    return (address, commands) => connector({ address, commands, timeoutMs, autoPipelining, options });
  }
  const { IoredisConnection } = await import('../pool/client/ioredis-connection.ts');
  return (address, commands) =>
    IoredisConnection.connector(address, commands, timeoutMs, { autoPipelining, options });
}

function poolOptions(task: ThreadTask, { connections, minIdle }: PoolTask, index: number) {
  const prng = new Prng(streamSeed(task.seed, 'connectPacing', index));
  return {
    strategies: presets[task.preset],
    max: connections,
    minIdle,
    probe: task.probe,
    healthTtlMs: task.healthTtlMs,
    timeoutMs: task.timeoutMs,
    connects: task.connects,
    random: () => prng.drawFraction(),
    metrics: true,
  };
}

/** Waits for the start instant. The event loop keeps turning, because idle connections need it. */
async function passBarrier(shared: SharedState): Promise<number> {
  for (;;) {
    const startNs = shared.startNs;
    if (startNs !== undefined) {
      const earlyMs = (startNs - nowNs()) / 1e6 - 1;
      if (earlyMs > 1) await sleep(earlyMs);
      while (nowNs() < startNs) await new Promise(resolve => setImmediate(resolve));
      return startNs;
    }
    if (shared.stopNs !== undefined) return nowNs();
    await sleep(1);
  }
}
