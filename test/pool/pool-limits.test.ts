import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Connection } from '../../src/pool/connection.ts';
import { openPool } from '../../src/pool/pool.ts';
import { type Preset, presets } from '../../src/pool/presets.ts';
import { FakeConnection } from '../support/fake-connection.ts';

/** What can happen next: somebody asks, a connect ends well or badly, a holder releases, a connection dies, time passes. */
const action = fc.oneof(
  { weight: 5, arbitrary: fc.constant('acquire' as const) },
  { weight: 5, arbitrary: fc.constant('open' as const) },
  { weight: 1, arbitrary: fc.constant('refuse' as const) },
  { weight: 5, arbitrary: fc.constant('release' as const) },
  { weight: 1, arbitrary: fc.constant('kill' as const) },
  { weight: 1, arbitrary: fc.constant('turn' as const) },
);
const steps = fc.array(fc.tuple(action, fc.nat({ max: 20 })), { minLength: 1, maxLength: 60 });

/** A server that admits connects when the test says so, and counts what is open. */
class Server {
  readonly connects: { admit(): void; refuse(): void }[] = [];
  readonly connections: FakeConnection[] = [];
  most = 0;

  connect = (): Promise<Connection> =>
    new Promise((resolve, reject) => {
      this.connects.push({
        admit: () => {
          const connection = new FakeConnection();
          this.connections.push(connection);
          resolve(connection);
        },
        refuse: () => reject(new Error('refused')),
      });
      this.note();
    });

  /** Open connections and connects under way; a dead connection is none. */
  note(): void {
    this.most = Math.max(this.most, this.connects.length + this.open);
  }

  get open(): number {
    return this.connections.filter(connection => connection.alive).length;
  }
}

async function settle(): Promise<void> {
  // A check by `poll` takes a turn of the event loop, and a promise chain some of its own.
  for (let i = 0; i < 2; i++) await new Promise(resolve => setImmediate(resolve));
}

test.each(Object.keys(presets) as Preset[])('%s: under any interleaving', async preset => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat({ max: 4 }),
      steps,
      async (max, minIdle, steps) => {
        const server = new Server();
        const pool = openPool(
          {
            strategies: presets[preset],
            max,
            minIdle,
            probe: 'poll',
            healthTtlMs: 5,
            timeoutMs: 1000,
            connects: 'parallel',
            metrics: true,
          },
          server.connect,
        );
        const held: Connection[] = [];
        const wrong: string[] = [];
        let asked = 0;
        let answered = 0;
        pool.warm().catch(() => {});
        for (const [action, pick] of steps) {
          if (action === 'acquire') {
            asked++;
            const connection = pool.tryAcquire();
            const hold = (connection: Connection) => {
              answered++;
              if (preset !== 'shared' && held.includes(connection)) wrong.push('handed out twice');
              if (!connection.alive) wrong.push('handed out dead');
              held.push(connection);
            };
            if (connection !== undefined) hold(connection);
            else {
              pool.acquire().then(hold, () => {
                answered++;
              });
            }
          } else if (action === 'open') server.connects.shift()?.admit();
          else if (action === 'refuse') server.connects.shift()?.refuse();
          else if (action === 'release') {
            const [connection] = held.splice(pick % Math.max(1, held.length), 1);
            if (connection !== undefined) pool.release(connection);
          } else if (action === 'kill') {
            // Not on its way to a caller: after the pool’s last look, nobody can know.
            for (let i = 0; i < 20; i++) await undefined;
            server.connections[pick % Math.max(1, server.connections.length)]?.die();
          } else await settle();
          server.note();
          expect(pool.total).toBeLessThanOrEqual(max);
          // A shared connection that died goes with the first caller that releases it, whoever else still holds it.
          const holding = preset === 'shared' ? held.filter(({ alive }) => alive) : held;
          expect(pool.idle + new Set(holding).size).toBeLessThanOrEqual(max);
          expect(wrong).toEqual([]);
        }
        expect(server.most).toBeLessThanOrEqual(max);

        // Nobody is forgotten: once connects succeed and holders release, every caller gets an answer.
        const deadlineMs = performance.now() + 5000;
        while (answered < asked && performance.now() < deadlineMs) {
          for (const connection of held.splice(0)) pool.release(connection);
          server.connects.shift()?.admit();
          await settle();
        }
        expect(answered).toBe(asked);
        for (const connection of held.splice(0)) pool.release(connection);
        const closed = pool.close();
        while (server.connects.length > 0) server.connects.shift()?.admit();
        await closed;
        await settle();
        expect(server.open).toBe(0);
        expect(server.most).toBeLessThanOrEqual(max);
      },
    ),
    { numRuns: 60 },
  );
});
