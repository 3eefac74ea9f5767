import { uniqueNames } from '../../aggregate/text/safe-name.ts';
import { shuffle, streamSeed } from '../../workers/prng.ts';
import type { Experiment } from './experiment.ts';
import { expandScenarios, type Scenario } from './scenarios.ts';

/** One side of a run before its target is found: an experiment, with its scenarios expanded. */
export interface PlannedSide {
  /** Unique within the run. */
  readonly name: string;
  /** Its target has at most one number of server threads. */
  readonly experiment: Experiment;
  /** Every scenario once, in the order of the config. */
  readonly scenarios: readonly Scenario[];
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
  /** The turns of each round. */
  readonly rounds: readonly (readonly Turn[])[];
}

/** Roughly what connecting, the barrier, draining and closing take for one scenario of one round. */
export const overheadSeconds = 0.15;

/** Plans one side for each experiment, and for each number of server threads that it asks for. */
export function planRun(experiments: readonly Experiment[]): Plan {
  const sides = experiments.flatMap((experiment): PlannedSide[] => {
    const { target, name } = experiment;
    const scenarios = expandScenarios(experiment.scenarios);
    if (target.threads.length < 2) return [{ name, experiment, scenarios }];
    return target.threads.map(threads => ({
      name: `${name}-${threads}${threads === 1 ? 'thread' : 'threads'}`,
      experiment: { ...experiment, target: { ...target, threads: [threads] } },
      scenarios,
    }));
  });
  const names = uniqueNames(
    sides.map(side => side.name),
    '-',
  );
  return orderRounds(sides.map((side, index) => ({ ...side, name: names[index] ?? side.name })));
}

/**
 * Orders the turns of every round: each scenario, in an order shuffled from the seed, is measured on all sides that have
 * it, one after the other, in an order of its own. So drift of the machine affects all sides alike. Scenarios with
 * the same id are the same scenario; the seed is that of the first side.
 */
export function orderRounds(sides: readonly PlannedSide[]): Plan {
  const seed = sides[0]?.experiment.seed ?? 0;
  const ofSides = sides.map(({ scenarios }) => new Map(scenarios.map(scenario => [scenario.id, scenario])));
  // The first side's, if several sides have a scenario.
  const scenarios = new Map(ofSides.toReversed().flatMap(ofSide => [...ofSide]));
  const ids = [...new Set(ofSides.flatMap(ofSide => [...ofSide.keys()]))];
  const blocks = groupLadders(ids.flatMap(id => scenarios.get(id) ?? []));
  const rounds = Math.max(0, ...sides.map(({ experiment }) => experiment.rounds));
  const turnsOf = (id: string, round: number) =>
    ofSides.flatMap((ofSide, side): Turn[] => {
      const scenario = ofSide.get(id);
      const due = round < (sides[side]?.experiment.rounds ?? 0);
      return scenario !== undefined && due ? [{ side, scenario }] : [];
    });
  return {
    sides,
    rounds: Array.from({ length: rounds }, (_, round) =>
      shuffle(blocks, streamSeed(seed, 'scenarioOrder', round))
        .flat()
        .flatMap(({ id }, place) => shuffle(turnsOf(id, round), streamSeed(seed, 'sideOrder', round, place))),
    ),
  };
}

/** How long a plan takes, or some turns of it: an estimate, without finding targets and writing keys. */
export function estimateSeconds({ sides, rounds }: Plan, turns: readonly Turn[] = rounds.flat()): number {
  return turns.reduce((sum, { side }) => {
    const { seconds = 0, warmupSeconds = 0 } = sides[side]?.experiment ?? {};
    return sum + overheadSeconds + warmupSeconds + seconds;
  }, 0);
}

/**
 * The blocks that are shuffled: one scenario each, but the rates of a list that goes up and down stay together in this
 * order, as the target may be affected by the rate before.
 */
function groupLadders(scenarios: readonly Scenario[]): Scenario[][] {
  const blocks: Scenario[][] = [];
  const ladders = new Map<string, Scenario[]>();
  for (const scenario of scenarios) {
    const { arrival, ...rest } = scenario;
    const key =
      arrival.kind === 'closed' || arrival.leg === undefined
        ? scenario.id
        : JSON.stringify({ ...rest, ...arrival, id: '', rate: 0, leg: '' });
    const ladder = ladders.get(key) ?? [];
    if (ladder.length === 0) blocks.push(ladder);
    ladders.set(key, ladder);
    ladder.push(scenario);
  }
  for (const block of blocks) block.sort((a, b) => placeOf(a) - placeOf(b));
  return blocks;
}

/** Grows with the rate on the way up, all of it below 0, and falls with it on the way down. */
function placeOf({ arrival }: Scenario): number {
  if (arrival.kind === 'closed') return 0;
  return arrival.leg === 'up' ? -1 / arrival.rate : 1 / arrival.rate;
}
