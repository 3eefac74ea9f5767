import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClaimWords } from '../../../aggregate/claims/claim.ts';
import { claims } from '../../../aggregate/claims/claims.ts';

/** The package's own folder of configs, whatever folder it is run from. */
const folder = fileURLToPath(new URL('../../../../configs/', import.meta.url));

/** Scenarios that test one claim or more. */
export interface Suite {
  readonly name: string;
  readonly config: string;
  readonly claims: readonly ClaimWords[];
  /**
   * Configs of the servers that the target is compared with where the claims are about two: Redis, and Valkey for Redis
   * itself. Null where they are about one.
   */
  readonly opponents: { readonly redis: string; readonly valkey: string } | null;
}

/** Suites that take two servers; they come last, so that the second does not run beside the others. */
const ofTwoServers: ReadonlySet<string> = new Set(
  claims.filter(claim => 'judgeSides' in claim).map(({ suite }) => suite),
);

/** The suites that these claims name, in the order of the claims. */
export function suitesOf(claims: readonly ClaimWords[]): Suite[] {
  const names = [...new Set(claims.map(({ suite }) => suite))];
  return names
    .toSorted((a, b) => Number(ofTwoServers.has(a)) - Number(ofTwoServers.has(b)))
    .map(name => ({
      name,
      config: shippedConfig(`claims/${name}`),
      claims: claims.flatMap(({ id, statement, predicted, suite }) =>
        suite === name ? [{ id, statement, predicted, suite }] : [],
      ),
      opponents: ofTwoServers.has(name)
        ? { redis: shippedConfig('redis'), valkey: shippedConfig('valkey') }
        : null,
    }));
}

/** All that `poolbench claims` runs. */
export const allSuites: readonly Suite[] = suitesOf(claims);

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
