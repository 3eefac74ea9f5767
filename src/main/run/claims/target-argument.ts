import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PoolbenchError } from '../../errors.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { asIs, suggest } from '../../experiment/nearest.ts';
import { checkConfig, readConfig } from '../../experiment/read-config.ts';
import { nameOfUrl, withoutPassword } from '../../server/url.ts';

/** The package's own folder of configs, regardless of the working directory. */
const configs = fileURLToPath(new URL('../../../../configs/', import.meta.url));

/** The target of all suites. */
export interface ClaimsTarget {
  /** Part of the name of the ledger's folder. */
  readonly name: string;
  readonly target: Experiment['target'];
  readonly timeoutMs: number;
  /** The argument as typed, without a password. */
  readonly typed: string;
  /** The command-line options that give another experiment this target. */
  readonly option: readonly [name: '--target' | '--url', value: string];
}

/**
 * The target that the user named: a URL, the path of a config, or the name of one of the package's configs.
 *
 * @throws PoolbenchError USAGE, CONFIG_MISSING, CONFIG_INVALID
 */
export async function readTarget(typed: string): Promise<ClaimsTarget> {
  if (typed.includes('://')) return fromUrl(typed);
  const named = !/[/\\]|\.json$/.test(typed);
  if (named) await expectShipped(typed);
  const path = named ? shippedConfig(typed) : typed;
  const { name, target, timeoutMs } = await readConfig(path);
  if (target.threads.length > 1) {
    throw new PoolbenchError(
      'USAGE',
      `${path}: expected one number of target.threads at most, found ${target.threads.join(', ')}; a ledger covers one target`,
    );
  }
  return { name, target, timeoutMs, typed, option: ['--target', shownConfig(path)] };
}

function fromUrl(url: string): ClaimsTarget {
  const shown = withoutPassword(url);
  // Built like a config, so that a URL follows the same rules as in one.
  const { target, timeoutMs } = checkConfig(
    { name: 'url', target: { server: 'any', url }, scenarios: [{}] },
    shown,
  );
  return { name: nameOfUrl(url), target, timeoutMs, typed: shown, option: ['--url', shown] };
}

/** The file of `redis` or `claims/pipeline` in the package's configs. */
export function shippedConfig(name: string): string {
  return join(configs, `${name}.json`);
}

/** A config's path for a command run from poolbench's own folder. */
export function shownConfig(path: string): string {
  const inFolder = relative(configs, path);
  return inFolder.startsWith('..') ? path : `configs/${inFolder.replaceAll('\\', '/')}`;
}

async function expectShipped(name: string): Promise<void> {
  const files = (await readdir(configs)).filter(file => file.endsWith('.json') && file !== 'schema.json');
  const names = files.map(file => file.slice(0, -'.json'.length)).sort();
  if (names.includes(name)) return;
  throw new PoolbenchError(
    'CONFIG_MISSING',
    `There is no target ${name}${suggest(name, names, asIs)}. ` +
      `There are: ${names.join(', ')}. You can also give the path of another config, or a URL such as redis://localhost:6379.`,
  );
}
