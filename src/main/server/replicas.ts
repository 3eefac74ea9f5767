import { setTimeout as sleep } from 'node:timers/promises';
import { formatList, formatPlural } from '../../aggregate/text/format.ts';
import type { Control } from './control.ts';
import { infoNumber } from './server-info.ts';
import { shownAddress } from './url.ts';

/** Max time to wait for replicas that are behind. */
const maxWaitMs = 5000;
const pollMs = 20;

/**
 * Waits until every replica has applied what its primary has written so far. Then reads from replicas find the keys that were
 * written before the load.
 *
 * @param maxMs @default 5000
 * @returns what is missing after that time, as a clause; undefined: nothing
 * @throws PoolbenchError as `Control.findShards`
 */
export async function awaitReplicas(
  control: Pick<Control, 'findShards'>,
  maxMs = maxWaitMs,
): Promise<string | undefined> {
  const shards = await control.findShards();
  const deadline = performance.now() + maxMs;
  const behind = await Promise.all(
    shards.map(async ({ primary, replicas }) => {
      const written = await offsetOf(primary, 'master_repl_offset');
      return Promise.all(replicas.map(replica => describeLag(replica, written, deadline)));
    }),
  );
  const found = behind.flat().filter(text => text !== undefined);
  return found.length === 0 ? undefined : formatList(found);
}

/** How far a replica is behind at the deadline, as text; undefined as soon as it is not. */
async function describeLag(
  replica: Control,
  written: number | null,
  deadline: number,
): Promise<string | undefined> {
  const where = shownAddress(replica.server);
  for (;;) {
    // What it has applied, not what it has received.
    const applied = await offsetOf(replica, 'slave_repl_offset');
    if (written !== null && applied !== null && applied >= written) return undefined;
    if (performance.now() >= deadline || written === null)
      return written === null || applied === null
        ? `${where} (by an unknown number of bytes, because it or its primary does not report its offset)`
        : `${where} (${formatPlural(written - applied, 'byte')} behind)`;
    await sleep(pollMs);
  }
}

/** Null if the node does not report it. */
async function offsetOf(node: Control, key: string): Promise<number | null> {
  return infoNumber(await node.info('replication').catch(() => new Map<string, string>()), key);
}
