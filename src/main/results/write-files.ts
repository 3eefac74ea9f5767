import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { filesOf } from '../../aggregate/files/files.ts';
import type { Result } from '../../aggregate/result.ts';
import { renderHistograms } from './render-histograms.ts';
import { notWritable, replaceFile } from './results-folder.ts';

/**
 * Writes the page and the files that other tools read beside a result: see `filesOf`.
 *
 * @throws PoolbenchError RESULTS_NOT_WRITABLE, RESULT_INVALID
 */
export async function writeFiles(folder: string, result: Result): Promise<void> {
  for (const { path, render } of filesOf(result)) {
    const text = renderHistograms(join(folder, 'result.json'), render);
    const file = join(folder, path);
    try {
      await mkdir(dirname(file), { recursive: true });
      await replaceFile(file, text);
    } catch (error) {
      throw notWritable(folder, error);
    }
  }
}
