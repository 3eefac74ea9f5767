import { readdir, readFile } from 'node:fs/promises';
import { formatPlural } from '../../aggregate/text/format.ts';
import { PoolbenchError } from '../errors.ts';
import type { Control } from './control.ts';
import { expectFreeDatabase } from './database-in-use.ts';
import { type Identity, identifyServer } from './identify.ts';
import { isUnverified, type Target } from './resolve.ts';
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
