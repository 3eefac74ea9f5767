import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

interface Terminal {
  /** All it was sent so far. */
  readonly shown: () => string;
  /** Resolves once it was sent `text`; rejects if the command ends before. */
  said(text: string): Promise<void>;
  press(keys: string): void;
  /** The exit code of the command. */
  readonly ended: Promise<number | null>;
}

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs the compiled command line on a terminal (a pty, by util-linux's script), whatever the tests run on. */
export function runOnTerminal(args: readonly string[], { columns, rows, env }: TerminalOptions): Terminal {
  const quoted = [process.execPath, cli, ...args].map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const command = `stty cols ${columns} rows ${rows}; exec ${quoted}`;
  const { CI, NO_COLOR, FORCE_COLOR, ...inherited } = process.env;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...inherited, TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    shown: () => shown,
    press: keys => void child.stdin.write(keys),
    ended,
    async said(text) {
      let over = false;
      void ended.then(() => {
        over = true;
      });
      while (!shown.includes(text)) {
        if (over) throw new Error(`ended before it said "${text}":\n${shown}`);
        await Promise.race([once(child.stdout, 'data'), ended]);
      }
    },
  };
}
