/** What acquire and release cost, side by side with two pool libraries. No sockets: only the pools' own work. */
import { createPool } from 'generic-pool';
import { Pool as TarnPool } from 'tarn';
import { CircuitBreaker } from '../src/pool/circuit-breaker.ts';
import { Connection } from '../src/pool/connection.ts';
import { Pool } from '../src/pool/pool.ts';
import { presets } from '../src/pool/presets.ts';
import type { Question } from './question.ts';
import { range } from './report.ts';

/** A connection that is always healthy and never used. */
class IdleConnection extends Connection {
  readonly alive = true;
  send(): void {}
  async ping(): Promise<void> {}
  close(): void {}
}

const connections = 50;

interface PairFigures {
  readonly name: string;
  /** Nanoseconds for one acquisition and one release. */
  readonly pairNs: number;
}

async function optimizedPool(metrics: boolean): Promise<Pool> {
  const options = {
    max: connections,
    minIdle: connections,
    probe: 'poll',
    healthTtlMs: 3_600_000,
    timeoutMs: 5000,
    connects: 'parallel',
  } as const;
  const pool = new Pool(
    { ...options, strategies: presets.optimized, metrics },
    async () => new IdleConnection(),
    new CircuitBreaker(),
  );
  await pool.warm();
  return pool;
}

/** Measures every pool once; call it several times to alternate them. */
async function measurePairs(pairs: number): Promise<PairFigures[]> {
  const figures: PairFigures[] = [];
  const time = async (name: string, count: number, work: (count: number) => void | Promise<void>) => {
    await work(count / 10);
    const startMs = performance.now();
    await work(count);
    figures.push({ name, pairNs: ((performance.now() - startMs) * 1e6) / count });
  };

  for (const metrics of [false, true]) {
    const pool = await optimizedPool(metrics);
    await time(`poolbench tryAcquire, metrics ${metrics ? 'on' : 'off'}`, pairs, count => {
      for (let i = 0; i < count; i++) {
        const connection = pool.tryAcquire();
        if (connection === undefined) throw new Error('the pool had no idle connection');
        pool.release(connection);
      }
    });
    await time(`poolbench await acquire, metrics ${metrics ? 'on' : 'off'}`, pairs / 10, async count => {
      for (let i = 0; i < count; i++) pool.release(await pool.acquire());
    });
    await pool.close();
  }

  const generic = createPool(
    { create: async () => new IdleConnection(), destroy: async () => {} },
    { max: connections, min: connections },
  );
  await generic.ready();
  await time('generic-pool', pairs / 20, async count => {
    for (let i = 0; i < count; i++) await generic.release(await generic.acquire());
  });
  await generic.drain();
  await generic.clear();

  const tarn = new TarnPool({
    create: async () => new IdleConnection(),
    destroy: () => {},
    min: connections,
    max: connections,
  });
  await time('tarn', pairs / 20, async count => {
    for (let i = 0; i < count; i++) tarn.release(await tarn.acquire().promise);
  });
  await tarn.destroy();
  return figures;
}

export const ask: Question = async ({ report, rounds }) => {
  const figures = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, pairNs } of await measurePairs(2_000_000))
      figures.set(name, [...(figures.get(name) ?? []), pairNs]);
  }
  const own = figures.get('poolbench tryAcquire, metrics on') ?? [];
  const toOwn = (measured: readonly number[]) => measured.map((ns, round) => ns / (own[round] ?? Number.NaN));
  report.title('Acquire and release, 50 idle connections, no sockets');
  report.table(
    ['pool', 'ns a pair', 'times tryAcquire with metrics on'],
    [...figures].map(([name, measured]) => [name, range(measured, 0), range(toOwn(measured), 1)]),
  );
};
