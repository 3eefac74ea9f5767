import { twinIdOf } from '../../aggregate/stats/control.ts';
import { minRounds } from '../../aggregate/stats/sign-test.ts';
import { uniqueNames } from '../../aggregate/text/safe-name.ts';
import { shuffle, streamSeed } from '../../workers/prng.ts';
import { addControls, type Block, formBlocks } from './blocks.ts';
import type { Experiment } from './experiment.ts';
import { type LabelledScenario, labelScenarios, type Scenario } from './scenarios.ts';

/** One side of a run before its target is found: an experiment, with its scenarios expanded. */
export interface PlannedSide {
  /** Unique within the run. */
  readonly name: string;
  /** Its target has at most one number of server threads. */
  readonly experiment: Experiment;
  /** Every scenario once, in the order of the config, and behind them the controls. */
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
}

/** What a run does, in order. It is made once: what is shown, checked and estimated is also what is measured. */
export interface Plan {
  /** One, or several that are measured in turn within every round. */
  readonly sides: readonly PlannedSide[];
  /** Every scenario of any side once, with its block. */
  readonly blocks: readonly Block[];
  /** The turns of each round, those of a block next to each other. */
  readonly rounds: readonly (readonly Turn[])[];
}

/** Roughly what connecting, the barrier, draining and closing take for one scenario of one round. */
export const overheadSeconds = 0.15;

/** Plans one side for each experiment, and for each number of server threads that it asks for. */
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
  return orderRounds(planned, blocks);
}

interface Labelled {
  readonly labelled: readonly LabelledScenario[];
}

/**
 * The blocks of all sides together. Scenarios with the same id are the same scenario; what is compared is what the first
 * side compares. A run with too few rounds for a verdict has no control, as nothing would be judged by it.
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
  return rounds >= minRounds;
}

/** The controls of the scenarios that a side has. */
function controlsOf(blocks: readonly Block[], labelled: readonly LabelledScenario[]): Scenario[] {
  const ids = new Set(labelled.map(({ scenario }) => scenario.id));
  return blocks
    .flatMap(({ elements }) => elements.flat())
    .filter(({ id, control }) => control === true && ids.has(twinIdOf(id)));
}

/**
 * Orders the turns of every round, from the seed of the first side: blocks are shuffled within the round, and the elements
 * of each block within the block. Each scenario is measured on all sides that have it, one after the other, in an order
 * of its own. So drift of the machine affects compared arms alike.
 */
export function orderRounds(sides: readonly PlannedSide[], blocks: readonly Block[]): Plan {
  const seed = sides[0]?.experiment.seed ?? 0;
  const ofSides = sides.map(({ scenarios }) => new Map(scenarios.map(scenario => [scenario.id, scenario])));
  const rounds = Math.max(0, ...sides.map(({ experiment }) => experiment.rounds));
  const turnsOf = (id: string, round: number) =>
    ofSides.flatMap((ofSide, side): Turn[] => {
      const scenario = ofSide.get(id);
      const due = round < (sides[side]?.experiment.rounds ?? 0);
      return scenario !== undefined && due ? [{ side, scenario }] : [];
    });
  const orderRound = (round: number) => {
    const orderBlock = ({ elements }: Block, place: number) =>
      shuffle(elements, streamSeed(seed, 'scenarioOrder', round, place)).flat();
    return shuffle(blocks, streamSeed(seed, 'blockOrder', round))
      .flatMap(orderBlock)
      .flatMap(({ id }, place) => shuffle(turnsOf(id, round), streamSeed(seed, 'sideOrder', round, place)));
  };
  return { sides, blocks, rounds: Array.from({ length: rounds }, (_, round) => orderRound(round)) };
}

/** How long a plan takes, or some turns of it: an estimate, without finding targets and writing keys. */
export function estimateSeconds({ sides, rounds }: Plan, turns: readonly Turn[] = rounds.flat()): number {
  return turns.reduce((sum, { side }) => {
    const { seconds = 0, warmupSeconds = 0 } = sides[side]?.experiment ?? {};
    return sum + overheadSeconds + warmupSeconds + seconds;
  }, 0);
}
