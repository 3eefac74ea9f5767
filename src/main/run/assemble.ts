import { judgeClaims } from '../../aggregate/claims/claims.ts';
import { type Arm, compareBlocks } from '../../aggregate/questions.ts';
import type { Result, RoundResult } from '../../aggregate/result.ts';
import { fieldsOf } from '../../aggregate/scenario/scenario.ts';
import { judgeControl, withoutControls } from '../../aggregate/stats/control.ts';
import { limitedBy } from '../../aggregate/stats/limited-by.ts';
import { roundsOfPopulation } from '../../aggregate/stats/populations.ts';
import { fixedRounds, isFixed, type RoundsRange } from '../../aggregate/stats/sign-test.ts';
import { summarise, withPooledTails } from '../../aggregate/stats/summary.ts';
import { latencyWarnings } from '../../aggregate/stats/warnings.ts';
import { judgeThresholds } from '../../aggregate/thresholds/judge-thresholds.ts';
import { timeOfDay } from '../../pool/clock.ts';
import { describeEnvironment, describeTool, usableCores } from '../environment.ts';
import { keptClients, type UsedClients } from '../experiment/clients.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { besideOf, countThreads, type Population } from '../experiment/populations.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { withoutPasswords } from '../experiment/target.ts';
import type { Target } from '../server/find-target.ts';
import { environmentOf, shownTarget } from '../server/find-target.ts';
import type { Found } from './course.ts';

/** What has been measured of a side so far. */
export interface Measured {
  readonly target: Result['target'];
  /** Every scenario, including those without a round. */
  readonly scenarios: readonly Scenario[];
  readonly populations: readonly Pick<Population, 'name' | 'scenario' | 'sharesThreads'>[];
  /** By the id of the scenario. */
  plannedRounds(id: string): RoundsRange;
  /** By the id of the scenario. */
  readonly rounds: ReadonlyMap<string, readonly RoundResult[]>;
}

/** What a run knows when it assembles its result: after every round, and at its end. */
interface RunState extends Omit<Measured, 'target'> {
  readonly name: string;
  /** The same on all sides that are measured in turn; undefined for a single side. */
  readonly session: string | undefined;
  readonly experiment: Experiment;
  readonly target: Target;
  readonly clients: UsedClients;
  readonly files?: Result['files'];
  readonly keyClaims?: Result['keyClaims'];
  /** The arms of each block, without controls; empty if there are several sides, which are compared elsewhere. */
  readonly blocks: readonly (readonly Arm[])[];
  /** The hosts of the agents; undefined: the load runs here. */
  readonly hosts?: Result['hosts'];
  readonly startedAt: Date;
  readonly resumed: Result['resumed'];
  readonly warnings: readonly string[];
  readonly complete: boolean;
  /** Why it ended by itself; undefined before that, and if it was stopped. */
  readonly ended: Result['ended'];
  /** Whether no more rounds follow. */
  readonly final: boolean;
  readonly serverSeries?: Result['serverSeries'];
}

/** The current result as plain data, judged again. */
export function assembleResult(state: RunState): Result {
  const { experiment, target } = state;
  const shown = shownTarget(target);
  const scenarios = assembleScenarios({ ...state, target: shown }, state.final);
  const control = judgeControl(scenarios);
  const claims = judgeClaims({ target: shown, scenarios });
  const environment = describeEnvironment();
  return {
    schemaVersion: 1,
    complete: state.complete,
    ...(state.ended === undefined ? {} : { ended: state.ended }),
    name: state.name,
    ...(state.session === undefined ? {} : { session: state.session }),
    ...(state.resumed === undefined ? {} : { resumed: state.resumed }),
    startedAt: state.startedAt.toISOString(),
    finishedAt: timeOfDay().toISOString(),
    seed: experiment.seed,
    tool: describeTool(),
    environment,
    ...(state.hosts === undefined ? {} : { hosts: state.hosts }),
    clients: keptClients(state.clients),
    ...(state.files === undefined ? {} : { files: state.files }),
    ...(state.keyClaims === undefined ? {} : { keyClaims: state.keyClaims }),
    target: shown,
    // A resumed run also has the notes of its first target, which are the same.
    warnings: [
      ...new Set([...target.notes, ...state.warnings, ...latencyWarnings(withoutControls({ scenarios }))]),
    ],
    config: keptConfig(experiment, target),
    scenarios,
    ...(state.serverSeries === undefined ? {} : { serverSeries: state.serverSeries }),
    ...(control === undefined ? {} : { control }),
    claims,
    comparisons: compareBlocks({ environment, target: shown, scenarios }, state.blocks),
    // Half a run can cross a threshold that the whole run would not, and vice versa.
    thresholds: state.complete
      ? judgeThresholds(experiment.thresholds, {
          target: shown,
          scenarios: withoutControls({ scenarios }),
          claims,
        })
      : [],
  };
}

