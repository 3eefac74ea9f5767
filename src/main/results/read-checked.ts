import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { PoolbenchError } from '../errors.ts';

/**
 * Reads a JSON file that poolbench has written once, and that may come from anywhere by now.
 *
 * @param what completes "expected …" in the message
 * @throws PoolbenchError RESULT_INVALID
 */
export async function readChecked<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  what: string,
): Promise<z.output<Schema>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const found = missing ? 'no such file' : (error as Error).message.split('\n', 1)[0];
    throw new PoolbenchError('RESULT_INVALID', `${file}: expected ${what}, found: ${found}`);
  }
  const checked = schema.safeParse(parsed);
  if (checked.success) return checked.data;
  const [first] = checked.error.issues;
  throw new PoolbenchError(
    'RESULT_INVALID',
    `${file}: expected ${what}, of schemaVersion 1, found at ${first?.path.join('.') || 'its top'}: ${first?.message}`,
  );
}
