import { freePort } from '../../src/main/server/server-process.ts';

const portsOfWorker = 1000;
/** Below all ports that systems give to whoever asks for any, and other ones for each worker of vitest. */
const firstPort = 11_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 20) * portsOfWorker;
/** Another run of the tests on this machine is elsewhere among them. */
let next = Math.floor(Math.random() * portsOfWorker);

/**
 * A port on which nothing listens, and that nobody else takes: neither before it is used, nor while a test has given it up
 * to take it again.
 */
export async function ownPort(): Promise<number> {
  for (;;) {
    const port = firstPort + (next++ % portsOfWorker);
    if ((await freePort(port)) === port) return port;
  }
}
