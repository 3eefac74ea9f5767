import { formatList, formatPlural } from '../../aggregate/text/format.ts';
import type { Address } from '../../pool/client/address.ts';
import { PoolbenchError } from '../errors.ts';
import { openFilesLimit } from '../open-files.ts';
import { type Control, isRefusal } from './control.ts';
import { isUnverified } from './find-target.ts';
import { prefixOfKey } from './key-space.ts';
import { findOtherServers, leave } from './other-servers.ts';
import { type Identity, identifyServer, isImplausible, lifeOf } from './server-info.ts';
import { shownAddress } from './url.ts';

/** The peak demand of a plan on the target. */
interface Needs {
  /** Connections of the server open at once, over all threads. */
  readonly connections: number;
  /** Whether it reads from replicas. It then opens as many connections to each replica. @default false */
  readonly readsReplicas?: boolean;
  /** Of this process: connections, and the proxy's own where they go through one. */
  readonly sockets: number;
  readonly threads: number;
  readonly keys: number;
  readonly valueBytes: number;
}

/** Files that this process has open during the load, in addition to connections and what its threads need. */
const ownFiles = 96;
/** Files that a thread of Node opens for its event loop, and for a moment for modules. */
const filesPerThread = 16;
/** Memory that a server needs for a small key in addition to its value: entry, name, hash table. */
const keyOverheadBytes = 100;

/** How a target is checked. */
export interface PreflightOptions {
  /** A database that holds keys of other programs is loaded, too. */
  readonly force: boolean;
  /** The connections of this process to the targets of its other sides, which may be on the same server. */
  readonly beside?: readonly Control[];
}

/**
 * Checks the target before any load, rather than after.
 * @returns warnings, each a sentence
 * @throws PoolbenchError TARGET_TOO_SMALL when the server or this process cannot hold the connections, TARGET_NOT_AVAILABLE
 *   if there is no replica to read from, TARGET_IN_USE, TARGET_LOST
 */
export async function preflight(
  { control }: { readonly control: Control },
  needs: Needs,
  options: PreflightOptions,
): Promise<string[]> {
  const nodes = await control.findNodes();
  const beside = await livesOf((options.beside ?? []).flatMap(other => other.nodes));
  const replicas = needs.readsReplicas ? await requireReplicas(control) : [];
  // Every connection to a cluster is one to each of its masters, which hold a part of the keys each.
  requireFiles({ ...needs, sockets: needs.sockets * (nodes.length + replicas.length) });
  for (const replica of replicas)
    requireClients(await identifyServer(replica), needs.connections, shownAddress(replica.server));
  const ofEach = { ...needs, keys: Math.ceil(needs.keys / nodes.length) };
  const warnings: string[] = [];
  if (isUnverified(control.address)) {
    warnings.push(
      "the server's certificate is not checked (target.tls.rejectUnauthorized is false): any server that answers is trusted, and is sent the password",
    );
  }
  for (const node of nodes) {
    const where = shownAddress(node.server);
    const identity = await identifyServer(node);
    requireClients(identity, needs.connections, where);
    const [life] = beside.length === 0 ? [] : await livesOf([node]);
    const own = 1 + beside.filter(other => other === life).length;
    const found = [...warningsOf(identity, ofEach, own), ...(await requireFreeDatabase(node, options))];
    if (control.cluster !== undefined) warnings.push(...found.map(warning => `${where}: ${warning}`));
    else warnings.push(...found);
    if (control.cluster === undefined && identity.cluster) {
      warnings.push(
        'the server runs in cluster mode: commands for keys that it does not serve will fail with MOVED; set target.cluster to true to follow that',
      );
    }
  }
  return [...warnings, ...(await warnOfOtherServers(control))];
}

/** Which servers these are, as far as they report it. */
async function livesOf(controls: readonly Control[]): Promise<string[]> {
  const lives = await Promise.all(controls.map(control => lifeOf(control).catch(() => undefined)));
  return lives.filter(life => life !== undefined);
}

