import { readFileSync } from 'node:fs';
import { foundInstead } from '../found-instead.ts';

/**
 * Reads the file that a key of a workload names (values, replay).
 *
 * @throws RangeError whose message says what is expected
 */
export function readNamedFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new RangeError(`a file that can be read (${foundInstead(error)})`);
  }
}
