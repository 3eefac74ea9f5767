import type { ArrivalGroup } from '../config/arrival.ts';

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
