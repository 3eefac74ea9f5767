import type { HostResult } from '../../aggregate/result.ts';
import { describeMachine } from '../../aggregate/stats/hosts.ts';
import type { HostInfo } from './messages.ts';

/** An agent as the coordinator sees it. */
export interface Seated {
  readonly seat: number;
  host: HostInfo | undefined;
  /** Unique in the run. */
  name: string;
  /** When its last message arrived, and since when no message has reached it; times of `performance.now`. */
  lastMessageMs: number;
  unreachedSinceMs: number | undefined;
  roundTripMs: number | null;
}

/** An empty seat for each agent that a run waits for. */
export function emptySeats(agents: number): readonly Seated[] {
  return Array.from({ length: agents }, (_, seat) => ({
    seat,
    host: undefined,
    name: `agent ${seat + 1}`,
    lastMessageMs: performance.now(),
    unreachedSinceMs: undefined,
    roundTripMs: null,
  }));
}

/**
 * Gives each agent of the run a unique name. Two agents on one host can have the same name, and so can an agent that took
 * part before the run was resumed.
 */
export function nameSeated(seated: readonly Seated[], before: readonly HostResult[] = []): void {
  const earlier = new Map(before.map(host => [host.name, describeMachine(host)]));
  const taken = new Set<string>();
  for (const agent of seated) {
    const { host } = agent;
    if (host === undefined) continue;
    const isTaken = (name: string) =>
      taken.has(name) || (earlier.get(name) ?? describeMachine(host)) !== describeMachine(host);
    let name = host.name;
    for (let times = 2; isTaken(name); times++) name = `${host.name} (${times})`;
    taken.add(name);
    agent.name = name;
  }
}

/** The agents as results have them. @param threads of each agent */
export function hostsOf(seated: readonly Seated[], threads: number): HostResult[] {
  return seated.flatMap(({ host, name, roundTripMs }) =>
    host === undefined ? [] : [{ ...host, name, threads, roundTripMs }],
  );
}
