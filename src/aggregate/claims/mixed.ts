import type { ScenarioResult } from '../result.ts';
import { batchThroughput, singlesP99 } from '../stats/measures.ts';
import { RoundSeries } from '../stats/round-series.ts';
import { clearlyLess } from '../stats/statistics.ts';
import { excludesNothing, formatList, formatRatioInterval } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import { type ArmPair, compareArms, groupBy, hasBatchWorkers, pairArms, ratioOf } from './judging/arms.ts';
import { atMost, predictRatios } from './judging/prediction.ts';

/**
 * C16. Workers with single commands and workers with batches, in one thread: all in the same pool, or each kind in its
 * own pool, with the same total of connections. Every preset in a run must keep the promise. Lower means lower by 5 %
 * or more: with a threshold of no difference, "lower" could not be refuted.
 */
export const mixed: PredictingClaim = {
  id: 'C16',
  statement: 'Single commands have a lower p99 if batches have a pool of their own.',
  predicted: 'p99 of the single commands 5 % or more below that with one pool for both',
  suite: 'mixed',
  needs: 'batch workers in the same pool ("shared") and otherwise equal ones in a separate pool ("separate")',
  predictions: scenarios =>
    byPreset(scenarios).flatMap(([preset, pairs]) =>
      predictRatios(pairs, `separate ${preset} pools to a shared one`, [[singlesP99, atMost(clearlyLess)]]),
    ),
  remarks: scenarios => [
    ...describeBatches(scenarios),
    'All pools share one thread, as in one Node process.',
  ],
  context: scenarios => compareArms(pairSharedWithSeparate(scenarios), [batchThroughput]),
};

function byPreset(scenarios: readonly ScenarioResult[]): [preset: string, pairs: ArmPair[]][] {
  return groupBy(pairSharedWithSeparate(scenarios), ({ other }) => other.pool);
}

/** The batches may pay for what the single commands gain. */
function describeBatches(scenarios: readonly ScenarioResult[]): string[] {
  const ratios = groupBy(scenarios, ({ client }) => client).flatMap(([client, ofClient]) =>
    byPreset(ofClient).flatMap(([preset, pairs]) => {
      const series = RoundSeries.combine(pairs.map(pair => ratioOf(pair, batchThroughput).series));
      const ratio = series.interval();
      return excludesNothing(ratio) ? [] : `${formatRatioInterval(ratio)} with ${preset} pools (${client})`;
    }),
  );
  return ratios.length === 0
    ? []
    : [`Throughput of the batches with separate pools to a shared one: ${formatList(ratios)}.`];
}

function pairSharedWithSeparate(scenarios: readonly ScenarioResult[]): ArmPair[] {
  const arms = scenarios.filter(arm => hasBatchWorkers(arm) && arm.threads === 1);
  return groupBy(arms, ({ batch }) => `${batch.workers} × ${batch.pipeline}`).flatMap(([, ofLoad]) =>
    pairArms(ofLoad, {
      isBase: ({ batch }) => batch.pool === 'shared',
      isOther: ({ batch }) => batch.pool === 'separate',
      differ: ['batch'],
    }),
  );
}
