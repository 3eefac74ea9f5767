import { z } from 'zod';
import { withTimeout } from '../server/control.ts';
import { keptNowhere, Queue, shortStreams } from './bullmq.ts';
import type { ControlLink } from './control-link.ts';
import { prefix, readSeatJob, type SeatJob } from './messages.ts';
import { usualPatience } from './patience.ts';

/**
 * Where agents wait: a queue for each group and version, whose workers they are. A run enlists all of its agents in one
 * transaction, so that of two runs one gets all of its agents first. An agent holds its job for the whole run: the lock of
 * the job shows that it is busy, and frees it when it dies.
 */

/** A seat stays taken for this long if its agent does not renew the lock. */
export const lockMs = usualPatience.silentMs;

const listTimeoutMs = 5000;

export function lobbyName(group: string, version: string): string {
  return `lobby-${group}-${version}`;
}

/** An agent's description in the name of its connection, readable in the server's list of clients. */
const badge = z.strictObject({
  id: z.string().max(100),
  name: z.string().max(100),
  cores: z.number(),
  node: z.string().max(50),
});
type Badge = z.output<typeof badge>;

export function writeBadge(worn: Badge): string {
  return Buffer.from(JSON.stringify(worn)).toString('base64url');
}

/** An agent that is connected to the control server. */
export interface KnownAgent extends Badge {
  readonly group: string;
  readonly version: string;
  /** The run that it takes part in; null if it waits. */
  readonly busy: string | null;
}

/** All agents present, of any group and version. @throws Error if the control server does not answer */
export async function listAgents({ redis }: ControlLink): Promise<KnownAgent[]> {
  const clients = String(await withTimeout(redis.client('LIST'), listTimeoutMs));
  const found = clients.split('\n').flatMap(line => readClient(/\bname=(\S+)/.exec(line)?.[1] ?? ''));
  const jobs = new Map<string, string>();
  for (const lobby of new Set(found.map(({ lobby }) => lobby))) {
    const queue = new Queue(lobby, { connection: redis, prefix, skipMetasUpdate: true });
    queue.on('error', () => {});
    const active = await withTimeout(queue.getActive(), listTimeoutMs).catch(() => []);
    for (const job of active) {
      const { message } = readSeatJob(job?.data);
      if (message !== undefined && job?.processedBy !== undefined) jobs.set(job.processedBy, message.name);
    }
    await queue.close();
  }
  return found
    .map(({ worn, badge, group, version }) => ({ ...badge, group, version, busy: jobs.get(worn) ?? null }))
    .toSorted((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
}

/** The agent whose connection has this name: `poolbench:<queue, base64>:w:<badge>`; nothing for any other. */
function readClient(name: string) {
  const [first, queue = '', kind, worn = ''] = name.split(':');
  if (first !== prefix || kind !== 'w') return [];
  const lobby = Buffer.from(queue, 'base64').toString();
  const [, group = '', version = ''] = /^lobby-([\w.-]{1,64})-(\d[\w.+]*(?:-[\w.+]+)*)$/.exec(lobby) ?? [];
  if (group === '') return [];
  try {
    const { data } = badge.safeParse(JSON.parse(Buffer.from(worn, 'base64url').toString()));
    return data === undefined ? [] : [{ lobby, group, version, worn, badge: data }];
  } catch {
    return [];
  }
}

/** Seats that a run has in a lobby. */
export class Seats {
  readonly #queue: Queue;
  readonly #ids: readonly string[];

  private constructor(queue: Queue, ids: readonly string[]) {
    this.#queue = queue;
    this.#ids = ids;
  }

  static async enlist(link: ControlLink, lobby: string, jobs: readonly SeatJob[]): Promise<Seats> {
    const queue = new Queue(lobby, { connection: link.redis, prefix, streams: shortStreams });
    queue.on('error', () => {});
    const added = await withTimeout(
      queue.addBulk(jobs.map(data => ({ name: 'seat', data, opts: keptNowhere }))),
      listTimeoutMs,
    );
    return new Seats(
      queue,
      added.flatMap(({ id }) => id ?? []),
    );
  }

  /** Takes back those that nobody has taken. */
  async close(): Promise<void> {
    // One that an agent holds cannot be removed: it ends when the agent leaves it.
    await Promise.allSettled(this.#ids.map(id => withTimeout(this.#queue.remove(id), listTimeoutMs)));
    await this.#queue.close();
  }
}

/** Removes all that BullMQ keeps of a queue. */
export async function removeQueue({ redis }: ControlLink, name: string): Promise<void> {
  const queue = new Queue(name, { connection: redis, prefix, skipMetasUpdate: true });
  queue.on('error', () => {});
  await queue.obliterate({ force: true }).catch(() => {});
  await queue.close();
}
