import type { Control } from './control.ts';
import { prefixOfKey } from './key-prefix.ts';

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
const mostLooks = 2000;

/**
 * Looks through the names of a database's keys, for a bounded time.
 *
 * @throws what the server answers where SCAN is refused; PoolbenchError TARGET_LOST
 */
export async function surveyDatabase(control: Control): Promise<DatabaseSurvey> {
  const prefixes = new Set<string>();
  let others = 0;
  let cursor = '0';
  for (let look = 1; look <= mostLooks && (others === 0 || look <= looksAtOthers); look++) {
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