/**
 * The scenarios with their summaries.
 *
 * @param final whether no more rounds follow
 */
function assembleScenarios(
  { target, scenarios, populations, plannedRounds, rounds }: Measured,
  final: boolean,
): Result['scenarios'] {
  const loadEnvironment = environmentOf(target, usableCores());
  return scenarios.map(scenario => {
    const ofScenario = [...(rounds.get(scenario.id) ?? [])];
    const besideLoads = besideOf(scenario, populations);
    const threads = countThreads(scenario, besideLoads);
    const inside = besideLoads.filter(({ sharesThreads }) => sharesThreads);
    const figuresOf = (
      ofLoad: readonly RoundResult[],
      load: Scenario,
      threadsSharedWith: readonly string[],
    ) => ({
      summary: final ? withPooledTails(summarise(ofLoad), ofLoad) : summarise(ofLoad),
      limitedBy: limitedBy(ofLoad, {
        ...loadEnvironment,
        threadsBeside: threads - load.threads,
        threadsSharedWith,
      }),
    });
    const beside = besideLoads.map(({ name, scenario: load, sharesThreads }) => {
      const others = inside.flatMap(other => (other.name === name ? [] : other.name));
      return {
        ...{ name, load: fieldsOf(load) },
        ...(sharesThreads ? { sharesThreads } : {}),
        ...figuresOf(
          roundsOfPopulation(ofScenario, name),
          load,
          sharesThreads ? ['the scenario', ...others] : [],
        ),
      };
    });
    const sharers = inside.map(({ name, scenario: { threads } }) =>
      threads < scenario.threads ? `${name} (${threads} of them)` : name,
    );
    return {
      id: scenario.id,
      ...(scenario.control === true ? { control: true as const } : {}),
      ...fieldsOf(scenario),
      plannedRounds: plannedRounds(scenario.id),
      rounds: ofScenario,
      ...figuresOf(ofScenario, scenario, sharers),
      ...(beside.length === 0 ? {} : { populations: beside }),
    };
  });
}

/** What the sides of a run have found, by round. */
export function foundOn(sides: () => readonly Measured[]): Found {
  const roundsUpTo = ({ rounds }: Measured, last: number) =>
    new Map([...rounds].map(([id, measured]) => [id, measured.filter(({ round }) => round <= last)]));
  // A resumed side does not know yet which blocks were not asked about.
  const planFor = (side: Measured, unasked: ReadonlySet<string>) => (id: string) => {
    const planned = side.plannedRounds(id);
    return unasked.has(id) ? fixedRounds(planned.atLeast) : planned;
  };
  return {
    inRound: number =>
      sides().flatMap(({ rounds }) => [...rounds.values()].flat().filter(({ round }) => round === number)),
    asOf: (round, unasked) =>
      sides().map(side => ({
        environment: describeEnvironment(),
        target: side.target,
        scenarios: assembleScenarios(
          { ...side, plannedRounds: planFor(side, unasked), rounds: roundsUpTo(side, round) },
          false,
        ),
      })),
  };
}

/**
 * The config as results keep it, without passwords; a fixed number of rounds is a number. A run is resumed only if it is
 * the same.
 */
export function keptConfig(
  { rounds, ...experiment }: Experiment,
  { declared }: Pick<Target, 'declared'>,
): Result['config'] {
  return {
    ...experiment,
    rounds: isFixed(rounds) ? rounds.atLeast : rounds,
    // The declared URL is the one without its password.
    target: withoutPasswords(experiment.target, declared.url),
  };
}
