#!/usr/bin/env node
import { toPlainLines } from '../aggregate/text/format.ts';
import { parseCommandLine } from './cli/parse-command-line.ts';
import { usage } from './cli/usage.ts';
import { PoolbenchError } from './errors.ts';
import { describeTool } from './run/environment.ts';
import { withoutPassword } from './server/url.ts';

/** Every command resolves to its exit code, and is loaded when it is asked for: all of them take half a second. */
async function main(args: readonly string[]): Promise<number> {
  hidePasswords(args);
  const line = parseCommandLine(args);
  switch (line.command) {
    case 'run':
      return await (await import('./cli/run.ts')).run(line.path, line.options);
    case 'resume':
      return await (await import('./cli/run.ts')).resume(line.folder, line.options);
    case 'check':
      return await (await import('./cli/check.ts')).check(line.path, line.options);
    case 'versus':
      return await (await import('./cli/run.ts')).versus(line.paths, line.options);
    case 'claims':
      return await (await import('./cli/claims.ts')).claims(line.target, line.options);
    case 'search':
      return await (await import('./cli/search.ts')).search(line.path, line.options);
    case 'compare':
      return await (await import('./cli/compare.ts')).compare(line.paths, line.options);
    case 'report':
      return await (await import('./cli/report.ts')).report(line.path, line.options);
    case 'help':
      process.stdout.write(usage);
      return 0;
    case 'version':
      process.stdout.write(`${describeTool().version}\n`);
      return 0;
  }
}

/**
 * Takes passwords in URLs off the command line that the system's list of processes shows. They were there for the moment
 * until now, and whatever started this process may go on showing them: a config is the place for a password.
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

// A reader that has seen enough, such as `head`, closes the pipe: that is no failure of ours, and no reason to end in
// the middle of a run, with its keys left on the server and its results not written.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', error => {
    if (!('code' in error && (error.code === 'EPIPE' || error.code === 'EIO'))) throw error;
  });
}

/** Says what was wrong, and returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof PoolbenchError) {
    // A message may quote a file or a server.
    process.stderr.write(`poolbench: ${toPlainLines(error.message)}\n`);
    return error.exitCode;
  }
  // The stack alone: what else an error carries may be a command with a password in it.
  const stack = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`poolbench: this is a defect, please report it: ${toPlainLines(stack ?? '')}\n`);
  return 1;
}

// What is started here is stopped as the process exits.
process.on('uncaughtException', error => process.exit(explain(error)));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = explain(error);
}
