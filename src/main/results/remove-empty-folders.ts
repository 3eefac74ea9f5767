import { rmdirSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Removes those that have nothing in them, the last one first: a run that measured nothing leaves no folder behind.
 *
 * @returns whether any of them is left
 */
export function removeEmptyFolders(folders: readonly string[]): boolean {
  let anyLeft = false;
  for (const folder of folders.toReversed()) {
    try {
      // A folder that is called "." is never removed.
      rmdirSync(resolve(folder));
    } catch (error) {
      // There are results in it; or it is a mount point, or on a disk that takes no more changes, which would be no
      // reason either to end with another error than the one that ended the run.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) anyLeft = true;
    }
  }
  return anyLeft;
}
