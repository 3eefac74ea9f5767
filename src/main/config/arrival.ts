import { z } from 'zod';
import { listOf, numberBetween, oneOf, section, wholeNumber } from './schema-parts.ts';

const closed = section({
  kind: z
    .literal('closed')
    .meta({ description: 'closed: a worker sends its next batch when the last one is answered' }),
});

const rate = listOf(numberBetween(0.1, 10_000_000)).meta({
  description: 'Operations that are due each second, over all pools; a list makes a scenario of each',
  unit: 'operations per second',
});
const order = oneOf(['shuffled', 'upAndDown']).default('shuffled').meta({
  description:
    'Order of the rates within a round: shuffled with the other scenarios, or all in turn, ascending and then descending',
});

const constant = section({
  kind: z.literal('constant').meta({ description: 'constant: operations are due at equal distances' }),
  rate,
  order,
});
const poisson = section({
  kind: z
    .literal('poisson')
    .meta({ description: 'poisson: operations are due at random, independent of one another' }),
  rate,
  order,
});
const burst = section({
  kind: z.literal('burst').meta({ description: 'burst: many operations are due at one instant' }),
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
export type ArrivalGroup = z.output<typeof arrivalSchema>;

/** What is wrong between the arrivals of a group and its other lists. */
export function checkArrivals(
  {
    arrival,
    pipeline,
    batch,
  }: {
    readonly arrival: readonly ArrivalGroup[];
    readonly pipeline: readonly number[];
    readonly batch: readonly { readonly pool: string }[];
  },
  refuse: (path: (string | number)[], expected: string, input: unknown) => void,
): void {
  for (const [index, one] of arrival.entries()) {
    if (one.kind === 'closed') continue;
    if (one.order === 'upAndDown' && new Set(one.rate).size < 2)
      refuse(['arrival', index, 'rate'], 'at least two different rates to go up and down', one.rate);
    if (one.kind !== 'burst') continue;
    const uneven = pipeline.find(depth => one.size % depth !== 0);
    if (uneven !== undefined)
      refuse(['arrival', index, 'size'], `whole batches, a multiple of ${uneven} (pipeline)`, one.size);
  }
  if (arrival.every(({ kind }) => kind === 'closed')) return;
  for (const [index, { pool }] of batch.entries()) {
    if (pool === 'none') continue;
    const expected = '"none" beside an open loop (arrival), which does not tell whose operations are due';
    refuse(['batch', index, 'pool'], expected, pool);
  }
}
