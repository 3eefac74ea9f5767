import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Root of the machine's files, "/" except in tests: `/proc` and `/sys` are Linux's. A sandbox may hide them or fill
 * them with zeros.
 */
export type MachineRoot = string;

/** The text of a file without the white space around it; null if it is absent, hidden or cannot be read. */
export function readMachineFile(root: MachineRoot, path: string): string | null {
  try {
    return readFileSync(join(root, path), 'latin1').trim();
  } catch {
    return null;
  }
}

/** The names in a folder; null as above. */
export function listMachineFolder(root: MachineRoot, path: string): string[] | null {
  try {
    return readdirSync(join(root, path));
  } catch {
    return null;
  }
}

/** The lines `key value` or `key: value` of a file by their keys; empty if there is no file. */
export function readMachineFields(root: MachineRoot, path: string): ReadonlyMap<string, string> {
  const lines = readMachineFile(root, path)?.split('\n') ?? [];
  return new Map(
    lines.flatMap(line => {
      const [, key, value] = /^(\w[\w ]*?)[:\s]\s*(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}
