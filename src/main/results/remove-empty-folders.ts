import { rmdirSync } from 'node:fs';

/** Removes those that have nothing in them, the last one first: a run that measured nothing leaves no folder behind. */
export function removeEmptyFolders(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {
      // There are results in it.
    }
  }
}
