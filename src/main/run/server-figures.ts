import { median } from '../../aggregate/stats/statistics.ts';
import { nowNs } from '../../pool/clock.ts';
import type { Control } from '../server/control.ts';
import { isRefusal } from '../server/control.ts';
import { commandCalls, type commandStats, lifeOf } from '../server/server-info.ts';
import { shownAddress } from '../server/url.ts';

const maxPings = 20;
const pingBudgetMs = 100;

/** The replicas that the loads of a measurement read from. */
export interface ReadReplicas {
  /** Null: not known, so their counts are not known either. */
  readonly nodes: readonly Control[] | null;
  /** Names of these reads in commandstats. Other commands counted by replicas are replicated or from other clients. */
  readonly reads: ReadonlySet<string>;
}

/** What the server has counted since its start. */
export interface ServerCount {
  /** Changes with every start of the server, and with its masters. */
  readonly life: string | undefined;
  /**
   * How often each command has run, by its name in commandstats; in a cluster, summed over the masters, plus the reads
   * of replicas. Null: not reported.
   */
  calls(names: readonly string[]): number | null;
  /** The same for replicas alone, if reads go there. */
  callsOfReplicas(names: readonly string[]): number | null;
  /** Its address, which can change behind a Sentinel. */
  readonly server: string;
}

export async function serverCount(control: Control, replicas?: ReadReplicas): Promise<ServerCount> {
  // A lost server has no figures; the target watch detects the loss.
  const primaries = await control.findNodes().catch(() => control.nodes);
  const nodes = [...primaries, ...(replicas?.nodes ?? [])];
  // In parallel, so that a hanging server is waited for only once.
  const [lives, stats] = await Promise.all([
    Promise.all(nodes.map(node => lifeOf(node).catch(() => undefined))),
    Promise.all(nodes.map(node => node.info('commandstats').catch(() => new Map<string, string>()))),
  ]);
  const sumOf = (infos: readonly ReadonlyMap<string, string>[], names: readonly string[]) =>
    infos
      .map(info => commandCalls(info, names))
      .reduce((sum, ofNode) => (sum === null || ofNode === null ? null : sum + ofNode), 0);
  const callsOfReplicas = (names: readonly string[]) => {
    const read = names.filter(name => replicas?.reads.has(name));
    return read.length > 0 && replicas?.nodes === null ? null : sumOf(stats.slice(primaries.length), read);
  };
  return {
    // A master that is silent at only one end has left or joined: the other counts are then not those of the cluster.
    life:
      control.cluster === undefined && replicas === undefined
        ? lives[0]
        : lives
            .map(life => life ?? 'silent')
            .toSorted()
            .join(' '),
    calls: names => {
      const ofReplicas = callsOfReplicas(names);
      const ofPrimaries = sumOf(stats.slice(0, primaries.length), names);
      return ofPrimaries === null || ofReplicas === null ? null : ofPrimaries + ofReplicas;
    },
    callsOfReplicas,
    server: shownAddress(control.server),
  };
}

/** Why the server's counts before and after do not belong together, as a clause. */
export function whatHappened(
  control: Control,
  before: ServerCount,
  after: ServerCount,
  replicas?: ReadReplicas,
): string {
  if (control.cluster !== undefined)
    return `a master ${replicas === undefined ? '' : 'or a replica '}of the cluster was restarted or replaced`;
  if (replicas !== undefined && before.server === after.server)
    return 'the master or a replica was restarted or replaced';
  return before.server === after.server
    ? 'the server was restarted or replaced by another one at its address'
    : `the master moved from ${before.server} to ${after.server}`;
}

/** Whether the counts do not belong together, because the server was restarted or replaced in between. */
export function isRestarted(before: ServerCount, after: ServerCount): boolean {
  return before.life !== undefined && after.life !== undefined && after.life !== before.life;
}

/** What the server counted between two readings; null if it does not report that, or was restarted. */
export type Counted = (count: (of: ServerCount) => number | null) => number | null;

export function countBetween(before: ServerCount, after: ServerCount): Counted {
  const restarted = isRestarted(before, after);
  return count => {
    const [from, to] = [count(before), count(after)];
    return restarted || from === null || to === null ? null : to - from;
  };
}

/**
 * The time of an undisturbed round trip: the median of PINGs, one after another, in milliseconds. At most 20, and no
 * new one after 100 ms; a refused PING also counts. A cluster's masters are asked in turn. Null if none was answered.
 */
export async function baseRoundTripMs(control: Control): Promise<number | null> {
  const tripsMs: number[] = [];
  const endNs = nowNs() + pingBudgetMs * 1e6;
  do {
    const startNs = nowNs();
    const node = control.nodes[tripsMs.length % control.nodes.length] ?? control;
    const answered = await node.call('PING').then(() => true, isRefusal);
    // A lost server has no figures; the target watch detects the loss.
    if (!answered) break;
    tripsMs.push((nowNs() - startNs) / 1e6);
  } while (tripsMs.length < maxPings && nowNs() < endNs);
  return tripsMs.length === 0 ? null : median(tripsMs);
}

/** What a server has counted so far, by command. */
export type CommandStats = ReturnType<typeof commandStats>;

/** Mean time that the server took to run a call of these commands, in microseconds; null if it does not report it. */
export type ServerTimes = (names: readonly string[]) => number | null;

/**
 * The server's own time per call between two readings of each node's counts: for running the command, without reading
 * it, waiting or answering. The readings are at both ends of the measured window, so the warm-up is excluded, except
 * for commands that ran before a late reading.
 *
 * @param nodes null: one was not read; then the time is not known
 */
export function serverTimes(
  nodes: readonly {
    readonly before: CommandStats | null;
    readonly after: CommandStats;
    /** The only commands that count there. @default all */
    readonly only?: ReadonlySet<string> | undefined;
  }[],
): ServerTimes {
  return names => {
    let micros = 0;
    let calls = 0;
    for (const { before, after, only } of nodes) {
      if (before === null) return null;
      for (const name of new Set(names)) {
        if (only?.has(name) === false) continue;
        const to = after.get(name);
        if (to === undefined) continue;
        const from = before.get(name) ?? { calls: 0, micros: 0 };
        // A server that was started again counts from zero.
        if (to.micros === null || from.micros === null || to.calls < from.calls) return null;
        micros += to.micros - from.micros;
        calls += to.calls - from.calls;
      }
    }
    return calls > 0 && micros >= 0 ? micros / calls : null;
  };
}
