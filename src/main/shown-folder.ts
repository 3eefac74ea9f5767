import { relative } from 'node:path';

/** A folder as a reader can type it here. */
export function shownFolder(folder: string): string {
  return relative('.', folder) || '.';
}
