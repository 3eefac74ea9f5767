import { type AskedByClaim, askClaims, findFlawOfRun } from './claims/claims.ts';
import { compareArms } from './claims/judging/arms.ts';
import { type Asked, stateOf } from './claims/judging/prediction.ts';
import { findFlaw } from './claims/judging/soundness.ts';
import type { Gate } from './gates/gate.ts';
import { judgePairs } from './gates/judge-gates.ts';
import type { Comparison, Result, ScenarioResult } from './result.ts';
import { withoutControls } from './stats/control.ts';
import { type Measure, p99, throughput } from './stats/measures.ts';
import { endsOfFigure, pairByRound, plannedRounds } from './stats/rounds.ts';
import { minRounds } from './stats/sign-test.ts';
import { changeOf } from './stats/statistics.ts';

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
  /** The number of rounds so far. */
  readonly rounds: number;
}

/** A candidate for a question: some figures cannot be decided by any number of rounds. */
interface Judged extends Omit<Question, 'isDecided'> {
  readonly state: Asked['state'];
}

type Side = Pick<Result, 'environment' | 'target' | 'scenarios'>;
type Blocks = readonly (readonly Arm[])[];

/**
 * The questions of a run, judged by the rounds that it has so far: the comparisons that the verdicts of its claims rest
 * on, its gates, and its arms with a population. A run with neither claims nor gates asks about all of its arms. Only
 * arms of one block are asked about, because those are what the config compares. Problems that more rounds cannot solve
 * are not questions.
 *
 * @param sides the results so far, which may lack rounds or have none
 * @param blocks the arms of each block, without controls
 * @param gates conditions on the sides
 */
export function questionsOf(sides: readonly Side[], blocks: Blocks, gates: readonly Gate[] = []): Question[] {
  const tested = askedWithin(sides, blocks);
  const ofBlocks = tested.length === 0 && gates.length === 0 ? isAny : isBeside;
  const judged = [
    ...tested.map(({ asked, arms }) => judgedOf(asked, arms)),
    ...askGates(sides, gates),
    ...askBlocks(sides, blocks, ofBlocks),
  ];
  return judged.flatMap(({ state, ...question }) =>
    state === 'flawed' ? [] : [{ ...question, isDecided: state === 'decided' }],
  );
}

/** One comparison that fails the build decides the others with it. */
function askGates(sides: readonly Side[], gates: readonly Gate[]): Judged[] {
  const judged = judgePairs(sides, gates);
  const isFailed = judged.some(({ outcome }) => outcome === 'beyond');
  return judged.map(({ gate, side, other: { id }, prediction, state }) => ({
    label: `${gate.condition}, ${id}: side ${side + 1} to 1`,
    arms: [0, side].map(index => ({ side: index, id })),
    state: isFailed && state === 'open' ? 'decided' : state,
    rounds: prediction.series.roundsCounted,
  }));
}

/**
 * The ratios that the end of a run without claims depends on: those of its arms to the first one of their block, as
 * result.json has them. A ratio decides nothing if one of its p99s is the worst stall. Runs of fewer rounds than a verdict needs
 * compare nothing; in a longer run, a ratio that lacks rounds because some were cut short stays open. If the run tests a
 * claim, which has comparisons of its own, only arms with a population are asked about.
 *
 * @param blocks as of `questionsOf`
 */
export function compareBlocks(side: Side, blocks: Blocks): Comparison[] {
  const isCompared = askedWithin([side], blocks).length === 0 ? isAny : isBeside;
  return blocks
    .flatMap(arms => pairsOfBlock([side], arms))
    .filter(isCompared)
    .flatMap(({ base, other, measure }) =>
      compareArms([{ base, other }], [measure]).filter(
        ({ rounds }) => rounds >= minRounds || [base, other].every(hasRoundsForVerdict),
      ),
    );
}

/** Whether it was measured as often as a verdict needs, even if some rounds do not count. */
function hasRoundsForVerdict(arm: ScenarioResult): boolean {
  return arm.rounds.length >= Math.max(minRounds, plannedRounds(arm).atLeast);
}

/** What claims ask of arms that lie within a block. */
function askedWithin(sides: readonly Side[], blocks: Blocks) {
  const placeOf = locateArms(sides);
  return askClaims(sides).flatMap(asked => {
    const groups = asked.groups.map(group => group.map(placeOf));
    return groups.every(group => isWithinBlock(group, blocks)) ? [{ asked, arms: uniqueArms(groups) }] : [];
  });
}

function judgedOf({ claim, what, state, rounds }: AskedByClaim, arms: readonly Arm[]): Judged {
  return { label: `${claim}, ${what}`, arms, state, rounds };
}

