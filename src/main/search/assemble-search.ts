import { describeKnee } from '../../aggregate/search/describe-knee.ts';
import type { Search, SearchStep } from '../../aggregate/search/schema.ts';
import { withoutPasswords } from '../config/target.ts';
import { describeEnvironment, describeTool } from '../environment.ts';
import { shownTarget } from '../target/find-target.ts';
import type { Target } from '../target/resolve.ts';
import type { SearchPlan } from './plan-search.ts';

/** What a search knows when it writes its results: after every step, and at its end. */
export interface SearchState {
  readonly plan: SearchPlan;
  readonly target: Target;
  readonly startedAt: Date;
  readonly steps: readonly SearchStep[];
  readonly complete: boolean;
  readonly warnings: readonly string[];
}

/** The search as of now: plain data. */
export function assembleSearch({ plan, target, startedAt, steps, complete, warnings }: SearchState): Search {
  const { experiment, conditions, range } = plan;
  const { id, threads, workers, connections } = plan.scenario;
  const { precision } = range;
  return {
    schemaVersion: 1,
    complete,
    name: experiment.name,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    seed: experiment.seed,
    tool: describeTool(),
    environment: describeEnvironment(),
    target: shownTarget(target),
    warnings: [...warnings],
    config: { ...experiment, target: withoutPasswords(experiment.target, target.declared.url) },
    scenario: { id, threads, workers, connections },
    conditions,
    precision,
    steps: [...steps],
    knee: describeKnee(steps, { complete, precision }),
  };
}
