import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { medianInterval } from '../src/aggregate/stats/sign-test.ts';
import { CircuitBreaker } from '../src/pool/circuit-breaker.ts';
import type { Batch } from '../src/pool/client/batch.ts';
import { WireConnection } from '../src/pool/client/wire-connection.ts';
import { nowNs } from '../src/pool/clock.ts';
import { Pool } from '../src/pool/pool.ts';
import { presets } from '../src/pool/presets.ts';
import { ClosedLoopWorker } from '../src/workers/closed-loop.ts';
import { WorkerGroup } from '../src/workers/load-workers.ts';
import { Recorder } from '../src/workers/recorder.ts';
import { commandMix } from '../src/workers/workload/command-mix.ts';
import { openWorkload } from '../src/workers/workload/open-workload.ts';
import { plainWorkload } from '../test/support/plain-workload.ts';
import { answer, childArgument, runInChild } from './child.ts';
import { keyPrefix, keys, valueBytes } from './load-arm.ts';
import type { Question } from './question.ts';

const connections = 50;
const warmupMs = 100;
const windowMs = 400;

interface Child {
  readonly port: number;
  readonly pipeline: number;
  readonly pairs: number;
}

interface Pair {
  readonly on: number;
  readonly off: number;
}

/** Counts operations and nothing else: no histograms, no series. */
class Tally extends Recorder {
  override due(): void {}
  override record(batch: Batch): void {
    this.completed += batch.completed;
  }
}

/** What histograms, series and the pool's metrics add to the CPU of an operation: on and off in turn in one process. */
export const ask: Question = async ({ server, report, rounds }) => {
  report.title('Measuring: histograms, series and pool metrics on, against off, wire, 50 connections');
  const rows: string[][] = [];
  for (const pipeline of [1, 100]) {
    const child: Child = { port: server.port, pipeline, pairs: 8 * rounds };
    const pairs = await runInChild<Pair[]>(fileURLToPath(import.meta.url), child);
    const { median, low, high } = medianInterval(pairs.map(({ on, off }) => on / off));
    rows.push([
      `depth ${pipeline}`,
      `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
      '< 1.03',
    ]);
  }
  report.table(
    ['', `client CPU per operation, on to off, median of ${8 * rounds} pairs [interval]`, 'goal'],
    rows,
  );
};

async function measurePairs({ port, pipeline, pairs }: Child): Promise<Pair[]> {
  const task = plainWorkload({ keys, valueBytes, readShare: 0.5 });
  const mix = commandMix(task, keyPrefix, 1);
  const workload = openWorkload(task, mix, { firstKey: 0, keys }, 1);
  const connect = WireConnection.connector(
    { host: '127.0.0.1', port, tls: false, database: 0 },
    mix.commandSet,
    5000,
    { transport: 'direct' },
  );
  const openPool = async (metrics: boolean) => {
    const pool = new Pool(
      {
        ...{ strategies: presets.optimized, max: connections, minIdle: connections, metrics },
        ...{ probe: 'poll', healthTtlMs: 1000, timeoutMs: 5000, connects: 'parallel' },
      },
      connect,
      new CircuitBreaker(),
    );
    await pool.warm();
    return pool;
  };
  const pools = { on: await openPool(true), off: await openPool(false) };

  /** Microseconds of this process for an operation. */
  const measure = async (arm: 'on' | 'off'): Promise<number> => {
    const window = { endNs: Number.POSITIVE_INFINITY };
    const recorder = arm === 'on' ? new Recorder(window) : new Tally(window);
    recorder.begin(nowNs());
    const group = new WorkerGroup({ holds: false });
    for (let i = 0; i < connections; i++) {
      group.join();
      new ClosedLoopWorker({ pool: pools[arm], workload, recorder, window }, pipeline, group).start();
    }
    await sleep(warmupMs);
    const before = { cpu: process.cpuUsage(), completed: recorder.completed };
    await sleep(windowMs);
    const { user, system } = process.cpuUsage(before.cpu);
    const operations = recorder.completed - before.completed;
    window.endNs = nowNs();
    await group.allStopped;
    return (user + system) / operations;
  };
  const measured: Pair[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const offFirst = pair % 2 === 1 ? await measure('off') : undefined;
    const on = await measure('on');
    measured.push({ on, off: offFirst ?? (await measure('off')) });
  }
  return measured;
}

const child = childArgument<Child>(import.meta.url);
if (child !== undefined) answer(await measurePairs(child));
