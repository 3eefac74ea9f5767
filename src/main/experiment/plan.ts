import type { Gate } from '../../aggregate/gates/gate.ts';
import { questionsOf } from '../../aggregate/questions.ts';
import { fieldsOf } from '../../aggregate/scenario/scenario.ts';
import { twinIdOf } from '../../aggregate/stats/control.ts';
import { fixedRounds, isFixed, minRounds, type RoundsRange } from '../../aggregate/stats/sign-test.ts';
import { uniqueNames } from '../../aggregate/text/safe-name.ts';
import { shuffle, streamSeed } from '../../workers/prng.ts';
import { describeEnvironment } from '../environment.ts';
import { addControls, type Block, formBlocks, removeControls } from './blocks.ts';
import { type Experiment, usualBudgetSeconds } from './experiment.ts';
import { type LabelledScenario, labelScenarios, type Scenario } from './scenarios.ts';

/** One side of a run before its target is found: an experiment, with its scenarios expanded. */
export interface PlannedSide {
  /** Unique within the run. */
  readonly name: string;
  /** Its target has at most one number of server threads. */
  readonly experiment: Experiment;
  /** Every scenario once, in the order of the config, followed by the controls. */
  readonly scenarios: readonly Scenario[];
}

/** The scenarios of a side without its controls. */
export function armsOf({ scenarios }: Pick<PlannedSide, 'scenarios'>): Scenario[] {
  return scenarios.filter(({ control }) => control !== true);
}

/** One measurement of a run. */
export interface Turn {
  /** Index of the side that is measured. */
  readonly side: number;
  readonly scenario: Scenario;
  /** Index of the scenario's block. */
  readonly block: number;
}

/** The plan of a run. It is made once, so what is shown, checked and estimated is also what is measured. */
export interface Plan {
  /** One side, or several that are measured in turn within every round. */
  readonly sides: readonly PlannedSide[];
  /** Every scenario of any side once, with its block. */
  readonly blocks: readonly Block[];
  /**
   * Rounds of every side: those of the experiments, or fewer if the budget does not allow them. If nothing is to be decided,
   * their number is fixed.
   */
  readonly rounds: RoundsRange;
  /** Whether the run compares anything, or tests a claim. */
  readonly isCompared: boolean;
  /** Time limit of its rounds; infinite without a limit. */
  readonly budgetSeconds: number;
  /** Conditions on its sides to decide. Absent: none. */
  readonly gates?: readonly Gate[];
}

/** Approximate time of connecting, barrier, draining and closing for one scenario in one round. */
export const overheadSeconds = 0.15;

/**
 * Plans one side for each experiment, and for each number of server threads that it asks for.
 *
 * @param experiments must have the same rounds and budget (`expectOneRange`): only rounds that all sides have measured
 * count
 */
export function planRun(experiments: readonly Experiment[]): Plan {
  const sides = experiments.flatMap((experiment): (Omit<PlannedSide, 'scenarios'> & Labelled)[] => {
    const { target, name } = experiment;
    const labelled = labelScenarios(experiment.scenarios);
    if (target.threads.length < 2) return [{ name, experiment, labelled }];
    return target.threads.map(threads => ({
      name: `${name}-${threads}${threads === 1 ? 'thread' : 'threads'}`,
      experiment: { ...experiment, target: { ...target, threads: [threads] } },
      labelled,
    }));
  });
  const names = uniqueNames(
    sides.map(side => side.name),
    '-',
  );
  const blocks = planBlocks(sides);
  const planned = sides.map(({ name, experiment, labelled }, index) => ({
    name: names[index] ?? name,
    experiment,
    scenarios: [
      ...labelled.map(({ scenario }) => scenario),
      ...(isJudged(experiment) ? controlsOf(blocks, labelled) : []),
    ],
  }));
  return planSides(planned, blocks);
}

/** The plan of these sides, with as many rounds as their budget allows. */
export function planSides(sides: readonly PlannedSide[], blocks: readonly Block[]): Plan {
  const [first] = sides;
  if (first === undefined)
    return {
      sides,
      blocks,
      rounds: fixedRounds(0),
      isCompared: false,
      budgetSeconds: Number.POSITIVE_INFINITY,
    };
  const budgetSeconds = budgetOf(first.experiment);
  const isCompared = sides.length > 1 || hasQuestions(first, blocks);
  const asked = first.experiment.rounds;
  const rounds = fitRounds(
    isCompared ? asked : fixedRounds(asked.atLeast),
    budgetSeconds / roundSeconds(sides),
  );
  return { sides, blocks, rounds, isCompared, budgetSeconds };
}

/**
 * Whether a run of one side has anything to decide: two arms in a block, or a claim about a single arm. Its questions are
 * those before the first round, because every question that a run can have is open then.
 */
function hasQuestions({ experiment, scenarios }: PlannedSide, blocks: readonly Block[]): boolean {
  const arms = removeControls(blocks).map(({ elements }) =>
    elements.flat().map(({ id }) => ({ side: 0, id })),
  );
  if (arms.some(({ length }) => length > 1)) return true;
  const { server, url } = experiment.target;
  const side = {
    environment: describeEnvironment(),
    target: {
      declared: { server, url },
      detected: { server, version: '', threads: null },
      foundBy: '',
      standIn: false,
      local: true,
    },
    scenarios: scenarios.map(scenario => ({
      ...{ id: scenario.id, ...fieldsOf(scenario), plannedRounds: experiment.rounds },
      ...{ rounds: [], summary: null, limitedBy: { resource: 'unknown' as const, evidence: '' } },
    })),
  };
  return questionsOf([side], arms).length > 0;
}

