import { spawn, spawnSync } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, realpathSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs "$@" until it ends or the pipe on its standard input closes, which it does however poolbench ends, kill -9
 * included. `$1` is the folder to remove afterwards, `$2` a container to remove, or empty. The signal goes to the whole
 * process group, for a command that is a script around the server.
 */
const supervisor = `
directory=$1; container=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
command=$!
trap '' TERM
{
  cat <&3 >/dev/null
  kill -TERM 0
  tenths=0
  while kill -0 "$command" && [ "$tenths" -lt 50 ]; do sleep 0.1; tenths=$((tenths + 1)); done
  kill -KILL "$command"
} 2>/dev/null &
watcher=$!
exec 3<&- </dev/null
wait "$command"
code=$?
kill -KILL "$watcher" 2>/dev/null
[ -z "$container" ] || docker rm -f "$container" >/dev/null 2>&1
rm -rf "$directory"
exit "$code"
`;

/** A process that cannot outlive us. */
export interface Supervised {
  /** A private folder of its own, removed with it. */
  readonly directory: string;
  /** Whether it still runs. */
  running(): boolean;
  /** The last lines it wrote, for an error message. */
  lastWords(): string;
  /** Stops it and waits until it has ended. May be called again. */
  stop(): Promise<void>;
}

/** What runs now, for the last resort: to be killed when this process exits. */
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
  // Read through this descriptor: the supervisor removes the folder before we learn that the command has ended.
  const output = openSync(join(directory, 'output.log'), 'a+');
  const { container } = options;
  const child = spawn(
    'sh',
    ['-c', supervisor, 'poolbench', directory, container ?? '', ...command(directory)],
    {
      cwd: directory,
      detached: true,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', output, output],
    },
  );
  const { stdin } = child;

  let ended = false;
  let words = '';
  const lastWords = (): string => {
    if (!ended) words = readEnd(output);
    return words;
  };
  const killNow = (): void => {
    if (container !== undefined)
      spawnSync('docker', ['rm', '-f', container], { stdio: 'ignore', timeout: 10_000 });
    killGroup(child.pid);
    rmSync(directory, { recursive: true, force: true });
  };
  const end = new Promise<void>(resolve => {
    const finished = (): void => {
      if (ended) return;
      words = readEnd(output);
      closeSync(output);
      ended = true;
      running.delete(killNow);
      stdin?.destroy();
      resolve();
    };
    child.once('exit', finished);
    child.once('error', finished);
  });
  stdin?.on('error', () => {});
  // Neither the child nor its pipe keeps a finished run from exiting; the exit hook then ends it.
  child.unref();
  if (stdin instanceof Socket) stdin.unref();
  running.add(killNow);

  return {
    directory,
    running: () => !ended,
    lastWords,
    async stop() {
      if (ended) return;
      child.ref();
      stdin?.end();
      const late = setTimeout(() => killGroup(child.pid), 8000);
      await end;
      clearTimeout(late);
      rmSync(directory, { recursive: true, force: true });
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
