import type { LoadSample, ThreadSample } from '../../workers/contract.ts';
import { mergeEncoded } from './histogram.ts';

/** The place of a histogram in a sample. Those at one place are merged in a round's figures, whatever their threads. */
type AtPlace = (place: string, encoded: string) => string;

/**
 * Returns the samples of some threads with merged histograms. A merged histogram is in the first sample that has its place,
 * and is empty in the others. Counts and figures of a single thread stay with the thread. `mergeSamples` returns the same for
 * these samples as for the original ones, but the samples of an agent are little larger than those of one thread.
 */
export function mergeHistograms(samples: readonly ThreadSample[]): ThreadSample[] {
  const found = new Map<string, string[]>();
  for (const sample of samples)
    mapHistograms(sample, (place, encoded) => {
      const known = found.get(place);
      if (known === undefined) found.set(place, [encoded]);
      else known.push(encoded);
      return encoded;
    });
  return samples.map(sample =>
    mapHistograms(sample, place => {
      const encoded = found.get(place) ?? [];
      found.delete(place);
      return mergeEncoded(encoded);
    }),
  );
}

function mapHistograms(sample: ThreadSample, at: AtPlace): ThreadSample {
  const { loads, pools, openLoop, deliveries } = sample;
  return {
    ...sample,
    ...(deliveries && { deliveries: { ...deliveries, latency: at('deliveries', deliveries.latency) } }),
    loads: loads.map(load => mapLoad(load, (place, encoded) => at(`${load.pipeline} ${place}`, encoded))),
    pools: pools.map(pool => ({
      ...pool,
      acquireWait: at('acquireWait', pool.acquireWait),
      connectTime: at('connectTime', pool.connectTime),
    })),
    openLoop: openLoop && {
      ...openLoop,
      lag: at('lag', openLoop.lag),
      ...(openLoop.stages && {
        stages: openLoop.stages.map((stage, index) => ({
          ...stage,
          response: at(`stage ${index}`, stage.response),
        })),
      }),
    },
  };
}

function mapLoad(load: LoadSample, at: AtPlace): LoadSample {
  const both = <Times extends { readonly service: string; readonly response: string }>(
    what: string,
    times: Times,
  ): Times => ({
    ...times,
    service: at(`${what} service`, times.service),
    response: at(`${what} response`, times.response),
  });
  return {
    ...both('completed', load),
    failedWaits: both('failed', load.failedWaits),
    commands: load.commands.map(command => both(`command ${command.name}`, command)),
    series: load.series.map(second => ({
      ...second,
      response: at(`second ${second.second}`, second.response),
    })),
  };
}