/** Time of the rounds of an experiment; infinite without a limit. */
export function budgetOf({ budgetSeconds, rounds }: Experiment): number {
  const usual = isFixed(rounds) ? Number.POSITIVE_INFINITY : usualBudgetSeconds;
  return budgetSeconds ?? usual;
}

/**
 * If the budget does not allow the first look, the number of rounds is fixed at what fits, but at least the 6 that a
 * verdict needs.
 */
function fitRounds(rounds: RoundsRange, room: number): RoundsRange {
  return room >= rounds.atLeast
    ? rounds
    : fixedRounds(Math.min(rounds.atLeast, Math.max(minRounds, Math.floor(room))));
}

interface Labelled {
  readonly labelled: readonly LabelledScenario[];
}

/**
 * The blocks of all sides together. Scenarios with the same id are the same scenario; what is compared is what the
 * first side compares. A run with too few rounds for a verdict has no control, because there would be nothing to judge.
 */
function planBlocks(sides: readonly (Pick<PlannedSide, 'experiment'> & Labelled)[]): Block[] {
  const byId = new Map<string, LabelledScenario>();
  for (const one of sides.flatMap(({ labelled }) => labelled)) {
    if (!byId.has(one.scenario.id)) byId.set(one.scenario.id, one);
  }
  const blocks = formBlocks([...byId.values()], sides[0]?.experiment.compare ?? null);
  return sides.some(({ experiment }) => isJudged(experiment)) ? addControls(blocks, sides.length) : blocks;
}

function isJudged({ rounds }: Experiment): boolean {
  return rounds.atMost >= minRounds;
}

/** The controls of the scenarios that a side has. */
function controlsOf(blocks: readonly Block[], labelled: readonly LabelledScenario[]): Scenario[] {
  const ids = new Set(labelled.map(({ scenario }) => scenario.id));
  return blocks
    .flatMap(({ elements }) => elements.flat())
    .filter(({ id, control }) => control === true && ids.has(twinIdOf(id)));
}

/**
 * The turns of a round, from the seed of the first side: blocks are shuffled within the round, and the elements of each
 * block within the block. Each scenario is measured on all sides that have it, one right after the other, in its own
 * shuffled order. Drift of the machine therefore affects compared arms alike. Leaving out blocks does not change the
 * order of the others.
 *
 * @param round from 1
 * @param isDue whether a scenario of a block is measured in this round
 */
export function turnsOf(
  { sides, blocks }: Plan,
  round: number,
  isDue: (block: number, scenario: Pick<Scenario, 'id'>) => boolean = () => true,
): Turn[] {
  const seed = sides[0]?.experiment.seed ?? 0;
  const stream = round - 1;
  const ofSides = sides.map(({ scenarios }) => new Map(scenarios.map(scenario => [scenario.id, scenario])));
  const ofBlocks = blocks.map((block, index) => ({ block, index }));
  return shuffle(ofBlocks, streamSeed(seed, 'blockOrder', stream))
    .flatMap(({ block, index }, place) =>
      shuffle(block.elements, streamSeed(seed, 'scenarioOrder', stream, place))
        .flat()
        .map(({ id }) => ({ id, block: index })),
    )
    .flatMap(({ id, block }, place) => {
      if (!isDue(block, { id })) return [];
      const turns = ofSides.flatMap((scenarios, side): Turn[] => {
        const scenario = scenarios.get(id);
        return scenario === undefined ? [] : [{ side, scenario, block }];
      });
      return shuffle(turns, streamSeed(seed, 'sideOrder', stream, place));
    });
}

/** Max time of a plan: an estimate, without finding targets, writing keys and warming up threads. */
export function secondsAtMost(plan: Plan): number {
  return Math.min(secondsUpTo(plan, plan.rounds.atMost), Math.max(plan.budgetSeconds, secondsAtLeast(plan)));
}

/** Whether the budget may end the run before its max rounds, or has reduced these. */
export function isEndedByBudget(plan: Plan): boolean {
  const { sides, rounds, budgetSeconds } = plan;
  const asked = sides[0]?.experiment.rounds ?? rounds;
  return (
    rounds.atMost < asked.atMost || (!isFixed(rounds) && secondsUpTo(plan, rounds.atMost) > budgetSeconds)
  );
}

/** The time of some turns of a plan. */
export function secondsOfTurns(plan: Plan, turns: readonly Turn[]): number {
  return turns.reduce((sum, { side }) => {
    const experiment = plan.sides[side]?.experiment;
    return experiment === undefined ? sum : sum + turnSeconds(experiment);
  }, 0);
}

/** Min time of a plan. */
export function secondsAtLeast(plan: Plan): number {
  return secondsUpTo(plan, plan.rounds.atLeast);
}

/** The time of this many rounds, if no block is left out. */
function secondsUpTo({ sides }: Plan, rounds: number): number {
  return rounds * roundSeconds(sides);
}

function roundSeconds(sides: readonly Pick<PlannedSide, 'experiment' | 'scenarios'>[]): number {
  return sides.reduce(
    (sum, { experiment, scenarios }) => sum + scenarios.length * turnSeconds(experiment),
    0,
  );
}

function turnSeconds({ seconds, warmupSeconds }: Experiment): number {
  return overheadSeconds + warmupSeconds + seconds;
}
