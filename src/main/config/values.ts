import { z } from 'zod';
import { numberBetween, section, wholeNumber } from '../../aggregate/schema-parts.ts';
import { mostValues, readValueFile } from './value-file.ts';

const mostBytes = 16 * 1024 * 1024;
const mostTogether = 64 * 1024 * 1024;
const size = wholeNumber(0, mostBytes);

const range = section({
  kind: z.literal('range').meta({ description: 'range: every size between two as often as any other' }),
  from: size.meta({ description: 'Smallest size', unit: 'bytes' }),
  to: size.meta({ description: 'Largest size', unit: 'bytes' }),
}).check(({ value, issues }) => {
  if (!(value.from > value.to)) return;
  const expected = 'a range from the smaller size to the larger';
  issues.push({ code: 'custom', params: { expected }, path: ['from'], input: value.from });
});

const weighted = section({
  kind: z.literal('weighted').meta({ description: 'weighted: a list of sizes' }),
  sizes: z
    .array(
      section({
        bytes: size.meta({ description: 'A size', unit: 'bytes' }),
        weight: numberBetween(0.001, 1_000_000)
          .default(1)
          .meta({ description: 'How often, by the sum of all weights' }),
      }),
      { error: 'a list of sizes such as [{ "bytes": 100, "weight": 3 }]' },
    )
    .min(1, { error: 'at least one size' })
    .max(mostValues, { error: `at most ${mostValues} sizes` })
    .meta({ description: 'The sizes and their weights' }),
}).check(({ value, issues }) => {
  const together = value.sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (!(together > mostTogether)) return;
  const expected = `sizes of at most ${mostTogether} bytes together (every thread keeps one value of each)`;
  issues.push({ code: 'custom', params: { expected, found: together }, path: ['sizes'], input: value.sizes });
});

const lognormal = section({
  kind: z.literal('lognormal').meta({ description: 'lognormal: many small values, few large ones' }),
  median: wholeNumber(1, mostBytes).meta({ description: 'Half of the values are smaller', unit: 'bytes' }),
  sigma: numberBetween(0.01, 5)
    .default(1)
    .meta({ description: 'Standard deviation of the natural logarithm of the size' }),
  most: wholeNumber(1, mostBytes).default(1_048_576).meta({
    description: 'Larger values are cut to this size',
    unit: 'bytes',
  }),
});

const file = section({
  kind: z.literal('file').meta({ description: 'file: the lines of a file, as they are' }),
  path: z
    .string({ error: 'the path of a file with values, one a line' })
    .check(({ value, issues }) => {
      try {
        readValueFile(value);
      } catch (error) {
        issues.push({ code: 'custom', params: { expected: (error as Error).message }, input: value });
      }
    })
    .meta({ description: 'The file, relative to this one' }),
});

const sized = z.discriminatedUnion('kind', [range, weighted, lognormal, file], {
  error: issue =>
    issue.code === 'invalid_union'
      ? '"range" or "weighted" or "lognormal" or "file"'
      : 'an object such as { "kind": "range", "from": 10, "to": 1000 }',
});

export const valueBytes = z
  .union([size, sized])
  .default(32)
  .meta({ description: 'Size of every value, or how sizes are distributed', unit: 'bytes' });

export const valueContent = z
  .discriminatedUnion(
    'kind',
    [
      section({ kind: z.literal('random').meta({ description: 'random: printable characters' }) }),
      section({
        kind: z.literal('compressible').meta({ description: 'compressible: a share is the same character' }),
        share: numberBetween(0, 1).default(0.5).meta({
          description: 'Share of a value that is one character over and over',
          unit: 'share, 0 to 1',
        }),
      }),
    ],
    {
      error: issue =>
        issue.code === 'invalid_union'
          ? '"random" or "compressible"'
          : 'an object such as { "kind": "compressible", "share": 0.5 }',
    },
  )
  .default({ kind: 'random' })
  .meta({ description: 'What values are made of; without effect on those of a file' });

export type ValueBytes = z.output<typeof valueBytes>;
