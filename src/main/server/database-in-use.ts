import { formatPlural } from '../../aggregate/text/format.ts';
import type { Address } from '../../pool/client/address.ts';
import { PoolbenchError } from '../errors.ts';
import { type Control, isRefusal } from './control.ts';
import { prefixOfKey } from './key-space.ts';
import { shownAddress } from './url.ts';

const maxPrefixes = 5;

/**
 * Looks whether a database may be loaded: one that holds keys of others may be in use, and is loaded only if that is
 * forced. Keys of other runs of poolbench are no reason to refuse.
 *
 * @returns warnings, each a sentence for a reader
 * @throws PoolbenchError TARGET_IN_USE, TARGET_LOST
 */
export async function expectFreeDatabase(
  control: Control,
  { force }: { readonly force: boolean },
): Promise<string[]> {
  const refusals: string[] = [];
  /** What a user with few rights is not told is no reason to end. */
  const asked = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push(error.message);
      return undefined;
    }
  };
  const size = await asked(control.call('DBSIZE').then(Number));
  const survey = size === 0 ? undefined : await asked(surveyDatabase(control));
  const warnings: string[] = [];

  const found = describeOthers(size ?? 0, survey, refusals);
  if (found !== null) {
    const where = `database ${control.address.database} of the server at ${shownAddress(control.server)}`;
    if (!force) {
      throw new PoolbenchError(
        'TARGET_IN_USE',
        `expected ${where} to be empty, found ${found}: a load could be felt by whoever uses it; ` +
          `${emptyPlace(control)}, or load this one with --force, which leaves those keys alone`,
      );
    }
    warnings.push(`${where} holds ${found}: they are left alone, but it may be in use (--force)`);
  }
  const prefixes = survey?.prefixes ?? [];
  if (prefixes.length > 0) {
    const shown = `${prefixes.slice(0, maxPrefixes).join(', ')}${prefixes.length > maxPrefixes ? ', …' : ''}`;
    warnings.push(
      `keys of other poolbench runs are there (${shown}): one is running now, or was killed; ` +
        `then remove them, for example with redis-cli --scan --pattern '${prefixes[0]}*' | xargs redis-cli unlink`,
    );
  }
  if (refusals.length > 0) {
    warnings.push(
      `the server does not tell whether the database is in use, or holds keys of other poolbench runs: ${refusals.join('; ')}`,
    );
  }
  return warnings;
}

/** Keys that are not ours, as a part of a sentence; null where none are known of. */
function describeOthers(
  size: number,
  survey: Awaited<ReturnType<typeof surveyDatabase>> | undefined,
  refusals: readonly string[],
): string | null {
  if (survey === undefined) {
    return size === 0
      ? null
      : `${formatPlural(size, 'key')}, and the server does not tell whose (${refusals.join('; ')})`;
  }
  if (survey.others === 0) return null;
  const counted = formatPlural(survey.others, 'key');
  return `${survey.complete ? counted : `at least ${counted}`} of others`;
}

/** What to take instead. A cluster has one database. */
function emptyPlace(control: Control): string {
  if (control.cluster !== undefined) return 'take a cluster of your own';
  return `take an empty database, which is the number at the end of the URL, as in ${withDatabase(control.address)}`;
}

function withDatabase(address: Address): string {
  const { database, tls, path } = address;
  const other = database === 15 ? 14 : 15;
  if (path !== undefined) return `unix://${path}?db=${other}`;
  return `${tls ? 'rediss' : 'redis'}://${shownAddress(address)}/${other}`;
}

/** Whose keys a database holds, as far as was looked. */
export interface DatabaseSurvey {
  /** Keys that no run of poolbench has written. */
  readonly others: number;
  /** Prefixes of runs that are under way, or were killed. */
  readonly prefixes: readonly string[];
  /** Whether all keys were looked at: else there may be more of both. */
  readonly complete: boolean;
}

const keysPerLook = 1000;
/** A database in use is known for one after the first look; a few more tell how much it is in use. */
const looksAtOthers = 100;
/** Two million keys that a killed run has left are looked through in about a second. */
const maxLooks = 2000;

/**
 * Looks through the names of a database's keys, for a bounded time.
 *
 * @throws what the server answers where SCAN is refused; PoolbenchError TARGET_LOST
 */
export async function surveyDatabase(control: Control): Promise<DatabaseSurvey> {
  const prefixes = new Set<string>();
  let others = 0;
  let cursor = '0';
  for (let look = 1; look <= maxLooks && (others === 0 || look <= looksAtOthers); look++) {
    const answer = await control.call('SCAN', cursor, 'COUNT', keysPerLook);
    const [next, names] = Array.isArray(answer) ? answer : [];
    for (const name of Array.isArray(names) ? names : []) {
      const prefix = prefixOfKey(String(name));
      if (prefix === undefined) others++;
      else prefixes.add(prefix);
    }
    cursor = String(next ?? '0');
    if (cursor === '0') return { others, prefixes: [...prefixes].sort(), complete: true };
  }
  return { others, prefixes: [...prefixes].sort(), complete: false };
}
