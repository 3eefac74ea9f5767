import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ResultFile, resultName } from '../../../aggregate/report/files/result-files.ts';
import { PoolbenchError } from '../../errors.ts';
import { type Written, writeAsFarAsPossible } from './results-folder.ts';

/**
 * Identifies a version of a file by its text, as file systems of user space and networks may change the inode and the time
 * of a file that nobody has written; undefined if there is no file.
 */
export async function stampOf(file: string): Promise<string | undefined> {
  const text = await readFile(file).catch(() => undefined);
  return text && createHash('sha256').update(text).digest('base64');
}

/**
 * Writes result.json repeatedly, with the files derived from it, and replaces only its own version: otherwise two
 * processes that continue the same run would each remove the rounds of the other.
 */
export class ResultsWriter {
  readonly #folder: string;
  readonly #file: string;
  #stamp: string | undefined;

  /** @param stamp the version of result.json that may be replaced first */
  constructor(folder: string, stamp: string | undefined) {
    this.#folder = folder;
    this.#file = join(folder, resultName);
    this.#stamp = stamp;
  }

  /** As `writeAsFarAsPossible`; result.json is the first of the files. */
  async write(files: readonly ResultFile[]): Promise<Written> {
    const found = await stampOf(this.#file);
    if (found !== undefined && found !== this.#stamp) {
      return {
        paths: [],
        error: new PoolbenchError(
          'RESULTS_NOT_WRITABLE',
          `expected ${this.#file} as this run left it, found another version: another command, such as a second --resume of the same run, has written it since. That version is kept, and this run writes nothing more there; resume a run with one command at a time`,
        ),
      };
    }
    const written = await writeAsFarAsPossible(this.#folder, files);
    if (written.paths.length > 0) this.#stamp = await stampOf(this.#file);
    return written;
  }
}
