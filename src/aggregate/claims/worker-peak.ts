import type { Comparison, ScenarioResult } from '../result.ts';
import { throughput } from '../stats/measures.ts';
import { medianInterval } from '../stats/statistics.ts';
import { formatInterval, formatList, formatPlural, formatRate } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { compareArms, isAsDocumented, pairArms } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { bestLevel, type Peak, predictPeak, sayPicked } from './judging/prediction.ts';
import { findGrowthFlaw } from './judging/soundness.ts';

/** The document's measurement, in operations per second, by workers. */
const documented: ReadonlyMap<number, number> = new Map([
  [1, 9751],
  [10, 11_706],
  [50, 11_380],
  [100, 10_242],
]);

/**
 * C2. One `baseline` pool at several levels of workers. What is judged is where the peak is (see `predictPeak`), which is
 * what the document advises by. Gains over 1 worker are shown, and its throughputs beside ours; both decide nothing: they
 * are figures of one client on one machine, and a larger gain at 10 workers would not contradict a peak there.
 */
export const workerPeak: Claim = {
  id: 'C2',
  statement: 'Throughput of one pool rises until 10–50 workers; more of them gain nothing worth having.',
  predicted:
    '+20 % at 10 workers, +17 % at 50, +5 % at 100 over 1; judged: where the peak is (at 10–50 workers 5 % more than below, and no higher level gains another 5 %)',
  suite: 'scaling',
  judge: evidence => judgePredictions(evidence, design),
};

const peak: Peak = {
  differ: ['workers', 'connections', 'minIdle'],
  levelOf: ({ workers }) => workers,
  from: 10,
  to: 50,
  say: workers => formatPlural(workers, 'worker'),
};

const design: Design = {
  needs: 'one baseline pool at a level of 10–50 workers, and at one below or above',
  predictions: scenarios => predictPeak(scenarios.filter(isArm), peak),
  proof: scenarios => findGrowthFlaw(scenarios.filter(isArm)),
  remarks(scenarios) {
    const arms = scenarios.filter(isArm);
    return [...sayPicked(arms, peak), ...sayLevels(arms)];
  },
  context: scenarios => compareWithOne(scenarios.filter(isArm)),
};

/** Levels are only comparable where pools grow with them: 2 connections a worker, as the document advises. */
function isArm(scenario: ScenarioResult): boolean {
  return isAsDocumented(scenario, 'baseline') && scenario.connections === 2 * scenario.workers;
}

function compareWithOne(arms: readonly ScenarioResult[]): Comparison[] {
  return pairArms(arms, {
    isBase: ({ workers }) => workers === 1,
    isOther: ({ workers }) => workers > 1,
    differ: peak.differ,
  }).flatMap(pair => compareArms(pair, throughput, null));
}

function sayLevels(arms: readonly ScenarioResult[]): string[] {
  const clients = [...new Set(arms.map(({ client }) => client))];
  return clients.flatMap(client => {
    const levels = arms.filter(arm => arm.client === client).toSorted((a, b) => a.workers - b.workers);
    const best = bestLevel(levels);
    if (best === undefined || levels.some(({ rounds }) => rounds.length === 0)) return [];
    const each = levels.map(({ workers, rounds }) => {
      const theirs = documented.get(workers);
      const beside = theirs === undefined ? '' : ` (the document: ${formatRate(theirs)})`;
      return `${formatInterval(medianInterval(rounds.map(throughput.figure)), formatRate)} at ${workers}${beside}`;
    });
    return [`With ${client} throughput was highest at ${peak.say(best.workers)}: ${formatList(each)} ops/s.`];
  });
}
