import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Every file in a folder and in its folders, by its path, with its text. */
export async function readFiles(folder: string): Promise<Record<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(paths.map(async path => [path, await readFile(path, 'utf8')] as const)),
  );
}