async function warnOfOtherServers(control: Control): Promise<string[]> {
  const others = await findOtherServers(control);
  for (const other of others) await leave(other);
  if (others.length === 0) return [];
  return [
    `${others.length + 1} servers answer at ${shownAddress(control.server)}, for example behind a load balancer: ` +
      'the load goes to all of them, but poolbench writes the keys to only one of them and shows only its figures, so reads from the others find nothing; use the address of a single server',
  ];
}

/** All replicas. @throws PoolbenchError TARGET_NOT_AVAILABLE if a primary has none */
async function requireReplicas(control: Control): Promise<Control[]> {
  const shards = await control.findShards();
  const alone = shards.filter(({ replicas }) => replicas.length === 0);
  if (alone.length > 0)
    throw new PoolbenchError(
      'TARGET_NOT_AVAILABLE',
      `expected every primary to have a replica in service, because readFrom is not "primary", found no replica of ${formatList(alone.map(({ primary }) => shownAddress(primary.server)))}; start replicas and wait until they have synchronized, or set readFrom to "primary"`,
    );
  return shards.flatMap(({ replicas }) => replicas);
}

function requireClients(
  { maxClients, connectedClients }: Identity,
  connections: number,
  where: string,
): void {
  if (maxClients === null || connectedClients === null || isImplausible(connectedClients)) return;
  const free = maxClients - connectedClients;
  if (free >= connections) return;
  throw tooSmall(
    connections,
    `the server at ${where} admits ${maxClients} clients and has ${connectedClients}, so ${free} are free; ` +
      `raise the limit (CONFIG SET maxclients ${connectedClients + connections + 16})`,
  );
}

/** Files that a process with so many sockets and threads opens. */
export function neededFiles({ sockets, threads }: Pick<Needs, 'sockets' | 'threads'>): number {
  return ownFiles + threads * filesPerThread + sockets;
}

/** The need does not depend on what is open now, so the advice is always the same. */
function requireFiles({
  connections,
  sockets,
  threads,
}: Pick<Needs, 'connections' | 'sockets' | 'threads'>): void {
  const limit = openFilesLimit();
  const needed = neededFiles({ sockets, threads });
  if (limit >= needed) return;
  throw tooSmall(
    connections,
    `this process may open ${limit} files, and needs ${needed} for them, its threads and itself; raise the limit (ulimit -n ${needed})`,
  );
}

function tooSmall(connections: number, found: string): PoolbenchError {
  return new PoolbenchError(
    'TARGET_TOO_SMALL',
    `the plan opens ${connections} connections at once, but ${found}, or lower workers or connectionsPerWorker`,
  );
}

