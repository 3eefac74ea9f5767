import { z } from 'zod';
import { listOf, numberBetween, oneOf, section, wholeNumber } from './schema-parts.ts';

/** When the work of a scenario is due: in a config, in a scenario, in its id and in words. */

const rate = listOf(numberBetween(0.1, 10_000_000)).meta({
  description: 'Operations that are due each second, over all pools; a list makes a scenario of each',
  unit: 'operations per second',
});
const order = oneOf(['shuffled', 'upAndDown']).default('shuffled').meta({
  description:
    'Order of the rates within a round: shuffled with the other scenarios, or all in turn, ascending and then descending',
});

const kindOf = <const Kind extends string>(kind: Kind, description: string) =>
  z.literal(kind).meta({ description: `${kind}: ${description}` });

const closed = section({
  kind: kindOf('closed', 'a worker sends its next batch when the last one is answered'),
});
const constant = section({
  kind: kindOf('constant', 'operations are due at equal intervals'),
  rate,
  order,
});
const poisson = section({
  kind: kindOf('poisson', 'operations are due at random, independent of one another'),
  rate,
  order,
});
const burst = section({
  kind: kindOf('burst', 'many operations are due at one instant'),
  rate,
  size: wholeNumber(1, 1_000_000).meta({
    description: 'Operations that are due at one instant, every size / rate seconds',
    unit: 'operations',
  }),
  order,
});

export const arrivalSchema = z.discriminatedUnion('kind', [closed, constant, poisson, burst], {
  error: issue =>
    issue.code === 'invalid_union'
      ? '"closed" or "constant" or "poisson" or "burst"'
      : 'an object such as { "kind": "closed" } or { "kind": "constant", "rate": 2000 }',
});

/** As a config has it: with a list of rates. */
type ArrivalGroup = z.output<typeof arrivalSchema>;

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

/** As a result has it. A later version may know more kinds. */
export const arrivalResult = z.looseObject({
  kind: z.string(),
  rate: z.number().optional(),
  size: z.number().optional(),
  leg: z.enum(['up', 'down']).optional(),
});
type ArrivalResult = z.output<typeof arrivalResult>;

/** One arrival for each rate, and for each way if a list goes up and down. */
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

/** In the id of a scenario: `closed`, `poisson2000`, `burst5000x100`, `constant2000-up`. */
export function labelArrival(arrival: Arrival): string {
  if (arrival.kind === 'closed') return 'closed';
  const size = arrival.kind === 'burst' ? `x${arrival.size}` : '';
  const leg = arrival.leg === undefined ? '' : `-${arrival.leg}`;
  return `${arrival.kind}${arrival.rate}${size}${leg}`;
}

/** "closed loop", or the kind of an open loop with its rate: "poisson at 2000/s", "burst of 100 at 2000/s, up". */
export function describeArrival({ kind, rate, size, leg }: ArrivalResult): string {
  if (kind === 'closed') return 'closed loop';
  const what = size === undefined ? kind : `${kind} of ${size}`;
  return `${what}${rate === undefined ? '' : ` at ${rate}/s`}${leg === undefined ? '' : `, ${leg}`}`;
}

/** The same without the rate: "closed loop", "constant arrivals", "bursts of 100". */
export function describeArrivals({ kind, size }: ArrivalResult): string {
  if (kind === 'closed') return 'closed loop';
  return size === undefined ? `${kind} arrivals` : `${kind}s of ${size}`;
}
