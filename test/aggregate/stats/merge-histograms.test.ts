import { expect, test } from 'vitest';
import { syntheticContext, syntheticSample } from '../../../bench/synthetic-sample.ts';
import { mergeSamples } from '../../../src/aggregate/stats/merge.ts';
import { mergeHistograms } from '../../../src/aggregate/stats/merge-histograms.ts';
import type { ThreadSample } from '../../../src/workers/contract.ts';
import { encodeHistogram } from '../../support/encoded-histogram.ts';

/** A thread with everything that has a histogram: failures, commands, stages, two sizes of batch and two pools. */
function fullSample(thread: number, seconds: number): ThreadSample {
  const sample = syntheticSample(thread, seconds, 1 + thread);
  const [load] = sample.loads;
  const [pool] = sample.pools;
  if (load === undefined || pool === undefined) throw new Error('expected a load and a pool');
  const times = (...ms: number[]) => encodeHistogram(ms.map(one => one * (thread + 1)));
  const command = (name: string) => ({
    ...{ name, nullIsMiss: name === 'GET', completed: 2, failed: { OOM: thread }, misses: 1 },
    ...{ service: times(1, 2), response: times(2, 3) },
  });
  const own = {
    ...load,
    failed: { TIMEOUT: 2 },
    failedWaits: { service: times(5), response: thread === 1 ? '' : times(5, 900) },
    // Two of a name, as a mix can have them.
    commands: [command('GET'), command('SET'), command('GET')],
  };
  const { service, response } = own;
  return {
    ...sample,
    loads: [own, { ...own, pipeline: 10, commands: [] }],
    pools: [pool, { ...pool, acquireWait: pool.connectTime }],
    openLoop: {
      ...{ rate: 100, offered: 50, unsent: 3, completedInWindow: 40 + thread, largestBacklog: 5 },
      ...{ oldestUnsentMs: 1, lag: times(0.1, 0.2), lagOverRange: 0, spinShare: 0.1 * thread },
      stages: [{ stage: { seconds, rate: 100, rampTo: null }, offered: 50, largestBacklog: 5, response }],
    },
    inserted: [thread, service.length],
  };
}

test('samples whose histograms are added up make the same round as before, bucket for bucket, thread by thread', () => {
  // The window of one of them was stopped later: only it has a second one.
  const samples = [fullSample(0, 1), fullSample(1, 2), fullSample(2, 1)];
  const merged = mergeHistograms(samples);
  expect(mergeSamples(merged, syntheticContext(1))).toEqual(mergeSamples(samples, syntheticContext(1)));
  expect(merged.map(({ threadLoad, inserted }) => [threadLoad, inserted])).toEqual(
    samples.map(({ threadLoad, inserted }) => [threadLoad, inserted]),
  );
  // Adding up again, as the coordinator does with several agents, changes nothing.
  expect(mergeHistograms(merged)).toEqual(merged);
});

test('several threads are hardly larger than one, and one thread stays as it is', () => {
  const one = [syntheticSample(0, 1, 1)];
  expect(mergeHistograms(one)).toEqual(one);
  const sizeOf = (samples: readonly ThreadSample[]) => JSON.stringify(samples).length;
  const four = [0, 1, 2, 3].map(thread => syntheticSample(thread, 1, 1 + thread));
  expect(sizeOf(mergeHistograms(four))).toBeLessThan(0.6 * sizeOf(four));
  expect(mergeHistograms([])).toEqual([]);
});
