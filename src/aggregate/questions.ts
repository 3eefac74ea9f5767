import type { Result, ScenarioResult } from './result.ts';
import { withoutControls } from './stats/control.ts';
import { throughput } from './stats/measures.ts';
import { pairByRound } from './stats/rounds.ts';
import { clearlyMore } from './stats/statistics.ts';

/** An arm of a run: a scenario on one of the sides. */
export interface Arm {
  /** Index of the side. */
  readonly side: number;
  /** Of the scenario. */
  readonly id: string;
}

/** A comparison that a run was asked to decide: the run goes on until all of its questions are decided. */
export interface Question {
  /** What is compared, as text: "C1, 2 pools". */
  readonly label: string;
  /** The arms that must be measured in further rounds while it is open. */
  readonly arms: readonly Arm[];
  readonly isDecided: boolean;
  /** How many rounds it rests on so far. */
  readonly rounds: number;
}

/**
 * The questions of a run, judged by the rounds that it has so far. Only what lies within a block is asked: the keys that
 * the config compares.
 *
 * @param sides the results so far, which may lack rounds or have none
 * @param blocks the arms of each block, without controls
 */
export function questionsOf(
  sides: readonly Pick<Result, 'target' | 'scenarios'>[],
  blocks: readonly (readonly Arm[])[],
): Question[] {
  const scenarioOf = ({ side, id }: Arm): ScenarioResult | undefined =>
    withoutControls(sides[side] ?? { scenarios: [] }).find(scenario => scenario.id === id);
  return blocks.flatMap(([base, ...others]) =>
    others.flatMap((other): Question[] => {
      const [ofBase, ofOther] = [base && scenarioOf(base), scenarioOf(other)];
      if (base === undefined || ofBase === undefined || ofOther === undefined) return [];
      const { series } = pairByRound(ofBase, ofOther, throughput);
      const { low, high } = series.interval();
      const isClear = (threshold: number) => low > threshold || high < threshold;
      return [
        {
          label: `${other.id} to ${base.id}`,
          arms: [base, other],
          isDecided: isClear(clearlyMore) && isClear(1 / clearlyMore),
          rounds: series.size,
        },
      ];
    }),
  );
}
