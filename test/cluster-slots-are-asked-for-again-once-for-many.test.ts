import { expect, test } from 'vitest';
import type { Address } from '../src/pool/client/address.ts';
import type { SlotRange } from '../src/pool/client/cluster/slot-ranges.ts';
import { Topology } from '../src/pool/client/cluster/topology.ts';
import { loopback, rejection, until } from './support/connections.ts';

const place = (port: number) => ({ host: '127.0.0.1', port });
const all = (port: number, replicas: readonly number[] = []): SlotRange[] => [
  { first: 0, last: 16383, master: place(port), replicas: replicas.map(place) },
];

/** A topology whose nodes answer as `answer` says now, and whom it has asked. */
function topologyOf(
  answer: (port: number) => SlotRange[],
  ...seeds: number[]
): { topology: Topology; asked: number[] } {
  const asked: number[] = [];
  const ask = async ({ port }: Address) => {
    asked.push(port);
    return answer(port);
  };
  return {
    topology: new Topology(
      seeds.map(port => loopback(port)),
      ask,
    ),
    asked,
  };
}

const portOf = (topology: Topology, slot: number) => topology.node(topology.owner(slot)).port;

test('a MOVED corrects its slot at once, and many together have the table asked for once', async () => {
  let master = 1;
  const { topology, asked } = topologyOf(() => all(master), 1);
  await topology.load();
  expect(portOf(topology, 5)).toBe(1);
  master = 2;
  for (let slot = 0; slot < 100; slot++) {
    topology.moved(slot, topology.indexOf(place(2)));
    expect(portOf(topology, slot)).toBe(2);
  }
  expect(portOf(topology, 200)).toBe(1);
  await until(() => portOf(topology, 200) === 2);
  expect(asked).toEqual([1, 1]);
});

test('what is told while the table is asked for has it asked for again, later', async () => {
  let asks = 0;
  const startsMs: number[] = [];
  const { topology } = topologyOf(() => {
    startsMs.push(performance.now());
    // Every answer is out of date when it comes, for a while.
    if (++asks < 4) topology.suspect();
    return all(asks);
  }, 1);
  await topology.load();
  await until(() => asks === 4);
  // Timers may come a millisecond early.
  for (const [index, startMs] of startsMs.slice(1).entries())
    expect(startMs - (startsMs[index] ?? 0)).toBeGreaterThan(95);
});

test('a node that does not tell is passed over, a replica is asked, too', async () => {
  const gone = new Set<number>();
  const { topology, asked } = topologyOf(
    port => {
      if (gone.has(port)) throw new Error(`${port} is gone`);
      return gone.has(1) ? all(3) : all(1, [3]);
    },
    9,
    1,
  );
  gone.add(9);
  await topology.load();
  expect([portOf(topology, 0), asked]).toEqual([1, [9, 1]]);
  gone.add(1);
  topology.suspect();
  await until(() => portOf(topology, 0) === 3);
  expect(asked).toEqual([9, 1, 1, 3]);
});

test('the first table that nobody tells is the reason of the last one asked, and is asked for anew', async () => {
  let told = false;
  const { topology } = topologyOf(
    port => {
      if (!told) throw new Error(`${port} is gone`);
      return all(port);
    },
    1,
    2,
  );
  expect(await rejection(topology.load())).toMatchObject({ message: '2 is gone' });
  told = true;
  await topology.load();
  expect(topology.masters().map(index => topology.node(index).port)).toEqual([1]);
});

test('a slot that nobody serves is asked of any node, and a node that serves none tells nothing', async () => {
  const { topology } = topologyOf(
    port => (port === 1 ? [] : all(2).map(range => ({ ...range, last: 99 }))),
    1,
    2,
  );
  await topology.load();
  expect(portOf(topology, 16383)).toBe(2);
});
