import { readFileSync } from 'node:fs';

const mostBytes = 64 * 2 ** 20;
/** More lines than this are not used: of a longer file, so many at even distances. */
export const mostValues = 128;

/**
 * The values that a file gives: its lines, without empty ones. Of more than 128 lines, 128 at even distances.
 *
 * @throws RangeError whose message says what is expected
 */
export function readValueFile(path: string): string[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new RangeError(
      `a file that can be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
    );
  }
  if (bytes.length > mostBytes)
    throw new RangeError(`a file of at most ${mostBytes} bytes (${bytes.length} here)`);
  const lines = bytes
    .toString('utf8')
    .split(/\r?\n/)
    .filter(line => line !== '');
  if (lines.length === 0) throw new RangeError('a file with values, one a line (this one is empty)');
  const used = Math.min(lines.length, mostValues);
  return Array.from({ length: used }, (_, index) => lines[Math.floor((index * lines.length) / used)] ?? '');
}
