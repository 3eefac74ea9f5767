import { findFlawOfRun } from '../claims/claims.ts';
import type { ArmPair } from '../claims/judging/arms.ts';
import {
  type Asked,
  atLeast,
  atMost,
  intervalOf,
  type Prediction,
  predictRatios,
  stateOf,
} from '../claims/judging/prediction.ts';
import { describeBounded, describeExcluded, describePower } from '../claims/judging/reason.ts';
import { findFlaw } from '../claims/judging/soundness.ts';
import type { GateResult } from '../comparison/schema.ts';
import type { Result } from '../result.ts';
import { armKey } from '../scenario/scenario.ts';
import { withoutControls } from '../stats/control.ts';
import { judgedAlsoAsStall } from '../stats/measures.ts';
import { chancesOf, type Gate, outcomeOf, shownGate, undecided } from './gate.ts';
import { judgeRuns } from './judge-runs.ts';

/** A scenario on the first side (`base`) and on another one, judged by a gate. */
interface JudgedPair extends ArmPair {
  readonly gate: Gate;
  /** Index of the other side. */
  readonly side: number;
  readonly prediction: Prediction;
  /** Why the figures decide nothing, as a clause; null if they can decide. */
  readonly flaw: string | null;
  readonly outcome: GateResult['outcome'];
  readonly state: Asked['state'];
}

/**
 * Judges the gates by sides that are measured in turn: the ratio of each round, by the group-sequential sign test against
 * the threshold of the gate. All comparisons together fail a build in error in at most 1 of 64 runs, whatever the noise, if
 * its rounds are independent and no true ratio is beyond its threshold (`repeatedInterval`).
 *
 * @param flawOfRun why nothing is decided, as a clause; null if something can be
 */
export function judgePairs(
  sides: readonly Pick<Result, 'scenarios'>[],
  gates: readonly Gate[],
  flawOfRun: string | null = findFlawOfRun(sides),
): JudgedPair[] {
  const pairs = pairSides(sides);
  const comparisons = pairs.length * gates.length;
  return gates.flatMap(gate => {
    const { metric, fails, threshold } = gate;
    const range = fails === 'above' ? atLeast(threshold) : atMost(threshold);
    return pairs.flatMap(({ side, ...pair }) =>
      predictRatios([pair], pair.other.id, [[judgedAlsoAsStall(metric), range]]).map((found): JudgedPair => {
        const prediction = { ...found, chances: chancesOf(gate, comparisons) };
        const flaw = flawOfRun ?? findFlaw([prediction]);
        const outcome = outcomeOf(gate, intervalOf(prediction), flaw);
        const state = stateOf(flaw, [prediction.series], outcome !== 'cannot tell');
        return { ...pair, gate, side, prediction, flaw, outcome, state };
      }),
    );
  });
}

/** Pairs every scenario of the first side with the same scenario of each other side. */
function pairSides(sides: readonly Pick<Result, 'scenarios'>[]) {
  const [first = [], ...others] = sides.map(withoutControls);
  return others.flatMap((scenarios, index) =>
    first.flatMap(base => {
      const other = scenarios.find(({ id }) => id === base.id);
      return other !== undefined && armKey(other) === armKey(base) ? [{ base, other, side: index + 1 }] : [];
    }),
  );
}

/**
 * Judges the gates by finished results: by their rounds if they were measured in turn, otherwise the last one by the
 * spread of the earlier ones (`judgeRuns`).
 *
 * @param sides with unique names
 */
export function judgeGates(sides: readonly Result[], gates: readonly Gate[]): GateResult[] {
  const [first] = sides;
  const last = sides.at(-1);
  if (first === undefined || last === undefined || gates.length === 0) return [];
  const isPaired = first.session !== undefined && sides.every(({ session }) => session === first.session);
  const judged = isPaired
    ? judgePairs(sides, gates, findFlawOfSides(sides)).map(pair => describePair(pair, sides))
    : judgeRuns(sides, gates);
  return judged.length > 0
    ? judged
    : gates.map(gate => undecided(gate, last.name, 'the results have no scenario in common'));
}

/** Why sides that were measured in turn decide nothing, as a clause; null if they can. */
function findFlawOfSides(sides: readonly Result[]): string | null {
  if (!sides.every(({ complete }) => complete)) return 'not every side was measured to its end';
  const standIn = sides.find(({ target }) => target.standIn);
  if (standIn === undefined) return findFlawOfRun(sides);
  const { detected, declared } = standIn.target;
  return `on ${standIn.name}, ${detected.server} stood in for ${declared.server}`;
}

function describePair(
  { gate, side, base, other, prediction, flaw, outcome }: JudgedPair,
  sides: readonly Result[],
): GateResult {
  const { series } = prediction;
  return shownGate(gate, {
    side: sides[side]?.name ?? '',
    scenario: other.id,
    outcome,
    ratio: series.size === 0 ? null : intervalOf(prediction),
    rounds: series.roundsCounted,
    runs: null,
    flaw,
    outlook: () => describeOutlook(prediction),
    arms: [base, other],
  });
}

/** What an open comparison excludes, what such a run detects, and about how many rounds would decide it. */
function describeOutlook(prediction: Prediction): string {
  const clauses = [
    ...describeBounded(prediction),
    ...describeExcluded(prediction),
    ...describePower(prediction),
  ];
  return clauses.length === 0 ? 'nothing is excluded yet' : clauses.join('; ');
}
