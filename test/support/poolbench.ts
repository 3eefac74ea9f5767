import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const cli = new URL('../../dist/main/cli.js', import.meta.url);

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Added to the environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** In a process of its own, for what only a process can show: how it takes signals, and what it leaves behind. */
  readonly ownProcess?: boolean;
  /** Told everything it has written so far, each time it writes; may send it signals: SIGKILL only to a process. */
  readonly onOutput?: (output: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/**
 * Runs the compiled command line to its end: in this process, where all that it imports is loaded already, unless the
 * test wants a process, has something to say to Node as it starts, or has another run going on here.
 */
export function runPoolbench(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { env = {}, ownProcess = Object.keys(env).some(name => name.startsWith('NODE_')) } = options;
  return ownProcess ? spawnProgram(cli, args, options) : runProgram(cli, args, options);
}

/** Runs a program in this process, or in one of its own while another runs here. */
export function runProgram(
  program: URL,
  args: readonly string[],
  options: Omit<RunOptions, 'ownProcess'> = {},
): Promise<Outcome> {
  return runsHere ? spawnProgram(program, args, options) : runHere(program, args, options);
}

/** Runs a program in a process of its own. */
function spawnProgram(
  program: URL,
  args: readonly string[],
  options: Omit<RunOptions, 'ownProcess'> = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(program), ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        options.onOutput?.(output.stdout + output.stderr, signal => child.kill(signal));
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

let runsHere = false;

/** Evaluates a program in this process, as if it had been started with these arguments. */
async function runHere(program: URL, args: readonly string[], options: RunOptions): Promise<Outcome> {
  runsHere = true;
  const output = { stdout: '', stderr: '' };
  const restore = pretend(fileURLToPath(program), args, options, output);
  try {
    // With another query it is another module, and evaluated anew; what it imports is not.
    await import(/* @vite-ignore */ `${program.href}?run=${randomUUID()}`);
    return { code: Number(process.exitCode), signal: null, ...output };
  } finally {
    restore();
    runsHere = false;
  }
}

const listened = ['uncaughtException', 'beforeExit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP'] as const;

/** Makes this process look like one of the program's own. @returns what takes it back */
function pretend(
  program: string,
  args: readonly string[],
  { env = {}, cwd, onOutput }: RunOptions,
  output: { stdout: string; stderr: string },
): () => void {
  const { argv, exitCode, title } = process;
  const folder = process.cwd();
  const listeners = listened.map(event => [event, process.rawListeners(event)] as const);
  const streams = (['stdout', 'stderr'] as const).map(name => {
    const stream = process[name];
    return { stream, write: stream.write, errors: stream.rawListeners('error'), name };
  });
  const before = Object.keys(env).map(name => [name, process.env[name]] as const);

  let over = false;
  const send = (signal: NodeJS.Signals) => {
    if (over) return;
    const known = listeners.find(([event]) => event === signal)?.[1];
    const heard = process.rawListeners(signal).filter(listener => !known?.includes(listener));
    if (known === undefined || heard.length === 0)
      throw new Error(`only a process of its own takes ${signal}`);
    setImmediate(() => {
      for (const listener of heard) listener.call(process, signal);
    });
  };

  process.argv = [process.execPath, program, ...args];
  process.exitCode = 0;
  setEnv(Object.entries(env));
  if (cwd !== undefined) process.chdir(cwd);
  for (const { stream, name } of streams) {
    stream.write = (text: string | Uint8Array) => {
      output[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
      onOutput?.(output.stdout + output.stderr, send);
      return true;
    };
  }
  return () => {
    over = true;
    for (const { stream, write, errors } of streams) {
      stream.write = write;
      removeNew(stream, 'error', errors);
    }
    for (const [event, known] of listeners) removeNew(process, event, known);
    process.chdir(folder);
    setEnv(before);
    process.title = title;
    process.argv = argv;
    process.exitCode = exitCode;
  };
}

function setEnv(variables: readonly (readonly [name: string, value: string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

function removeNew(emitter: NodeJS.EventEmitter, event: string, known: readonly unknown[]): void {
  for (const listener of emitter.rawListeners(event)) {
    if (!known.includes(listener)) emitter.off(event, listener as () => void);
  }
}
