import type { OpenLoopTask } from '../../workers/contract.ts';
import type { ArrivalGroup } from '../config/arrival.ts';
import type { Scenario } from './scenarios.ts';

/** When the work of one scenario is due. Plain data. */
export type Arrival =
  | { readonly kind: 'closed' }
  | ({ readonly kind: 'constant' | 'poisson' } & Rated)
  | ({ readonly kind: 'burst'; readonly size: number } & Rated);

interface Rated {
  /** Operations a second, over all pools. */
  readonly rate: number;
  /** On the way up or down, where the rates of a round are measured in turn. */
  readonly leg?: 'up' | 'down';
}

/** One arrival for each rate, and for each way where a list goes up and down. */
export function expandArrivals(groups: readonly ArrivalGroup[]): Arrival[] {
  return groups.flatMap((group): Arrival[] => {
    if (group.kind === 'closed') return [{ kind: 'closed' }];
    const { kind, rate: rates, order } = group;
    const at = (rated: Rated): Arrival =>
      kind === 'burst' ? { kind, ...rated, size: group.size } : { kind, ...rated };
    if (order === 'shuffled') return rates.map(rate => at({ rate }));
    const ascending = [...new Set(rates)].toSorted((a, b) => a - b);
    return [
      ...ascending.map(rate => at({ rate, leg: 'up' })),
      ...ascending.toReversed().map(rate => at({ rate, leg: 'down' })),
    ];
  });
}

/** How the id of a scenario names it: `closed`, `poisson2000`, `burst5000x100`, `constant2000-up`. */
export function labelArrival(arrival: Arrival): string {
  if (arrival.kind === 'closed') return 'closed';
  const size = arrival.kind === 'burst' ? `x${arrival.size}` : '';
  const leg = arrival.leg === undefined ? '' : `-${arrival.leg}`;
  return `${arrival.kind}${arrival.rate}${size}${leg}`;
}

/** The part that a thread has in a scenario's arrivals; null in a closed loop. */
export function openLoopOf(
  { arrival, pipeline, pools, poolsPerThread }: Scenario,
  thread: number,
): OpenLoopTask | null {
  if (arrival.kind === 'closed') return null;
  const { kind, rate } = arrival;
  const size = kind === 'burst' ? arrival.size : pipeline;
  return { arrivals: { kind, rate, size }, pools, firstPool: thread * poolsPerThread };
}

/**
 * Scenarios as they are shuffled: each alone, but those of a list of rates that goes up and down stay together, in this
 * order. What the target kept of the last rate would else be that of any.
 */
export function groupLadders(scenarios: readonly Scenario[]): Scenario[][] {
  const blocks: Scenario[][] = [];
  const ladders = new Map<string, Scenario[]>();
  for (const scenario of scenarios) {
    const { arrival, ...rest } = scenario;
    const key =
      arrival.kind === 'closed' || arrival.leg === undefined
        ? scenario.id
        : JSON.stringify({ ...rest, ...arrival, id: '', rate: 0, leg: '' });
    const ladder = ladders.get(key) ?? [];
    if (ladder.length === 0) blocks.push(ladder);
    ladders.set(key, ladder);
    ladder.push(scenario);
  }
  for (const block of blocks) block.sort((a, b) => placeOf(a) - placeOf(b));
  return blocks;
}

/** Grows with the rate on the way up, all of it below 0, and falls with it on the way down. */
function placeOf({ arrival }: Scenario): number {
  if (arrival.kind === 'closed') return 0;
  return arrival.leg === 'up' ? -1 / arrival.rate : 1 / arrival.rate;
}
