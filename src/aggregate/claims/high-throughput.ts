import type { ScenarioResult } from '../result.ts';
import { throughput } from '../stats/measures.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { median, medianInterval } from '../stats/statistics.ts';
import { formatInterval, formatPlural, formatRate } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { compareArms, isMeasured, pairArms } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictFigure } from './judging/prediction.ts';

/** The upper end of the document's best batches. */
const depthOfProfile = 100;
const promised = 50_000;

/**
 * C15. The document's profile for high throughput: batches of 100, one or several pools, each with a thread of its own.
 * It passes if its best arm does. The best of several is a little flattered, and 50,000 is far from any of them.
 *
 * ioredis alone is judged: it is what an application pays. wire is a bound that no application reaches, so that it
 * passes says nothing, and it must not outvote ioredis; its figure is shown, as it tells whether the client is the limit.
 */
export const highThroughput: Claim = {
  id: 'C15',
  statement: 'Batches and several pools pass 50,000 operations per second.',
  predicted: 'more than 50,000 ops/s with ioredis',
  suite: 'high-throughput',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: 'ioredis in optimized pools with pipeline 100',
  predictions(scenarios) {
    const best = bestOf(scenarios.filter(arm => isArm(arm) && arm.client === 'ioredis'));
    if (best === undefined) return [];
    return [predictFigure(throughput, best, sayArm(best), { low: promised, high: null }, formatOps)];
  },
  proof: findBusyMachine,
  remarks(scenarios) {
    const wire = bestOf(scenarios.filter(arm => isArm(arm) && arm.client === 'wire'));
    const rates = wholeRounds(wire?.rounds ?? []).map(throughput.figure);
    return wire === undefined || rates.length === 0
      ? []
      : [
          `The wire client, the bound of what the server and this machine give, reached ${formatInterval(medianInterval(rates), formatOps)} with ${sayArm(wire)}.`,
        ];
  },
  context: scenarios =>
    pairArms(scenarios, {
      isBase: scenario => isArm(scenario) && scenario.pools === 1,
      isOther: scenario => isArm(scenario) && scenario.pools > 1,
      differ: ['pools'],
    }).flatMap(pair => compareArms(pair, throughput, null)),
};

/**
 * Too few operations a second of a machine without a free core say what the machine has, neighbours and all: the next
 * run, or the next machine, may pass. What passes there stands all the more.
 */
function findBusyMachine(scenarios: readonly ScenarioResult[]): string | null {
  const best = bestOf(scenarios.filter(arm => isArm(arm) && arm.client === 'ioredis'));
  if (best === undefined || best.limitedBy.resource !== 'machine' || rateOf(best) >= promised) return null;
  return 'the whole machine was busy all the time, and that is what limited the best arm';
}

function isArm({ pool, pipeline, arrival, batch, cutEveryMs }: ScenarioResult): boolean {
  const undisturbed = arrival.kind === 'closed' && batch.pool === 'none' && cutEveryMs === 0;
  return pool === 'optimized' && pipeline === depthOfProfile && undisturbed;
}

function bestOf(arms: readonly ScenarioResult[]): ScenarioResult | undefined {
  return arms.toSorted((a, b) => rateOf(b) - rateOf(a))[0];
}

/** Its median; 0 where nothing was measured. */
function rateOf(arm: ScenarioResult): number {
  return isMeasured(arm) ? median(wholeRounds(arm.rounds).map(throughput.figure)) : 0;
}

const formatOps = (rate: number) => `${formatRate(rate)} ops/s`;

const sayArm = ({ pools, workers, pipeline }: ScenarioResult) =>
  `${formatPlural(pools, 'pool')} at ${formatPlural(workers, 'worker')} in batches of ${pipeline}`;
