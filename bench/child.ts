import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const tsx = fileURLToPath(new URL('../node_modules/tsx/dist/cli.mjs', import.meta.url));

/** Runs a file of the bench in a process of its own, and reads the JSON that it prints last: a library may log before. */
export async function runInChild<T>(file: string, argument: object): Promise<T> {
  const { stdout } = await run(process.execPath, [tsx, file, JSON.stringify(argument)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
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
