import { judgeClaims } from '../../aggregate/claims/claims.ts';
import type { Result, RoundResult } from '../../aggregate/result.ts';
import { fieldsOf } from '../../aggregate/scenario/scenario.ts';
import { judgeControl, withoutControls } from '../../aggregate/stats/control.ts';
import { limitedBy } from '../../aggregate/stats/limited-by.ts';
import { summarise, withPooledTails } from '../../aggregate/stats/summary.ts';
import { latencyWarnings } from '../../aggregate/stats/warnings.ts';
import { judgeThresholds } from '../../aggregate/thresholds/judge-thresholds.ts';
import { describeEnvironment, describeTool } from '../environment.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { withoutPasswords } from '../experiment/target.ts';
import type { Target } from '../server/find-target.ts';
import { environmentOf, shownTarget } from '../server/find-target.ts';

/** What a run knows when it assembles its result: after every round, and at its end. */
interface RunState {
  readonly name: string;
  /** Equal on all sides that are measured in turn; undefined for a side alone. */
  readonly session: string | undefined;
  readonly experiment: Experiment;
  readonly target: Target;
  readonly scenarios: readonly Scenario[];
  readonly rounds: ReadonlyMap<string, readonly RoundResult[]>;
  readonly startedAt: Date;
  readonly resumed: Result['resumed'];
  readonly warnings: readonly string[];
  readonly complete: boolean;
  /** Whether no more rounds follow. */
  readonly final: boolean;
}

/** The result as of now: plain data, judged afresh. */
export function assembleResult(state: RunState): Result {
  const { experiment, target } = state;
  const environment = describeEnvironment();
  const loadEnvironment = environmentOf(target, environment.cores);
  const scenarios = state.scenarios.map(scenario => {
    const rounds = [...(state.rounds.get(scenario.id) ?? [])];
    return {
      id: scenario.id,
      ...(scenario.control === true ? { control: true as const } : {}),
      ...fieldsOf(scenario),
      rounds,
      summary: state.final ? withPooledTails(summarise(rounds), rounds) : summarise(rounds),
      limitedBy: limitedBy(rounds, loadEnvironment),
    };
  });
  const shown = shownTarget(target);
  const control = judgeControl(scenarios);
  const claims = judgeClaims({ target: shown, scenarios });
  return {
    schemaVersion: 1,
    complete: state.complete,
    name: state.name,
    ...(state.session === undefined ? {} : { session: state.session }),
    ...(state.resumed === undefined ? {} : { resumed: state.resumed }),
    startedAt: state.startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    seed: experiment.seed,
    tool: describeTool(),
    environment,
    target: shown,
    // A resumed run also has the notes of its first target, which are the same.
    warnings: [
      ...new Set([...target.notes, ...state.warnings, ...latencyWarnings(withoutControls({ scenarios }))]),
    ],
    config: keptConfig(experiment, target),
    scenarios,
    ...(control === undefined ? {} : { control }),
    claims,
    // Half a run can cross a threshold that the whole would not, and the other way round.
    thresholds: state.complete
      ? judgeThresholds(experiment.thresholds, {
          target: shown,
          scenarios: withoutControls({ scenarios }),
          claims,
        })
      : [],
  };
}

/** The config as results keep it, without passwords. A run is resumed only if it is the same. */
export function keptConfig(experiment: Experiment, { declared }: Pick<Target, 'declared'>): Experiment {
  // The declared URL is the one without its password.
  return { ...experiment, target: withoutPasswords(experiment.target, declared.url) };
}
