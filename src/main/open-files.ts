import { readFileSync } from 'node:fs';

/** The modules of poolbench need nearly so many at once while they are loaded; with fewer, Node reports one as missing. */
export const minOpenFiles = 128;

/** Files that this process may have open; infinite if that is not known. */
export function openFilesLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
