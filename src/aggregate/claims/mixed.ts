import type { ScenarioResult } from '../result.ts';
import { batchThroughput, singlesP99 } from '../stats/measures.ts';
import { combineByRound } from '../stats/paired-ratio.ts';
import { clearlyLess, medianInterval } from '../stats/statistics.ts';
import { formatList, formatRatioInterval } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { type ArmPair, compareArms, pairArms, ratioOf } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';

/**
 * C16. Workers with single commands beside workers with batches, in one thread: all in the same pool, or each kind in
 * a pool of its own, with the same connections in all. Every preset that a run has must keep the promise. Lower is lower
 * by 5 % or more: against no difference at all a claim of "lower" could not be refuted.
 */
export const mixed: Claim = {
  id: 'C16',
  statement: 'Batches in a pool of their own leave single commands a lower p99.',
  predicted: 'p99 of the single commands 5 % or more below that with one pool for both',
  suite: 'mixed',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: 'batch workers in the same pool ("shared") beside their equals in a pool of their own ("separate")',
  predictions: scenarios =>
    byPreset(scenarios).map(([preset, pairs]) => {
      const where = `separate ${preset} pools to a shared one`;
      return predictRatio(singlesP99, pairs, where, { low: null, high: clearlyLess });
    }),
  remarks: scenarios => [...sayBatches(scenarios), 'All pools share one thread, as in one Node process.'],
  context: scenarios =>
    pairSharedWithSeparate(scenarios).flatMap(pair => compareArms(pair, batchThroughput, null)),
};

function byPreset(scenarios: readonly ScenarioResult[]): [preset: string, pairs: ArmPair[]][] {
  const pairs = pairSharedWithSeparate(scenarios);
  const presets = [...new Set(pairs.map(({ other }) => other.pool))];
  return presets.map(preset => [preset, pairs.filter(({ other }) => other.pool === preset)]);
}

/** What the single commands gain may be what the batches pay. */
function sayBatches(scenarios: readonly ScenarioResult[]): string[] {
  const clients = [...new Set(scenarios.map(({ client }) => client))];
  const ratios = clients.flatMap(client =>
    byPreset(scenarios.filter(scenario => scenario.client === client)).flatMap(([preset, pairs]) => {
      const byRound = combineByRound(pairs.map(pair => ratioOf(pair, batchThroughput.figure)));
      if (byRound.length === 0) return [];
      return `${formatRatioInterval(medianInterval(byRound))} with ${preset} pools (${client})`;
    }),
  );
  return ratios.length === 0
    ? []
    : [`Throughput of the batches with separate pools to a shared one: ${formatList(ratios)}.`];
}

function pairSharedWithSeparate(scenarios: readonly ScenarioResult[]): ArmPair[] {
  const arms = scenarios.filter(
    ({ arrival, threads, batch }) => arrival.kind === 'closed' && threads === 1 && batch.pool !== 'none',
  );
  const loads = new Set(arms.map(batchLoad));
  return [...loads].flatMap(load =>
    pairArms(arms, {
      isBase: scenario => scenario.batch.pool === 'shared' && batchLoad(scenario) === load,
      isOther: scenario => scenario.batch.pool === 'separate' && batchLoad(scenario) === load,
      differ: ['batch'],
    }),
  );
}

const batchLoad = ({ batch }: ScenarioResult) => `${batch.workers} × ${batch.pipeline}`;
