import { freePort } from './free-port.ts';
import { rawProbe } from './raw-probe.ts';
import { type Supervised, supervise } from './supervised.ts';

/** Servers that poolbench can start. */
export const startable = ['redis', 'valkey', 'dragonfly'] as const;
export type StartableServer = (typeof startable)[number];

/** What a config can declare: one of them, or whatever answers. */
export const declarable = [...startable, 'any'] as const;
export type DeclaredServer = (typeof declarable)[number];

/** A server that we started, and stop. */
export interface StartedServer {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface ServerBinary {
  readonly path: string;
  /** What it needs beside our own environment, such as LD_LIBRARY_PATH. */
  readonly env: NodeJS.ProcessEnv;
}

const startTimeoutMs = 15_000;

/**
 * Starts a server binary on loopback, in memory only, in a private folder, and waits until it answers PING.
 * @param options.port taken if it is free, else a free one
 * @param options.args more of the server's own arguments, after ours
 * @throws Error that says why it did not come up, with the server's last words
 */
export async function startServer(
  server: StartableServer,
  binary: ServerBinary,
  options: { port?: number | undefined; args?: readonly string[] } = {},
): Promise<StartedServer> {
  const port = await freePort(options.port);
  const process = supervise(
    directory => [binary.path, ...serverArguments(server, port, directory), ...(options.args ?? [])],
    { env: binary.env },
  );
  try {
    await untilItAnswers(process, port, process.directory);
  } catch (error) {
    await process.stop();
    throw error;
  }
  return { host: '127.0.0.1', port, stop: () => process.stop() };
}

/** Tells a server how many threads to serve clients with; nothing where it is to keep its own default. */
export function threadArguments(server: StartableServer, threads: number | undefined): string[] {
  if (threads === undefined) return [];
  return server === 'dragonfly' ? [`--proactor_threads=${threads}`] : ['--io-threads', String(threads)];
}

function serverArguments(server: StartableServer, port: number, directory: string): string[] {
  if (server === 'dragonfly') {
    return [
      '--bind=127.0.0.1',
      `--port=${port}`,
      `--dir=${directory}`,
      '--dbfilename=',
      '--version_check=false',
      '--logtostderr',
    ];
  }
  return [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', directory],
    ...['--save', '', '--appendonly', 'no', '--daemonize', 'no', '--protected-mode', 'yes'],
  ];
}

/**
 * Waits until the process answers PING at the port.
 * @param directory where the server must say that it works (CONFIG GET dir): another server could have taken the port
 *   in the meantime, of which ours only tells by ending. Undefined skips that, for a container.
 * @throws Error with its last words when it ended, or did not answer in time
 */
export async function untilItAnswers(
  process: Supervised,
  port: number,
  directory: string | undefined,
  timeoutMs: number = startTimeoutMs,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const { heard } = await rawProbe(
      { host: '127.0.0.1', port, tls: false, database: 0 },
      { request: 'PING\r\nCONFIG GET dir\r\nQUIT\r\n', timeoutMs: 1000 },
    );
    if (!process.running()) throw new Error(`it ended at once: ${process.lastWords() || 'without a word'}`);
    // NOAUTH: a server that was told to want a password is up, too.
    const up = heard !== undefined && /^(\+PONG|-NOAUTH)/.test(heard);
    const ours = directory === undefined || heard?.includes(directory) || heard?.startsWith('-NOAUTH');
    if (up && ours) return;
    await new Promise(resolve => setTimeout(resolve, 15));
  }
  throw new Error(
    `it did not answer PING on port ${port} within ${timeoutMs / 1000} s: ${process.lastWords() || 'it wrote nothing'}`,
  );
}
