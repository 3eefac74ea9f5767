import fc from 'fast-check';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { expect, test } from 'vitest';
import { renderHgrm } from '../src/aggregate/report/files/hgrm.ts';
import { mergeLatencies } from '../src/aggregate/stats/histogram.ts';
import { createHistogram, encodeHistogram } from '../src/pool/histogram.ts';

function encode(nanoseconds: readonly number[]): string {
  const histogram = createHistogram(3);
  for (const value of nanoseconds) histogram.recordValue(value);
  const encoded = encodeHistogram(histogram);
  histogram.destroy();
  return encoded;
}

/** From a nanosecond to a minute, all magnitudes alike. */
const latency = fc
  .double({ min: 0, max: Math.log(60e9), noNaN: true })
  .map(power => Math.round(Math.exp(power)));

test('line by line what hdr-histogram-js writes of the merged histogram in JavaScript', () => {
  fc.assert(
    fc.property(fc.array(fc.array(latency, { maxLength: 60 }), { minLength: 1, maxLength: 3 }), rounds => {
      fc.pre(rounds.some(values => values.length > 0));
      const encoded = rounds.map(encode);
      const merged = decodeFromCompressedBase64(mergeLatencies(encoded).encoded, 64, false);
      expect(renderHgrm(encoded)).toBe(merged.outputPercentileDistribution(5, 1e6));
    }),
    { numRuns: 60 },
  );
});

test('a long tail, with its zeros behind the point', () => {
  const values = Array.from(
    { length: 5000 },
    (_, index) => 31_000 + index * 7 + (index % 1000 === 0 ? 3e7 : 0),
  );
  const text = renderHgrm([encode(values)]);
  const merged = decodeFromCompressedBase64(encode(values), 64, false);
  expect(text).toBe(merged.outputPercentileDistribution(5, 1e6));
  expect(text).toMatch(/^ {7}0\.031 0\.000000000000 {10}1 {11}1\.00$/m);
});

test('nothing recorded is a distribution without a line', () => {
  expect(
    renderHgrm([encode([])])
      .split('\n')
      .slice(2, 4),
  ).toEqual([
    '#[Mean    =        0.000, StdDeviation   =        0.000]',
    '#[Max     =        0.000, Total count    =            0]',
  ]);
});
