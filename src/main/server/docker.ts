import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  freePort,
  type StartableServer,
  type StartedServer,
  supervise,
  threadArguments,
  untilItAnswers,
} from './server-process.ts';

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
