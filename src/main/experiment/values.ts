import { z } from 'zod';
import {
  kind,
  numberBetween,
  oneOfKinds,
  readable,
  section,
  wholeNumber,
} from '../../aggregate/scenario/schema-parts.ts';
import { readNamedFile } from '../../workers/workload/named-file.ts';
import { rules } from './rules.ts';

/** Of one value whose size a config gives. */
export const maxBytes = 16 * 2 ** 20;
/** Of sizes that a config lists. */
export const maxListedBytes = 64 * 2 ** 20;
/** Of a file of values. */
export const maxFileBytes = 64 * 2 ** 20;
/** Different values of a workload. A file with more lines is sampled. */
export const maxValues = 128;

/** Of one value, in bytes. */
export const size = wholeNumber(0, maxBytes);

const range = kind('range', 'all sizes between two, equally often', {
  from: size.meta({ description: 'Smallest size', unit: 'bytes' }),
  to: size.meta({ description: 'Largest size', unit: 'bytes' }),
}).check(
  rules(({ from, to }, refuse) => {
    if (from > to) refuse(['from'], 'a range from the smaller size to the larger', from);
  }),
);

const weighted = kind('weighted', 'sizes from a list, by their weights', {
  sizes: z
    .array(
      section({
        bytes: size.meta({ description: 'Size of a value', unit: 'bytes' }),
        weight: numberBetween(0.001, 1_000_000)
          .default(1)
          .meta({ description: 'How often it occurs, relative to the sum of all weights' }),
      }),
      { error: 'a list of sizes such as [{ "bytes": 100, "weight": 3 }]' },
    )
    .min(1, { error: 'at least one size' })
    .max(maxValues, { error: `at most ${maxValues} sizes` })
    .meta({ description: 'The sizes and their weights' }),
}).check(
  rules(({ sizes }, refuse) => {
    const together = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    if (together <= maxListedBytes) return;
    const expected = `sizes of at most ${maxListedBytes} bytes together (every thread keeps one value of each)`;
    refuse(['sizes'], expected, sizes, together);
  }),
);

const lognormal = kind('lognormal', 'many small values, few large ones', {
  median: wholeNumber(1, maxBytes).meta({
    description: 'Median size: half of the values are smaller',
    unit: 'bytes',
  }),
  sigma: numberBetween(0.01, 5)
    .default(1)
    .meta({ description: 'Standard deviation of the natural logarithm of the size' }),
  most: wholeNumber(1, maxBytes).default(1_048_576).meta({
    description: 'Max size; larger values are cut to it',
    unit: 'bytes',
  }),
});

const file = kind('file', 'the lines of a file, as they are', {
  path: readable('the path of a file with values, one per line', readValueFile).meta({
    description: "Path of the file, relative to the config's folder",
  }),
});

const sized = oneOfKinds([range, weighted, lognormal, file], '{ "kind": "range", "from": 10, "to": 1000 }');

export const valueBytes = z
  .union([size, sized])
  .default(32)
  .meta({ description: 'Size of every value, or a distribution of sizes', unit: 'bytes' });

export const valueContent = oneOfKinds(
  [
    kind('random', 'printable characters', {}),
    kind('compressible', 'a fraction of it is one repeated character', {
      share: numberBetween(0, 1).default(0.5).meta({
        description: 'Fraction of a value that is a repeated character',
        unit: 'fraction, 0 to 1',
      }),
    }),
  ],
  '{ "kind": "compressible", "share": 0.5 }',
)
  .default({ kind: 'random' })
  .meta({ description: 'Content of the values; no effect on values from a file' });

export type ValueBytes = z.output<typeof valueBytes>;

/**
 * The values that a file gives: its lines, without empty ones. Of more than 128 lines, 128 at even distances.
 *
 * @throws RangeError whose message says what is expected
 */
export function readValueFile(path: string): string[] {
  const bytes = readNamedFile(path);
  if (bytes.length > maxFileBytes)
    throw new RangeError(`a file of at most ${maxFileBytes} bytes (${bytes.length} here)`);
  const lines = bytes
    .toString('utf8')
    .split(/\r?\n/)
    .filter(line => line !== '');
  if (lines.length === 0) throw new RangeError('a file with values, one per line (this one is empty)');
  const used = Math.min(lines.length, maxValues);
  return Array.from({ length: used }, (_, index) => lines[Math.floor((index * lines.length) / used)] ?? '');
}
