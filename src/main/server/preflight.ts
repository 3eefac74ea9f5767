import { readdir, readFile } from 'node:fs/promises';
import { formatPlural } from '../../aggregate/text/format.ts';
import type { Address } from '../../pool/client/address.ts';
import { PoolbenchError } from '../errors.ts';
import { type Control, isRefusal } from './control.ts';
import { isUnverified, type Target } from './find-target.ts';
import { prefixOfKey } from './key-space.ts';
import { type Identity, identifyServer } from './server-info.ts';
import { shownAddress } from './url.ts';

/** What a plan asks of the target at its widest. */
export interface Needs {
  /** Connections open at once, over all threads. */
  readonly connections: number;
  readonly keys: number;
  readonly valueBytes: number;
}

/** Files that Node and its threads open beside our connections. */
const spareFiles = 64;
/** What a server keeps for one small key beside its value: entry, name, hash table. */
const keyOverheadBytes = 100;

/**
 * Looks at the target before any load, rather than after.
 * @param options.force a database that holds keys of others is loaded, too
 * @returns warnings, each a sentence for a reader
 * @throws PoolbenchError TARGET_TOO_SMALL when the server or this process cannot hold the connections, TARGET_IN_USE
 */
export async function preflight(
  target: Pick<Target, 'control'>,
  needs: Needs,
  options: { readonly force: boolean },
): Promise<string[]> {
  const { control } = target;
  const nodes = await control.findNodes();
  // Every connection to a cluster is one to each of its masters, which hold a part of the keys each.
  await requireFiles({ connections: needs.connections * nodes.length });
  const ofEach = { ...needs, keys: Math.ceil(needs.keys / nodes.length) };
  const warnings = ofTrust(control);
  for (const node of nodes) {
    const where = shownAddress(node.server);
    const identity = await identifyServer(node);
    requireClients(identity, needs, where);
    const found = [...ofServer(identity, ofEach), ...(await expectFreeDatabase(node, options))];
    if (control.cluster !== undefined) warnings.push(...found.map(warning => `${where}: ${warning}`));
    else warnings.push(...found, ...(identity.cluster ? [inClusterMode] : []));
  }
  return warnings;
}

function ofTrust({ address }: Control): string[] {
  if (!isUnverified(address)) return [];
  return [
    "the server's certificate is not checked (target.tls.rejectUnauthorized is false): whoever answers is believed, and is sent the password",
  ];
}

const inClusterMode =
  'the server runs in cluster mode: what it does not serve will fail with MOVED; target.cluster has that followed';

function requireClients(identity: Identity, needs: Needs, where: string): void {
  const { maxClients, connectedClients } = identity;
  if (maxClients === null || connectedClients === null) return;
  const free = maxClients - connectedClients;
  if (free >= needs.connections) return;
  throw new PoolbenchError(
    'TARGET_TOO_SMALL',
    `the plan opens ${needs.connections} connections at once, but the server at ${where} admits ${maxClients} clients and has ${connectedClients}, ` +
      `so ${free} are free; raise it (CONFIG SET maxclients ${connectedClients + needs.connections + 16}), or lower workers or connectionsPerWorker`,
  );
}

async function requireFiles(needs: Pick<Needs, 'connections'>): Promise<void> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const open = (await readdir('/proc/self/fd').catch(() => [])).length;
  if (limit - open - spareFiles >= needs.connections) return;
  throw new PoolbenchError(
    'TARGET_TOO_SMALL',
    `the plan opens ${needs.connections} connections at once, but this process may open ${limit} files and has ${open}; ` +
      `raise the limit (ulimit -n ${open + spareFiles + needs.connections}), or lower workers or connectionsPerWorker`,
  );
}

function ofServer(identity: Identity, needs: Needs): string[] {
  const warnings: string[] = [];
  const { connectedClients, persistence, role, maxMemoryBytes, usedMemoryBytes, maxMemoryPolicy } = identity;
  if (connectedClients !== null && connectedClients > 1) {
    warnings.push(
      `${formatPlural(connectedClients - 1, 'other client')} connected to the server: what they do is part of the figures`,
    );
  }
  if (persistence !== null && persistence.length > 0) {
    warnings.push(`the server writes to disk (${persistence.join(', ')}): that is part of the figures`);
  }
  if (role === 'replica') warnings.push('the server is a read-only replica: writes will fail with READONLY');
  const needed = needs.keys * (needs.valueBytes + keyOverheadBytes);
  if (maxMemoryBytes !== null && maxMemoryBytes > 0 && (usedMemoryBytes ?? 0) + needed > maxMemoryBytes) {
    warnings.push(
      `the keys need about ${mebibytes(needed)} MiB, but of maxmemory ${mebibytes(maxMemoryBytes)} MiB ` +
        `${mebibytes(usedMemoryBytes ?? 0)} MiB are used (policy ${maxMemoryPolicy ?? 'unknown'}): expect OOM errors or evicted keys`,
    );
  }
  return warnings;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

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
