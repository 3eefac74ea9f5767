import { readdir, readFile } from 'node:fs/promises';
import { formatPlural } from '../../aggregate/text/format.ts';
import { PoolbenchError } from '../errors.ts';
import { type Control, isRefusal } from './control.ts';
import { type Identity, identifyServer } from './identify.ts';
import { leftoverPrefixes } from './key-space.ts';
import type { Target } from './resolve.ts';
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
 * @returns warnings, each a sentence for a reader
 * @throws PoolbenchError TARGET_TOO_SMALL when the server or this process cannot hold the connections
 */
export async function preflight(target: Pick<Target, 'control'>, needs: Needs): Promise<string[]> {
  const { control } = target;
  const where = shownAddress(control.server);
  const identity = await identifyServer(control);
  requireClients(identity, needs, where);
  await requireFiles(needs);
  return [
    ...ofTrust(control),
    ...ofServer(identity, needs),
    ...(await ofDatabase(target, control.address.database)),
  ];
}

function ofTrust({ address }: Control): string[] {
  if (address.trust?.rejectUnauthorized !== false) return [];
  return [
    "the server's certificate is not checked (target.tls.rejectUnauthorized is false): whoever answers is believed, and is sent the password",
  ];
}

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

async function requireFiles(needs: Needs): Promise<void> {
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
  const { connectedClients, persistence, role, cluster, maxMemoryBytes, usedMemoryBytes, maxMemoryPolicy } =
    identity;
  if (connectedClients !== null && connectedClients > 1) {
    warnings.push(
      `${formatPlural(connectedClients - 1, 'other client')} connected to the server: what they do is part of the figures`,
    );
  }
  if (persistence !== null && persistence.length > 0) {
    warnings.push(`the server writes to disk (${persistence.join(', ')}): that is part of the figures`);
  }
  if (role === 'replica') warnings.push('the server is a read-only replica: writes will fail with READONLY');
  if (cluster) warnings.push('the server is part of a cluster: keys of other slots will fail with MOVED');
  const needed = needs.keys * (needs.valueBytes + keyOverheadBytes);
  if (maxMemoryBytes !== null && maxMemoryBytes > 0 && (usedMemoryBytes ?? 0) + needed > maxMemoryBytes) {
    warnings.push(
      `the keys need about ${mebibytes(needed)} MiB, but of maxmemory ${mebibytes(maxMemoryBytes)} MiB ` +
        `${mebibytes(usedMemoryBytes ?? 0)} MiB are used (policy ${maxMemoryPolicy ?? 'unknown'}): expect OOM errors or evicted keys`,
    );
  }
  return warnings;
}

async function ofDatabase({ control }: Pick<Target, 'control'>, database: number): Promise<string[]> {
  const warnings: string[] = [];
  const refused: string[] = [];
  /** What a user with few rights is not told is no reason to end. */
  const asked = async <T>(answer: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.push(error.message);
      return otherwise;
    }
  };
  const size = Number(await asked(control.call('DBSIZE'), 0));
  if (size > 0) {
    warnings.push(
      `database ${database} holds ${formatPlural(size, 'key')} already: they are left alone, but it is in use`,
    );
  }
  const leftovers = await asked(leftoverPrefixes(control), []);
  if (leftovers.length > 0) {
    warnings.push(
      `keys of other poolbench runs are there (${leftovers.join(', ')}): one is running now, or was killed; ` +
        `then remove them, for example with redis-cli --scan --pattern '${leftovers[0]}*' | xargs redis-cli unlink`,
    );
  }
  if (refused.length > 0) {
    warnings.push(
      `the server does not tell whether the database is in use, or holds keys of other poolbench runs: ${refused.join('; ')}`,
    );
  }
  return warnings;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
