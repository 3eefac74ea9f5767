import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Result } from '../src/aggregate/result.ts';

const run = promisify(execFile);
const tsx = fileURLToPath(new URL('../node_modules/tsx/dist/cli.mjs', import.meta.url));

/** Runs a file of the bench in a process of its own, and reads the JSON that it prints last: a library may log before. */
export async function runInChild<T>(file: string, argument: object): Promise<T> {
  const { stdout } = await run(process.execPath, [tsx, file, JSON.stringify(argument)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}

/** Runs `npm start` as a user does. @returns its result, and the instants of its start and end, in ms */
export async function runNpmStart(
  args: readonly string[],
): Promise<{ readonly result: Result; readonly beganMs: number; readonly endedMs: number }> {
  const out = await mkdtemp(join(tmpdir(), 'poolbench-start-'));
  try {
    const beganMs = Date.now();
    const { stdout } = await run(
      'npm',
      ['start', '--silent', '--', ...args, '--out', out, '--json', '--quiet'],
      {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        maxBuffer: 256 * 1024 * 1024,
      },
    );
    return { result: JSON.parse(stdout) as Result, beganMs, endedMs: Date.now() };
  } finally {
    await rm(out, { recursive: true });
  }
}

/** Whether this file was started as such a child, and with which argument. */
export function childArgument<T>(moduleUrl: string): T | undefined {
  const [, script, argument] = process.argv;
  if (script !== fileURLToPath(moduleUrl) || argument === undefined) return undefined;
  return JSON.parse(argument) as T;
}

/** Prints what a child found, and ends it. */
export function answer(found: object): void {
  process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit());
}
