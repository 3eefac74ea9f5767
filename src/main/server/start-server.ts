import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { startEmbedded } from './embedded/start.ts';
import { type FoundBinary, findInPackage, findOnPath, type NotFound } from './find-server.ts';
import {
  type DeclaredServer,
  freePort,
  type StartableServer,
  type StartedServer,
  startable,
  startServer,
  supervise,
  threadArguments,
  untilItAnswers,
} from './server-process.ts';

/** A server that was started, and how. */
export interface Started {
  readonly server: StartedServer;
  /** For a reader: `binary /usr/bin/redis-server, started on 127.0.0.1:6379`. */
  readonly foundBy: string;
}

/** One way to have a server: returns it started, or throws the reason why not. */
interface Way {
  readonly name: string;
  readonly start: () => Promise<Started>;
}

/**
 * Tries, in this order, until one works: the declared server's binary on PATH, Docker image, distribution package; then,
 * if a stand-in is allowed, the same steps for the other servers, and at last the embedded one. For "any" each step is
 * tried for all servers before the next.
 * @param options.port the port to start on if it is free; without it, or where it is taken, a free one
 * @param options.threads threads to serve clients with, which the embedded server does not have; else its own default
 * @returns what was started, if anything, and for each way that led nowhere why
 */
export async function firstThatStarts(
  declared: DeclaredServer,
  options: {
    port: number | undefined;
    threads?: number | undefined;
    standInAllowed: boolean;
    say: (line: string) => void;
  },
): Promise<{ started: Started | undefined; tried: string[] }> {
  const { port, threads, say } = options;
  const docker = once(dockerMissing);
  const fromBinary = async (server: StartableServer, found: FoundBinary | NotFound): Promise<Started> => {
    if ('reason' in found) throw new Error(found.reason);
    const started = await startServer(server, found, { port, args: threadArguments(server, threads) });
    // The folder of an unpacked package is the user's own: it has no place in results that are passed on.
    const what = found.from === 'PATH' ? `binary ${found.path}` : 'distribution package, unpacked privately';
    return { server: started, foundBy: `${what}, started on ${started.host}:${started.port}` };
  };
  const steps = [
    (server: StartableServer): Way => ({
      name: `${server}: binary on PATH`,
      start: async () => fromBinary(server, await findOnPath(server)),
    }),
    (server: StartableServer): Way => ({
      name: `${server}: Docker image`,
      start: async () => {
        const missing = await docker();
        if (missing !== undefined) throw new Error(missing);
        const started = await startContainer(server, { port, threads, say });
        return {
          server: started,
          foundBy: `Docker image ${serverImage(server)}, started on ${started.host}:${started.port}`,
        };
      },
    }),
    (server: StartableServer): Way => ({
      name: `${server}: distribution package`,
      start: async () => fromBinary(server, await findInPackage(server, say)),
    }),
  ];
  const wanted = declared === 'any' ? startable : [declared];
  const others = startable.filter(server => !wanted.includes(server));
  const embedded: Way = {
    name: 'embedded server',
    start: async () => {
      const started = await startEmbedded(port === undefined ? {} : { port });
      return { server: started, foundBy: `embedded server, started on ${started.host}:${started.port}` };
    },
  };
  const ways = [
    ...steps.flatMap(step => wanted.map(step)),
    ...(options.standInAllowed ? [...steps.flatMap(step => others.map(step)), embedded] : []),
  ];

  const tried: string[] = [];
  for (const { name, start } of ways) {
    try {
      return { started: await start(), tried };
    } catch (error) {
      tried.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { started: undefined, tried };
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}

const images: Record<StartableServer, string> = {
  redis: 'redis:7',
  valkey: 'valkey/valkey:8',
  dragonfly: 'docker.dragonflydb.io/dragonflydb/dragonfly',
};

/** The image's own command, told to keep everything in memory. */
const commands: Record<StartableServer, readonly string[]> = {
  redis: ['redis-server', '--save', '', '--appendonly', 'no'],
  valkey: ['valkey-server', '--save', '', '--appendonly', 'no'],
  dragonfly: ['dragonfly', '--logtostderr', '--dbfilename=', '--version_check=false'],
};

/** Fetching an image is a matter of the network; an answer after that is one of seconds. */
const startTimeoutMs = 180_000;

/** The image that {@link startContainer} runs. */
export function serverImage(server: StartableServer): string {
  return images[server];
}

/** Why containers cannot be run here, or undefined where they can. */
export function dockerMissing(): Promise<string | undefined> {
  return new Promise(resolve => {
    const arguments_ = ['info', '--format', '{{.ServerVersion}}'];
    execFile('docker', arguments_, { timeout: 5000 }, (error, stdout, stderr) => {
      if (error === null && /^\d/.test(stdout.trim())) resolve(undefined);
      else if (error !== null && 'code' in error && error.code === 'ENOENT') resolve('no docker on PATH');
      else {
        const said = `${stderr}\n${stdout}`.split('\n').find(line => /cannot|error|denied/i.test(line));
        resolve(`no Docker engine answers${said === undefined ? '' : `: ${said.trim()}`}`);
      }
    });
  });
}

/**
 * Runs the server's image on a loopback port (`port` if it is free, else another), with `threads` threads to serve
 * clients if given, and waits until it answers PING.
 * @throws Error that says why it did not come up
 */
export async function startContainer(
  server: StartableServer,
  options: { port?: number | undefined; threads?: number | undefined; say: (line: string) => void },
): Promise<StartedServer> {
  const port = await freePort(options.port);
  const container = `poolbench-${server}-${randomBytes(4).toString('hex')}`;
  options.say(
    `starting Docker image ${images[server]} on 127.0.0.1:${port} (fetched first if it is not here yet)`,
  );
  const process = supervise(
    () => [
      ...['docker', 'run', '--rm', '--init', '--name', container, '-p', `127.0.0.1:${port}:6379`],
      images[server],
      ...commands[server],
      ...threadArguments(server, options.threads),
    ],
    { container },
  );
  try {
    await untilItAnswers(process, port, undefined, startTimeoutMs);
  } catch (error) {
    await process.stop();
    throw error;
  }
  return { host: '127.0.0.1', port, stop: () => process.stop() };
}
