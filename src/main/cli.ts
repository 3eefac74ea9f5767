#!/usr/bin/env node
import { toPlainLines } from '../aggregate/text/format.ts';
import { PoolError } from '../pool/errors.ts';
import { describeTool } from './environment.ts';
import { asShortage, PoolbenchError } from './errors.ts';
import { minOpenFiles, openFilesLimit } from './open-files.ts';
import { withoutPassword } from './server/url.ts';

/** Resolves to the exit code. */
async function main(args: readonly string[]): Promise<number> {
  hidePasswords(args);
  if (args.includes('--version')) {
    process.stdout.write(`${describeTool().version}\n`);
    return 0;
  }
  const limit = openFilesLimit();
  if (limit < minOpenFiles) {
    throw new PoolbenchError(
      'TARGET_TOO_SMALL',
      `expected to be allowed to open at least ${minOpenFiles} files, found a limit of ${limit}; raise it (ulimit -n)`,
    );
  }
  // Loaded after the check: Node opens the files of many modules at once.
  const { parseCommandLine } = await import('./cli/command-line.ts');
  const line = parseCommandLine(args);
  if ('run' in line) return await line.run();
  const { renderHelp } = await import('./cli/help.ts');
  process.stdout.write(renderHelp());
  return 0;
}

/**
 * Hides passwords in URLs from the system's list of processes. They were visible until now, and the program that started
 * this process may still show them: passwords belong in a config.
 */
function hidePasswords(args: readonly string[]): void {
  const shown = args.map(hidden);
  if (shown.every((word, index) => word === args[index])) return;
  process.title = ['poolbench', ...shown].join(' ');
}

/** A word without the password of the URL that it is or ends with, as in `--url=redis://…`. */
function hidden(word: string): string {
  const [, before = '', url] = /^(.*?)([a-z][a-z0-9+.-]*:\/\/.*)$/is.exec(word) ?? [];
  return url === undefined ? word : before + withoutPassword(url);
}

// A reader such as `head` closes the pipe when it has seen enough. That must not end a run in the middle, with its keys
// left on the server and its results not written.
// Nor does a full disk below the output: what was measured is written elsewhere.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', error => {
    if ('code' in error && (error.code === 'EPIPE' || error.code === 'EIO')) return;
    const shortage = asShortage(error);
    if (shortage === undefined) throw error;
    if (stream === process.stdout) unprinted = shortage;
  });
}

/** Why the output could not be printed. */
let unprinted: PoolbenchError | undefined;

/** Prints the error. @returns the exit code */
function report(error: unknown): number {
  const known = error instanceof PoolbenchError ? error : asShortage(error);
  if (known !== undefined) {
    // A message may quote a file or a server.
    process.stderr.write(`poolbench: ${toPlainLines(known.message)}\n`);
    return known.exitCode;
  }
  // Only the stack: other properties of an error may hold a command with a password.
  const stack = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`poolbench: this is a defect, please report it: ${toPlainLines(stack ?? '')}\n`);
  return 1;
}

// Exit, as that stops the servers that were started here.
process.on('uncaughtException', error => process.exit(report(error)));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = report(error);
  // What it has opened and cannot close would keep the process alive.
  if (error instanceof PoolbenchError && error.cause instanceof PoolError) process.exit();
}

// The stream reports its error in a later turn.
process.on('beforeExit', () => {
  if (unprinted === undefined) return;
  const code = report(
    new PoolbenchError(unprinted.code, `the output could not be printed: ${unprinted.message}`),
  );
  unprinted = undefined;
  process.exitCode ||= code;
});
