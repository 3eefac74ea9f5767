import type { HostResult } from '../../aggregate/result.ts';
import { describeMachine } from '../../aggregate/stats/hosts.ts';
import type { HostInfo } from './messages.ts';

/** An agent as the coordinator sees it. */
export interface Seated {
  readonly seat: number;
  host: HostInfo | undefined;
  /** Unique in the run. */
  name: string;
  /** When its last message came, and since when no message has reached it, on the clock of `performance.now`. */
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
 * Names the agents so that a name stands for one machine of the run: two can be named alike, as on one host, and one can
 * have the name of another that took part before the run was resumed.
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

/** The agents as results have them. @param threads that each of them has */
export function hostsOf(seated: readonly Seated[], threads: number): HostResult[] {
  return seated.flatMap(({ host, name, roundTripMs }) =>
    host === undefined ? [] : [{ ...host, name, threads, roundTripMs }],
  );
}
