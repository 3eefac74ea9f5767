import { spawn, spawnSync } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, realpathSync, rmSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorReply } from '../../pool/client/resp-values.ts';
import { loopbackAddress } from '../local-addresses.ts';
import { rawProbe } from './raw-probe.ts';
import { type StartableServer, serverFacts } from './servers.ts';

/** A server that poolbench started and will stop. */
export interface StartedServer {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface Program {
  readonly path: string;
  /** Additional environment variables, such as LD_LIBRARY_PATH. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Starts a server binary on loopback, in memory only, in a private folder, and waits until it answers PING.
 * @param options.port taken if it is free, else a free one
 * @param options.args more of the server's own arguments, after ours
 * @throws Error that says why it did not start, with the last lines of its output
 */
export async function startServer(
  server: StartableServer,
  { path, env }: Program,
  options: { port?: number | undefined; args?: readonly string[] } = {},
): Promise<StartedServer> {
  const { listen, inMemory } = serverFacts(server);
  const port = await freePort(options.port);
  const command = (directory: string) => [
    path,
    ...listen({ host: loopbackAddress(), port, directory }),
    ...inMemory,
    ...(options.args ?? []),
  ];
  return startSupervised(command, { port, env, checksFolder: true });
}

/**
 * Starts a command that serves on a loopback port, under supervision, and waits until it answers PING.
 * @param command builds the command from its private folder
 * @param options.checksFolder whether the server must name that folder (CONFIG GET dir): another server could have
 *   taken the port in the meantime, and then ours ends
 * @param options.container the name of the container that the command runs
 * @throws Error that says why it did not start, with the last lines of its output
 */
export async function startSupervised(
  command: (directory: string) => readonly string[],
  options: {
    port: number;
    env?: NodeJS.ProcessEnv;
    checksFolder?: boolean;
    container?: string;
    timeoutMs?: number;
  },
): Promise<StartedServer> {
  const { port, checksFolder = false, timeoutMs = 15_000 } = options;
  const process = supervise(command, options);
  try {
    await untilItAnswers(process, port, checksFolder ? process.directory : undefined, timeoutMs);
  } catch (error) {
    await process.stop();
    throw error;
  }
  return { host: loopbackAddress(), port, stop: () => process.stop() };
}

async function untilItAnswers(
  process: Supervised,
  port: number,
  directory: string | undefined,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const { replies } = await rawProbe(
      { host: loopbackAddress(), port, tls: false, database: 0 },
      { request: 'PING\r\nCONFIG GET dir\r\nQUIT\r\n', timeoutMs: 1000 },
    );
    if (!process.running()) throw new Error(`it ended at once: ${process.lastWords() || 'without output'}`);
    const [pong, config] = replies;
    // A server that requires a password is also up.
    const locked = pong instanceof ErrorReply && pong.message.startsWith('NOAUTH');
    const ours = directory === undefined || (Array.isArray(config) && config.includes(directory));
    if (locked || (pong === 'PONG' && ours)) return;
    await sleep(15);
  }
  throw new Error(
    `it did not answer PING on port ${port} within ${timeoutMs / 1000} s: ${process.lastWords() || 'it wrote nothing'}`,
  );
}

/**
 * Runs "$@" until it ends. On standard input, the first line means TERM, the second one KILL. If the pipe closes, which it
 * does however poolbench ends, kill -9 included, both follow without these lines. `$1` is the folder, which it also removes
 * unless poolbench does; `$2` is a container to remove, or empty. TERM goes to the whole process group, for a command that
 * is a script around the server. While poolbench lives, only built-ins are needed: tests start hundreds of servers. Marks are
 * made with `true`: a special built-in such as `:` would end the shell if the folder is gone.
 */
const supervisor = `
directory=$1; container=$2; shift 2
clean() { [ -z "$container" ] || docker rm -f "$container" >/dev/null 2>&1; }
exec 3<&0
"$@" </dev/null 3<&- &
command=$!
trap '' TERM
{
  orphaned=
  if read -r line <&3; then true >told; else orphaned=yes; true >orphaned; fi
  kill -TERM 0
  read -r line <&3 || {
    orphaned=yes
    true >orphaned
    tenths=0
    while kill -0 "$command" && [ "$tenths" -lt 50 ]; do sleep 0.1; tenths=$((tenths + 1)); done
  }
  kill -KILL "$command"
  # Only if the shell that waits for the command was killed.
  [ -z "$orphaned" ] || { sleep 0.5; clean; rm -rf "$directory"; }
} 2>/dev/null &
watcher=$!
exec 3<&- </dev/null
wait "$command"
code=$?
kill -KILL "$watcher" 2>/dev/null
clean
{ [ -e told ] && [ ! -e orphaned ] && kill -0 "$PPID" 2>/dev/null; } || rm -rf "$directory"
exit "$code"
`;

/** From TERM to KILL. */
const graceMs = 5000;
/** From TERM to the end of everything that runs there. */
const maxStopMs = 8000;

/** A process that cannot outlive poolbench. */
interface Supervised {
  /** A private folder of its own, removed with it. */
  readonly directory: string;
  /** Whether it still runs. */
  running(): boolean;
  /** The last lines it wrote, for an error message. */
  lastWords(): string;
  /** Stops it and waits until it has ended. May be called again. */
  stop(): Promise<void>;
}

/** Running processes, to be killed as a last resort when this process exits. */
const running = new Set<() => void>();
process.on('exit', () => {
  for (const kill of running) kill();
});

/**
 * Starts a command under a small shell that ends it when poolbench ends. It runs in a session of its own, so that the
 * terminal's Ctrl-C does not reach it before the load has drained.
 * @param command builds the command from its private folder
 */
export function supervise(
  command: (directory: string) => readonly string[],
  options: { env?: NodeJS.ProcessEnv; container?: string } = {},
): Supervised {
  // The real path: servers answer CONFIG GET dir with it.
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'poolbench-')));
  const output = openSync(join(directory, 'output.log'), 'a+');
  const { container = '' } = options;
  const child = spawn('sh', ['-c', supervisor, 'poolbench', directory, container, ...command(directory)], {
    cwd: directory,
    detached: true,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', output, output],
  });
  const { stdin } = child;

  let ended = false;
  let stopping: Promise<void> | undefined;
  let lastWords = '';
  const removeFolder = (): void => {
    try {
      // A process that is being killed may still make a file in it.
      rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
    } catch {
      // A temporary folder that stays is no reason to end a run.
    }
  };
  const killNow = (): void => {
    if (container !== '') spawnSync('docker', ['rm', '-f', container], { stdio: 'ignore', timeout: 10_000 });
    killGroup(child.pid);
    removeFolder();
  };
  const end = new Promise<void>(resolve => {
    const finished = (isShellKilled: boolean): void => {
      if (ended) return;
      // What it ran would live on.
      if (isShellKilled) killNow();
      lastWords = readEnd(output);
      closeSync(output);
      ended = true;
      running.delete(killNow);
      stdin?.destroy();
      removeFolder();
      resolve();
    };
    child.once('exit', (_, signal) => finished(signal !== null));
    child.once('error', () => finished(false));
  });
  stdin?.on('error', () => {});
  // Neither the child nor its pipe keeps a finished run from exiting; the exit hook then ends it.
  child.unref();
  if (stdin instanceof Socket) stdin.unref();
  running.add(killNow);

  const stop = async (): Promise<void> => {
    if (ended) return;
    child.ref();
    stdin?.write('\n');
    const kill = setTimeout(() => stdin?.write('\n'), graceMs);
    const late = setTimeout(() => killGroup(child.pid), maxStopMs);
    await end;
    clearTimeout(kill);
    clearTimeout(late);
  };

  return {
    directory,
    running: () => !ended,
    lastWords: () => (ended ? lastWords : readEnd(output)),
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

function readEnd(file: number): string {
  const bytes = Buffer.alloc(4096);
  const start = Math.max(0, fstatSync(file).size - bytes.length);
  const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
  return text.trim().split('\n').slice(-3).join('; ').slice(-400);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

/** A port that is free on loopback at this moment: `wanted` if it is, else one of the system's choice. */
export function freePort(wanted = 0): Promise<number> {
  return bind(wanted).catch(() => bind(0));
}

function bind(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, loopbackAddress(), () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The path of a program on PATH, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
