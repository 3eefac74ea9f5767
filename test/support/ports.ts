import { freePort } from '../../src/main/server/server-process.ts';

const portsOfWorker = 1000;
/** Below all ports that systems choose themselves. Each worker of vitest has its own range. */
const firstPort = 11_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 20) * portsOfWorker;
/** At random, so that two runs of the tests on one machine rarely meet. */
let next = Math.floor(Math.random() * portsOfWorker);

/**
 * A port on which nothing listens, and that nobody else takes: neither before the test uses it, nor after the test has given
 * it up and before it takes it again. What `freePort` finds is anybody's.
 */
export async function ownPort(): Promise<number> {
  for (;;) {
    const port = firstPort + (next++ % portsOfWorker);
    if ((await freePort(port)) === port) return port;
  }
}
