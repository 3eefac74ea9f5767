import { describeKnee } from '../../aggregate/search/describe-knee.ts';
import type { Search, SearchStep } from '../../aggregate/search/schema.ts';
import { describeEnvironment, describeTool } from '../run/environment.ts';
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
  const { server, version, threads: serverThreads, persistence } = target.detected;
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
    target: {
      declared: target.declared,
      detected: { server, version, threads: serverThreads, persistence },
      foundBy: target.foundBy,
      standIn: target.standIn,
      local: target.local,
    },
    warnings: [...warnings],
    // The declared URL is the one without its password.
    config: { ...experiment, target: { ...experiment.target, url: target.declared.url } },
    scenario: { id, threads, workers, connections },
    conditions,
    precision,
    steps: [...steps],
    knee: describeKnee(steps, { complete, precision }),
  };
}
