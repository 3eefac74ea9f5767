#!/usr/bin/env node
import { toPlainLines } from '../aggregate/text/format.ts';
import { describeTool } from './environment.ts';
import { PoolbenchError } from './errors.ts';
import { hidePasswords } from './hide-passwords.ts';
import { parseCommandLine } from './parse-command-line.ts';
import { usage } from './usage.ts';

/** Every command resolves to its exit code, and is loaded when it is asked for: all of them take half a second. */
async function main(args: readonly string[]): Promise<number> {
  hidePasswords(args);
  const line = parseCommandLine(args);
  switch (line.command) {
    case 'run':
      return await (await import('./commands/run.ts')).run(line.path, line.options);
    case 'resume':
      return await (await import('./commands/resume.ts')).resume(line.folder, line.options);
    case 'check':
      return await (await import('./commands/check.ts')).check(line.path, line.options);
    case 'versus':
      return await (await import('./commands/versus.ts')).versus(line.paths, line.options);
    case 'claims':
      return await (await import('./commands/claims.ts')).claims(line.target, line.options);
    case 'search':
      return await (await import('./commands/search.ts')).search(line.path, line.options);
    case 'compare':
      return await (await import('./commands/compare.ts')).compare(line.paths, line.options);
    case 'report':
      return await (await import('./commands/report.ts')).report(line.path, line.options);
    case 'help':
      process.stdout.write(usage);
      return 0;
    case 'version':
      process.stdout.write(`${describeTool().version}\n`);
      return 0;
  }
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