/**
 * The place of a scenario that a claim asks about. Claims about two servers rename the scenarios of both sides, but
 * their rounds remain the same array.
 *
 * @throws {Error} for a scenario with other rounds: a question without one of its arms would never be decided
 */
function locateArms(sides: readonly Side[]): (scenario: ScenarioResult) => Arm {
  const places = new Map(
    sides.flatMap((result, side) =>
      withoutControls(result).map(({ id, rounds }) => [rounds, { side, id }] as const),
    ),
  );
  return ({ id, rounds }) => {
    const place = places.get(rounds);
    if (place === undefined) throw new Error(`A claim asks of ${id}, whose rounds are not those of the run`);
    return place;
  };
}

const isSame = (a: Arm, b: Arm) => a.side === b.side && a.id === b.id;

/** Whether any of these questions rests on the arm. */
export function asksOf(questions: readonly Question[], arm: Arm): boolean {
  return questions.some(({ arms }) => arms.some(other => isSame(other, arm)));
}

function isWithinBlock(group: readonly Arm[], blocks: Blocks): boolean {
  return blocks.some(block => group.every(arm => block.some(other => isSame(arm, other))));
}

function uniqueArms(groups: readonly (readonly Arm[])[]): Arm[] {
  const arms = groups.flat();
  return arms.filter((arm, index) => arms.findIndex(other => isSame(arm, other)) === index);
}

/** Two arms that are compared because they lie in one block. */
interface BlockPair {
  readonly arms: readonly [base: Arm, other: Arm];
  readonly base: ScenarioResult;
  readonly other: ScenarioResult;
  readonly measure: Measure;
}

/** Every arm of a block with its first one; of several sides each arm with the same on the first side that has it. */
function pairsOfBlock(sides: readonly Side[], arms: readonly Arm[]): BlockPair[] {
  const scenarioOf = ({ side, id }: Arm) =>
    withoutControls(sides[side] ?? { scenarios: [] }).find(scenario => scenario.id === id);
  return arms.flatMap((arm): BlockPair[] => {
    const first = sides.length > 1 ? arms.find(({ id }) => id === arm.id) : arms[0];
    if (first === undefined || isSame(first, arm)) return [];
    const [base, other] = [scenarioOf(first), scenarioOf(arm)];
    if (base === undefined || other === undefined) return [];
    return measuresOf(base, other).map(measure => ({ arms: [first, arm], base, other, measure }));
  });
}

const isAny = () => true;

/** Whether two arms differ in their populations. */
function isBeside({ base, other }: Pick<BlockPair, 'base' | 'other'>): boolean {
  return base.beside !== other.beside;
}

/** Whether rounds can decide the question: not if a figure is the worst stall, or if neither true figure has an upper limit. */
function canBeDecided({ base, other, measure }: BlockPair): boolean {
  const arms = [base, other];
  return (
    !arms.some(arm => measure.isWorstStall?.(arm)) &&
    !arms.every(({ rounds }) => endsOfFigure(rounds, measure)?.high === Number.POSITIVE_INFINITY)
  );
}

/** Asks each of these pairs of a block whether one arm has clearly more, clearly less, or neither. */
function askBlocks(sides: readonly Side[], blocks: Blocks, isAsked: (pair: BlockPair) => boolean): Judged[] {
  const flawOfRun = findFlawOfRun(sides);
  const pairs = blocks
    .flatMap(arms => pairsOfBlock(sides, arms))
    .filter(isAsked)
    .filter(canBeDecided);
  return pairs.map(({ arms: [first, arm], base, other, measure }): Judged => {
    const { series } = pairByRound(base, other, measure);
    const flaw = flawOfRun ?? findFlaw([{ arms: [base, other], series, measure }]);
    const label =
      sides.length > 1 ? `${arm.id}: side ${arm.side + 1} to ${first.side + 1}` : `${arm.id} to ${first.id}`;
    return {
      label: `${label}, ${measure.name}`,
      arms: [first, arm],
      state: stateOf(flaw, [series], changeOf(series.interval()) !== null),
      rounds: series.roundsCounted,
    };
  });
}

/**
 * The metrics that compare two arms: throughput in closed loops, the p99 in open ones, and both if they differ in a
 * population. None if one loop is open and the other closed.
 */
function measuresOf(base: ScenarioResult, other: ScenarioResult): Measure[] {
  const open = [base, other].filter(({ arrival }) => arrival.kind !== 'closed');
  if (open.length === 1) return [];
  return [
    ...(open.length === 2 || isBeside({ base, other }) ? [p99] : []),
    ...(open.length === 0 ? [throughput] : []),
  ];
}
