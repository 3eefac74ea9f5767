import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder of configs, whatever folder it is run from. */
const folder = fileURLToPath(new URL('../../../configs/', import.meta.url));

/** The file of `redis` or `claims/pipeline` in the package's configs. */
export function shippedConfig(name: string): string {
  return join(folder, `${name}.json`);
}

/** Names of the configs that a command can be given. */
export async function shippedConfigNames(): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter(file => file.endsWith('.json') && file !== 'schema.json')
    .map(file => file.slice(0, -'.json'.length))
    .sort();
}

/** A config's path for a command that is run from poolbench's own folder. */
export function shownConfig(path: string): string {
  const inFolder = relative(folder, path);
  return inFolder.startsWith('..') ? path : `configs/${inFolder.replaceAll('\\', '/')}`;
}
