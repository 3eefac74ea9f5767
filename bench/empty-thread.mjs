import { setTimeout as sleep } from 'node:timers/promises';

/** A thread that does nothing: Node's own share of a thread's memory. Counts itself in flag 0, ends when flag 1 is set. */
export default async buffer => {
  const flags = new Int32Array(buffer);
  Atomics.add(flags, 0, 1);
  while (Atomics.load(flags, 1) === 0) await sleep(20);
};
