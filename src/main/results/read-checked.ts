import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { PoolbenchError } from '../errors.ts';
import { findExcess } from './find-excess.ts';

/** Parsed it takes several times as much memory. */
const largestBytes = 256 * 2 ** 20;

/**
 * Reads a JSON file that poolbench has written once, and that may come from anywhere by now: it is held to its schema,
 * and to bounds that nothing poolbench writes comes near.
 *
 * @param what completes "expected …" in the message
 * @throws PoolbenchError RESULT_INVALID
 */
export async function readChecked<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  what: string,
): Promise<z.output<Schema>> {
  const parsed = await parse(file, what);
  const excess = findExcess(parsed);
  if (excess !== null) throw invalid(file, `${what}, found at ${excess.path}: ${excess.found}`);
  const checked = schema.safeParse(parsed);
  if (checked.success) return checked.data;
  const [first] = checked.error.issues;
  throw invalid(
    file,
    `${what}, of schemaVersion 1, found at ${first?.path.join('.') || 'its top'}: ${first?.message}`,
  );
}

async function parse(file: string, what: string): Promise<unknown> {
  try {
    const stats = await stat(file);
    // A device has no end.
    if (!stats.isFile()) throw invalid(file, `${what}, found: no file`);
    if (stats.size > largestBytes) {
      throw invalid(
        file,
        `${what}, of at most ${largestBytes / 2 ** 20} MiB, found ${Math.ceil(stats.size / 2 ** 20)} MiB`,
      );
    }
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof PoolbenchError) throw error;
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const found = missing ? 'no such file' : (error as Error).message.split('\n', 1)[0];
    throw invalid(file, `${what}, found: ${found}`);
  }
}

/** RESULT_INVALID, with what was expected and what was found. */
export function invalid(file: string, expectedAndFound: string): PoolbenchError {
  return new PoolbenchError('RESULT_INVALID', `${file}: expected ${expectedAndFound}`);
}
