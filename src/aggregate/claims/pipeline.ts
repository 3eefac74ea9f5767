import type { Comparison, ScenarioResult } from '../result.ts';
import { throughput } from '../stats/measures.ts';
import type { Claim } from './claim.ts';
import { type ArmPair, compareArms, isAsDocumented, pairArms } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { type Peak, type Prediction, predictPeak, predictRatio, sayPicked } from './judging/prediction.ts';

/** Gain over single commands that the document measured, by batch. */
const documented = [
  { batch: 50, gain: 8 },
  { batch: 100, gain: 9 },
];

/**
 * C3. Batches in one `baseline` pool against single commands, at 1 worker: the document's single commands came one after
 * another. At 50 workers single commands already share turns of the event loop and reads of the socket, so a batch
 * gains less there. That ratio is another one; it is shown, where the run has it, and decides nothing.
 *
 * "8×" promises a gain of 8, so a larger one keeps it: ×8 or more, ×9 or more. "Best at 50–100" is judged as a peak (see
 * `predictPeak`): the best of those gains 5 % over smaller batches, and larger ones gain no 5 % over it.
 */
export const pipeline: Claim = {
  id: 'C3',
  statement:
    'Batches of 50 and 100 commands give 8 and 9 times the throughput of single ones; larger ones gain nothing worth having.',
  predicted:
    '×8 at 50, ×9 at 100; the best of those 5 % above smaller batches, and no larger one gains another 5 %',
  suite: 'pipeline',
  judge: evidence => judgePredictions(evidence, design),
};

const peak: Peak = {
  differ: ['pipeline'],
  levelOf: scenario => scenario.pipeline,
  from: 50,
  to: 100,
  say: batch => `batches of ${batch}`,
};

const design: Design = {
  needs: 'one baseline pool of 1 worker with pipeline 1 and 50 or 100',
  predictions(scenarios) {
    const alone = scenarios.filter(scenario => scenario.workers === 1);
    const gains = documented.flatMap(({ batch, gain }): Prediction[] => {
      const pairs = pairWithSingles(alone).filter(({ other }) => other.pipeline === batch);
      if (pairs.length === 0) return [];
      const where = `batches of ${batch} to single commands`;
      return [predictRatio(throughput, pairs, where, { low: gain, high: null })];
    });
    if (gains.length === 0) return [];
    // Single commands are what the gains above are held against.
    return [...gains, ...predictPeak(alone.filter(isBatched), peak)];
  },
  remarks(scenarios) {
    const alone = scenarios.filter(scenario => scenario.workers === 1);
    return [...sayPicked(alone.filter(isBatched), peak), ...sayMissing(pairWithSingles(alone))];
  },
  context: scenarios => pairWithSingles(scenarios).filter(isContext).flatMap(compare),
};

/** But for its depth a plain pool. */
function isArm(scenario: ScenarioResult): boolean {
  return isAsDocumented({ ...scenario, pipeline: 1 }, 'baseline');
}

const isBatched = (scenario: ScenarioResult) => isArm(scenario) && scenario.pipeline > 1;

function pairWithSingles(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isArm(scenario) && scenario.pipeline === 1,
    isOther: isBatched,
    differ: ['pipeline'],
  });
}

/** All but the two gains that are judged. */
function isContext({ other }: ArmPair): boolean {
  return other.workers !== 1 || documented.every(({ batch }) => batch !== other.pipeline);
}

function compare(pair: ArmPair): Comparison[] {
  return compareArms(pair, throughput, null);
}

function sayMissing(pairs: readonly ArmPair[]): string[] {
  const depths = new Set(pairs.map(({ other }) => other.pipeline));
  const missing = documented.filter(({ batch }) => !depths.has(batch)).map(({ batch }) => batch);
  return missing.length === 0
    ? []
    : [`The run has no batches of ${missing.join(', ')}, so that part is not judged.`];
}
