import { randomUUID } from 'node:crypto';
import { type Control, isRefusal } from './control.ts';
import { findOtherServers, leave } from './other-servers.ts';

/** How a run recognises the keys of a prefix as its own. */
export interface Claim {
  readonly prefix: string;
  /** The value of the claim's key, which is different in every run. */
  readonly token: string;
  /** Whether the server accepted the claim. If not, the prefix is random and thus unique. */
  readonly claimed: boolean;
}

/** The key by which other runs know that a prefix is taken. */
export function claimKey(prefix: string): string {
  return `${prefix}claim`;
}

/** The date helps people who find the claim of a killed run. */
export function newToken(): string {
  return `${new Date().toISOString()} ${randomUUID()}`;
}

/** A name for the coordinator's connections, by which the server shows whether a run still has some. */
export function newConnectionName(): string {
  return `poolbench-${randomUUID()}`;
}

/**
 * Whether the server has connections of that name; undefined if it is not known, because the server, or one of several
 * behind its address, does not show all connections.
 *
 * @param own the name of the connections of `control`: if the server shows it, it shows names. Without it, a missing name
 *   proves nothing
 * @throws PoolbenchError TARGET_LOST
 */
export async function isConnected(
  control: Control,
  { name, own }: { readonly name: string; readonly own?: string },
): Promise<boolean | undefined> {
  for (const node of control.nodes) {
    const names = await connectionNames(node);
    if (names.has(name)) return true;
    if (own === undefined || !names.has(own)) return undefined;
  }
  const others = await findOtherServers(control);
  for (const other of others) await leave(other);
  return others.length === 0 ? false : undefined;
}

async function connectionNames(node: Control): Promise<Set<string>> {
  const list = await node.call('CLIENT', 'LIST').catch(error => {
    if (isRefusal(error)) return '';
    throw error;
  });
  return new Set([...String(list).matchAll(/ name=(\S+)/g)].map(([, name = '']) => name));
}

/**
 * Whether another run holds the claim now. A server that restarts, is flushed or evicts keys loses claims, and then
 * another run can take the prefix. Otherwise it is claimed again.
 * @throws PoolbenchError TARGET_LOST
 */
export async function isTaken(control: Control, { prefix, token, claimed }: Claim): Promise<boolean> {
  if (!claimed) return false;
  const [, held] = await control.pipeline([
    ['SET', claimKey(prefix), token, 'NX'],
    ['GET', claimKey(prefix)],
  ]);
  // If this user may not read the claim, it is not known. If there is no claim, no other run has taken the prefix.
  return held !== undefined && 'value' in held && held.value !== null && held.value !== token;
}

/** The first key is the claim's. */
const unlinkUnlessTaken = `
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return -1 end
return redis.call('UNLINK', unpack(KEYS, 2))`;

/**
 * Removes keys of the prefix and checks the claim in one step, so that no other run can take the prefix in between.
 * @param names all of one server, at most 1000
 * @returns the number of removed keys, or `taken`; undefined if the server runs no scripts for this user
 * @throws PoolbenchError TARGET_LOST
 */
export async function unlinkUnlessClaimedByOthers(
  control: Control,
  { prefix, token }: Claim,
  names: readonly string[],
): Promise<number | 'taken' | undefined> {
  const keys = [claimKey(prefix), ...names];
  const [outcome] = await control.pipeline([['EVAL', unlinkUnlessTaken, keys.length, ...keys, token]]);
  if (outcome === undefined || 'error' in outcome) return undefined;
  return Number(outcome.value) < 0 ? 'taken' : Number(outcome.value);
}
