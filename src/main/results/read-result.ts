import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Result, resultSchema } from '../../aggregate/result.ts';
import { readChecked } from './read-checked.ts';

/** The result.json that a path means: itself, or the one in that folder. */
export async function findResult(path: string): Promise<string> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ? join(path, 'result.json') : path;
}

/**
 * Reads a result.json, which may come from anywhere, and holds it against its schema.
 *
 * @throws PoolbenchError RESULT_INVALID
 */
export function readResult(file: string): Promise<Result> {
  return readChecked(file, resultSchema, 'the result.json of a run, or its folder');
}
