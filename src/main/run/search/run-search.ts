import type { RoundResult } from '../../../aggregate/result.ts';
import { describeKnee } from '../../../aggregate/search/knee.ts';
import type { Search, SearchStep } from '../../../aggregate/search/schema.ts';
import { describeStep, passes } from '../../../aggregate/search/step.ts';
import { describeStepLine, formatSearchRate } from '../../../aggregate/search/words.ts';
import { shownTarget, surroundingsOf } from '../../server/find-target.ts';
import type { Target } from '../../server/resolve.ts';
import { keptConfig } from '../assemble.ts';
import { describeEnvironment, describeTool } from '../environment.ts';
import { writeSearch } from '../results/results-folder.ts';
import { type Round, runRounds } from '../rounds.ts';
import type { Session } from '../session.ts';
import type { SideState } from '../side.ts';
import { KneeSearch } from './knee-search.ts';
import type { SearchPlan } from './plan-search.ts';

/** How a search ended: what it found, and the error that ended it early. */
export interface SearchOutcome {
  readonly search: Search;
  /** Whether all of its files were written. */
  readonly written: boolean;
  readonly error: Error | undefined;
}

/**
 * Searches, and writes what is found after every step: search.json and search.md into the session's folder, the figures
 * of the steps into its folder `steps`. What ends it early is returned, with what was found kept.
 *
 * @throws as `runRounds`, before any load
 */
export async function runSearch(plan: SearchPlan, target: Target, session: Session): Promise<SearchOutcome> {
  const { side, conditions, range, at } = plan;
  const { folder, progress } = session;
  const startedAt = new Date();
  const surroundings = surroundingsOf(target, describeEnvironment().cores);
  const knee = new KneeSearch(range);
  const steps: SearchStep[] = [];
  let rate = range.start;
  /** Of the step that is under way. */
  let repeats: RoundResult[] = [];
  let stopped = false;

  const conclude = (verdict: SearchStep['verdict']) => {
    steps.push(describeStep({ step: steps.length + 1, rate, verdict }, repeats, conditions, surroundings));
    repeats = [];
  };
  const assemble = (state: SideState, complete: boolean) =>
    assembleSearch(plan, { target, startedAt, steps, complete, warnings: state.warnings });
  /** Resolves to what kept one of the files from being written. */
  const write = async (search: Search, { written }: SideState) =>
    (await writeSearch(folder, search)).error ?? written.error;
  function* rounds(): Generator<Round> {
    for (let round = 1, next = knee.next; next !== null && !stopped; round++, next = knee.next) {
      rate = next.rate;
      const place = `step ${next.step}  ${formatSearchRate(rate)}  repeat ${next.repeat}`;
      yield { round, rounds: 0, turns: [{ side: 0, scenario: at(rate) }], place };
    }
  }

  // A threshold is for a run; most steps of a search are to be far from it.
  const experiment = { ...side.experiment, thresholds: {} };
  const { sides, error } = await runRounds({
    sides: [{ ...side, experiment, target, folder: session.parts[0] ?? folder }],
    rounds: rounds(),
    size: {},
    session,
    async afterRound([repeat], saveSides) {
      // One that was cut short is no repeat.
      stopped = !repeat;
      if (!repeat) return;
      repeats.push(repeat);
      const step = knee.add(passes(repeat, conditions));
      if (step === null) return;
      conclude(step.verdict);
      const last = steps.at(-1);
      if (last !== undefined) progress.say(describeStepLine(last));
      for (const state of await saveSides()) {
        const unwritten = await write(assemble(state, false), state);
        if (unwritten !== undefined) throw unwritten;
      }
    },
  });
  if (repeats.length > 0) conclude('unfinished');
  const [state] = sides;
  if (state === undefined) throw new Error('a search has one side');
  const search = assemble(state, state.result.complete && knee.next === null);
  const unwritten = await write(search, state);
  return { search, written: unwritten === undefined, error: error ?? unwritten };
}

/** What a search knows when it writes its results: after every step, and at its end. */
interface SearchState {
  readonly target: Target;
  readonly startedAt: Date;
  readonly steps: readonly SearchStep[];
  readonly complete: boolean;
  readonly warnings: readonly string[];
}

/** The search as of now: plain data. */
function assembleSearch(
  { side, scenario, conditions, range }: SearchPlan,
  { target, startedAt, steps, complete, warnings }: SearchState,
): Search {
  const { experiment } = side;
  const { id, threads, workers, connections } = scenario;
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
    config: keptConfig(experiment, target),
    scenario: { id, threads, workers, connections },
    conditions,
    precision,
    steps: [...steps],
    knee: describeKnee(steps, { complete, precision }),
  };
}
