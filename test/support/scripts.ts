import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { WorkloadTask } from '../../src/workers/contract.ts';
import { plainWorkload } from './plain-workload.ts';

/** Writes a script into a folder of the test's own. @returns its path */
export async function writeScript(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-script-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'script.mjs');
  await writeFile(path, text);
  return path;
}

/** The workload of a script whose default export has this body. */
export async function scriptWorkload(
  body: string,
  changes: Partial<WorkloadTask> = {},
): Promise<WorkloadTask> {
  const script = await writeScript(
    `export default async ({ client, key, value, random, step, think }) => {\n${body}\n};\n`,
  );
  return {
    ...plainWorkload({ keys: 100, valueBytes: 16, readShare: 0.5 }),
    ...{ commands: [], script },
    ...changes,
  };
}
