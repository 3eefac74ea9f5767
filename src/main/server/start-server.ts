import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { shownNode } from '../../pool/client/address.ts';
import { firstLine } from '../errors.ts';
import { loopbackAddress } from '../local-addresses.ts';
import { startEmbedded } from './embedded/start.ts';
import { type FoundBinary, findOnPath, findUnpacked, type NotFound } from './find-server.ts';
import { freePort, type StartedServer, startServer, startSupervised } from './server-process.ts';
import {
  type DeclaredServer,
  type StartableServer,
  serverFacts,
  startable,
  threadArguments,
} from './servers.ts';

/** A server that was started, and how. */
export interface Started {
  readonly server: StartedServer;
  /** As text: `binary /usr/bin/redis-server, started on 127.0.0.1:6379`. */
  readonly foundBy: string;
}

interface StartOptions {
  /** The port to start on if it is free; without it, or if it is taken, a free one. */
  readonly port: number | undefined;
  /** Threads that serve clients, which the embedded server does not have; without it the server's default. */
  readonly threads?: number | undefined;
  readonly standInAllowed: boolean;
  readonly say: (line: string) => void;
}

/** One way to get a running server. `start` throws the reason why it fails. */
interface Way {
  /** Absent for the embedded server. */
  readonly server?: StartableServer;
  readonly step: string;
  readonly start: () => Promise<{ readonly server: StartedServer; readonly what: string }>;
}

/**
 * Tries, in this order, until one works: the declared server's binary on PATH, Docker image, distribution package or
 * release archive; then, if a stand-in is allowed, the same steps for the other servers, and at last the embedded one. For
 * "any" each step is tried for all servers before the next.
 *
 * @returns what was started, if anything, and why each way before it failed, as lines
 */
export async function firstThatStarts(
  declared: DeclaredServer,
  options: StartOptions,
): Promise<{ started: Started | undefined; tried: string[] }> {
  const wanted = declared === 'any' ? startable : [declared];
  const others = startable.filter(server => !wanted.includes(server));
  const waysTo = waysToStart(options);
  const embedded: Way = {
    step: 'embedded server',
    start: async () => ({ what: 'embedded server', server: await startEmbedded(options) }),
  };
  const ways = [...waysTo(wanted), ...(options.standInAllowed ? [...waysTo(others), embedded] : [])];
  /** The servers for which a step failed for the same reason. */
  const failed = new Map<string, StartableServer[]>();
  const tried = () =>
    [...failed].map(([why, servers]) => (servers.length === 0 ? why : `${servers.join(', ')}: ${why}`));
  for (const { server: kind, step, start } of ways) {
    try {
      const { server, what } = await start();
      const foundBy = `${what}, started on ${shownNode(server)}`;
      options.say(kind === undefined ? foundBy : `${kind}: ${foundBy}`);
      return { started: { server, foundBy }, tried: tried() };
    } catch (error) {
      const why = `${step}: ${firstLine(error)}`;
      failed.set(why, [...(failed.get(why) ?? []), ...(kind === undefined ? [] : [kind])]);
    }
  }
  return { started: undefined, tried: tried() };
}

/** @returns each step for every server before the next step */
function waysToStart({ port, threads, say }: StartOptions): (servers: readonly StartableServer[]) => Way[] {
  let engine: Promise<string | undefined> | undefined;
  const startBinary = async (server: StartableServer, found: FoundBinary | NotFound) => {
    if ('reason' in found) throw new Error(found.reason);
    const started = await startServer(server, found, { port, args: threadArguments(server, threads) });
    // The folder of an unpacked package belongs to the user, and does not belong in results that are passed on.
    const what = found.from === 'PATH' ? `binary ${found.path}` : `${found.from}, unpacked privately`;
    return { server: started, what };
  };
  const steps: readonly ((server: StartableServer) => Way)[] = [
    server => ({
      server,
      step: 'binary on PATH',
      start: async () => startBinary(server, await findOnPath(server)),
    }),
    server => ({
      server,
      step: 'Docker image',
      async start() {
        engine ??= dockerMissing();
        const missing = await engine;
        if (missing !== undefined) throw new Error(missing);
        const what = `Docker image ${serverFacts(server).image}`;
        return { what, server: await startContainer(server, { port, threads, say }) };
      },
    }),
    server => ({
      server,
      step: serverFacts(server).unpacked.from,
      start: async () => startBinary(server, await findUnpacked(server, say)),
    }),
  ];
  return servers => steps.flatMap(step => servers.map(step));
}

/** Why containers cannot be run here; undefined if they can. */
function dockerMissing(): Promise<string | undefined> {
  return new Promise(resolve => {
    const arguments_ = ['info', '--format', '{{.ServerVersion}}'];
    execFile('docker', arguments_, { timeout: 5000 }, (error, stdout, stderr) => {
      if (error === null && /^\d/.test(stdout.trim())) resolve(undefined);
      else if (error !== null && 'code' in error && error.code === 'ENOENT') resolve('no docker on PATH');
      else {
        const reason = `${stderr}\n${stdout}`.split('\n').find(line => /cannot|error|denied/i.test(line));
        // Docker's own advice follows its first sentence.
        resolve(
          `no Docker engine answers${reason === undefined ? '' : `: ${reason.trim().split('. ', 1)[0]}`}`,
        );
      }
    });
  });
}

/**
 * Runs the server's image on a loopback port, told to keep everything in memory, and waits until it answers PING.
 * @throws Error that says why it did not start
 */
async function startContainer(
  server: StartableServer,
  { threads, say, ...options }: Omit<StartOptions, 'standInAllowed'>,
): Promise<StartedServer> {
  const { image, program, inMemory } = serverFacts(server);
  const port = await freePort(options.port);
  const container = `poolbench-${server}-${randomBytes(4).toString('hex')}`;
  const place = shownNode({ host: loopbackAddress(), port });
  say(`starting Docker image ${image} on ${place} (fetched first if it is not here yet)`);
  const command = [
    ...['docker', 'run', '--rm', '--init', '--name', container, '-p', `${place}:6379`],
    ...[image, program, ...inMemory, ...threadArguments(server, threads)],
  ];
  // Time for the network to deliver the image.
  return startSupervised(() => command, { port, container, timeoutMs: 180_000 });
}