/** @param own how many of the connected clients are this process */
function warningsOf(identity: Identity, needs: Needs, own: number): string[] {
  const warnings: string[] = [];
  const { connectedClients, persistence, role, maxMemoryBytes, usedMemoryBytes, maxMemoryPolicy } = identity;
  if (isImplausible(connectedClients)) {
    warnings.push(
      `the server reports ${connectedClients} connected clients, which is impossible. So poolbench cannot check whether other clients are connected, or whether the server accepts the connections of this plan`,
    );
  } else if (connectedClients !== null && connectedClients > own) {
    warnings.push(
      `${formatPlural(connectedClients - own, 'other client')} connected to the server: their work affects the figures`,
    );
  }
  if (persistence !== null && persistence.length > 0) {
    warnings.push(`the server writes to disk (${persistence.join(', ')}): that is part of the figures`);
  }
  if (role === 'replica') warnings.push('the server is a read-only replica: writes will fail with READONLY');
  const needed = needs.keys * (needs.valueBytes + keyOverheadBytes);
  if (maxMemoryBytes !== null && maxMemoryBytes > 0 && (usedMemoryBytes ?? 0) + needed > maxMemoryBytes) {
    warnings.push(
      `the keys need about ${mebibytes(needed)} MiB, but ` +
        `${mebibytes(usedMemoryBytes ?? 0)} of ${mebibytes(maxMemoryBytes)} MiB of maxmemory are already used (policy ${maxMemoryPolicy ?? 'unknown'}): expect OOM errors or evicted keys`,
    );
  }
  return warnings;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

const maxPrefixes = 5;

/**
 * A database that holds keys of other programs may be in use, and is loaded only if forced. Keys of other poolbench
 * runs are no reason to refuse.
 */
async function requireFreeDatabase(
  control: Control,
  { force }: { readonly force: boolean },
): Promise<string[]> {
  const refusals: string[] = [];
  /** Information that the server refuses to a user with few rights does not end the run. */
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
  const { others = 0, prefixes = [], complete = true } = survey ?? {};
  const warnings: string[] = [];

  const found =
    others > 0
      ? `${complete ? '' : 'at least '}${formatPlural(others, 'key')} of other programs`
      : survey === undefined && size !== undefined && size > 0
        ? `${formatPlural(size, 'key')}, and the server does not show whose (${refusals.join('; ')})`
        : null;
  if (found !== null) {
    const where = `database ${control.address.database} of the server at ${shownAddress(control.server)}`;
    if (!force) {
      // A cluster has one database.
      const instead =
        control.cluster === undefined
          ? `use an empty database (the number at the end of the URL), as in ${otherDatabase(control.address)}`
          : 'use an empty cluster';
      throw new PoolbenchError(
        'TARGET_IN_USE',
        `expected ${where} to be empty, found ${found}: a load could disturb its users; ` +
          `${instead}, or load this one with --force, which leaves those keys alone`,
      );
    }
    warnings.push(
      `${where} holds ${found}: poolbench leaves them alone, but the database may be in use (--force)`,
    );
  }
  if (prefixes.length > 0) {
    const shown = `${prefixes.slice(0, maxPrefixes).join(', ')}${prefixes.length > maxPrefixes ? ', …' : ''}`;
    warnings.push(
      `the database has keys of other poolbench runs (${shown}): one is running now, or was killed. ` +
        `A killed one removes its keys when it is resumed (run --resume); otherwise remove them, for example with redis-cli --scan --pattern '${prefixes[0]}*' | xargs redis-cli unlink`,
    );
  }
  if (refusals.length > 0) {
    warnings.push(
      `the server does not show whether the database is in use or holds keys of other poolbench runs: ${refusals.join('; ')}`,
    );
  }
  return warnings;
}

function otherDatabase(address: Address): string {
  const { database, tls, path } = address;
  const other = database === 15 ? 14 : 15;
  if (path !== undefined) return `unix://${path}?db=${other}`;
  return `${tls ? 'rediss' : 'redis'}://${shownAddress(address)}/${other}`;
}

const keysPerLook = 1000;
/** The first look recognises a database in use; a few more show how much it is used. */
const maxLooksAtOthers = 100;
/** Scanning two million keys of a killed run takes about a second. */
const maxLooks = 2000;

/**
 * Whose keys a database holds, by their names, for a bounded time.
 *
 * @returns `others`: keys that no run of poolbench has written; `prefixes` of runs that are under way, or were killed;
 *   `complete`: whether all keys were looked at, or else there may be more of both
 * @throws the refusal if SCAN is refused; PoolbenchError TARGET_LOST
 */
export async function surveyDatabase(
  control: Control,
): Promise<{ others: number; prefixes: readonly string[]; complete: boolean }> {
  const prefixes = new Set<string>();
  let others = 0;
  let cursor = '0';
  let looks = 0;
  do {
    const answer = await control.call('SCAN', cursor, 'COUNT', keysPerLook);
    const [next, names] = Array.isArray(answer) ? answer : [];
    for (const name of Array.isArray(names) ? names : []) {
      const prefix = prefixOfKey(String(name));
      if (prefix === undefined) others++;
      else prefixes.add(prefix);
    }
    cursor = String(next ?? '0');
    looks++;
  } while (cursor !== '0' && looks < (others === 0 ? maxLooks : maxLooksAtOthers));
  return { others, prefixes: [...prefixes].sort(), complete: cursor === '0' };
}
