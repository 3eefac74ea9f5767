import { z } from 'zod';
import { numberBetween, section } from '../../aggregate/schema-parts.ts';

const plain = <Kind extends string>(kind: Kind, description: string) =>
  section({ kind: z.literal(kind).meta({ description: `${kind}: ${description}` }) });

const kinds = ['uniform', 'zipfian', 'gaussian', 'sequential', 'hotSet', 'partitioned'];

/** Which keys the operations are for. */
export const keyChoice = z.discriminatedUnion(
  'kind',
  [
    plain('uniform', "every key of the pool's as often as any other"),
    section({
      kind: z.literal('zipfian').meta({ description: 'zipfian: rank r in proportion to 1 / r^exponent' }),
      exponent: numberBetween(0.01, 10)
        .default(0.99)
        .meta({ description: 'How much hotter the hot keys are; 0.99 is that of YCSB' }),
    }),
    section({
      kind: z.literal('gaussian').meta({ description: 'gaussian: those in the middle most often' }),
      spread: numberBetween(0.0001, 10).default(0.1).meta({
        description: 'Standard deviation as a share of the keys',
        unit: 'share of the keys',
      }),
    }),
    plain('sequential', 'one after the other, in each pool'),
    section({
      kind: z.literal('hotSet').meta({ description: 'hotSet: most operations on few keys' }),
      operationShare: numberBetween(0, 1)
        .default(0.8)
        .meta({ description: 'Share of the operations on the hot keys', unit: 'share, 0 to 1' }),
      keyShare: numberBetween(0, 1)
        .default(0.2)
        .meta({ description: 'Share of the keys that are hot; one at least', unit: 'share, 0 to 1' }),
    }),
    plain('partitioned', 'every worker has keys of its own, uniform'),
  ],
  {
    error: issue =>
      issue.code === 'invalid_union'
        ? kinds.map(kind => JSON.stringify(kind)).join(' or ')
        : 'an object such as { "kind": "zipfian", "exponent": 0.99 }',
  },
);
