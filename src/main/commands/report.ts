import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { renderTerminal } from '../../aggregate/report-terminal.ts';
import { type Result, resultSchema } from '../../aggregate/result.ts';
import { PoolbenchError } from '../errors.ts';
import { writeReport } from '../run/results-folder.ts';

/**
 * `poolbench report RESULT`: prints a finished result again and writes its report.md anew.
 *
 * @returns the exit code
 * @throws PoolbenchError RESULT_INVALID, RESULTS_NOT_WRITABLE
 */
export async function report(path: string): Promise<number> {
  const file = (await stat(path).catch(() => undefined))?.isDirectory() ? join(path, 'result.json') : path;
  const result = await readResult(file);
  process.stdout.write(renderTerminal(result, process.stdout.isTTY === true && process.stdout.hasColors()));
  await writeReport(dirname(file), result);
  return 0;
}

async function readResult(file: string): Promise<Result> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const found = missing ? 'no such file' : (error as Error).message.split('\n', 1)[0];
    throw new PoolbenchError(
      'RESULT_INVALID',
      `${file}: expected the result.json of a run, or its folder, found: ${found}`,
    );
  }
  const checked = resultSchema.safeParse(parsed);
  if (checked.success) return checked.data;
  const [first] = checked.error.issues;
  throw new PoolbenchError(
    'RESULT_INVALID',
    `${file}: expected a result of schemaVersion 1, found at ${first?.path.join('.') || 'its top'}: ${first?.message}`,
  );
}
