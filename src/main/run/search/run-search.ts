import { searchDocument } from '../../../aggregate/report/documents/search.ts';
import { renderMarkdown } from '../../../aggregate/report/markdown.ts';
import type { Result, RoundResult } from '../../../aggregate/result.ts';
import { describeKnee, nextRate, type SearchRange, type TriedRate } from '../../../aggregate/search/knee.ts';
import type { Search, SearchStep } from '../../../aggregate/search/schema.ts';
import { describeStep, passes, stepRepeats, stepVerdict } from '../../../aggregate/search/step.ts';
import { describeStepLine, formatSearchRate } from '../../../aggregate/search/words.ts';
import { usableCores } from '../../environment.ts';
import { PoolbenchError } from '../../errors.ts';
import type { Target } from '../../server/find-target.ts';
import { environmentOf } from '../../server/find-target.ts';
import { keptConfig } from '../assemble.ts';
import { jsonFile, writeAsFarAsPossible } from '../results/results-folder.ts';
import { type Round, runRounds } from '../rounds.ts';
import type { Session } from '../session.ts';
import type { Side, SideState } from '../side.ts';
import type { SearchPlan } from './plan-search.ts';

/** The outcome of a search: what it found, and the error that ended it early. */
export interface SearchOutcome {
  readonly search: Search;
  /** The figures of its steps. */
  readonly ofSteps: Result;
  /** Whether all of its files were written. */
  readonly written: boolean;
  readonly error: Error | undefined;
}

/**
 * Searches, and writes the findings after every step: search.json and search.md into the session's folder, the figures
 * of the steps into its folder `steps`. An error that ends it early is returned, and the findings are kept.
 *
 * @throws as `runRounds`, before any load
 */
export async function runSearch(
  plan: SearchPlan,
  { target, clients }: Pick<Side, 'target' | 'clients'>,
  session: Session,
): Promise<SearchOutcome> {
  const { side, conditions, range, at } = plan;
  const { resultsFolder: folder, progress } = session;
  const loadEnvironment = environmentOf(target, usableCores());
  const knee = new KneeSearch(range);
  const steps: SearchStep[] = [];
  let rate = range.start;
  /** Of the current step. */
  let repeats: RoundResult[] = [];

  const conclude = (verdict: SearchStep['verdict']) => {
    const step = describeStep(
      { step: steps.length + 1, rate, verdict },
      repeats,
      conditions,
      loadEnvironment,
    );
    steps.push(step);
    repeats = [];
    return step;
  };
  /** Writes the current search. Resolves to it, and to the error that prevented a file from being written. */
  const write = async (state: SideState, complete: boolean) => {
    const search = assembleSearch(plan, { target, state, steps, complete });
    const { error } = await writeAsFarAsPossible(folder, [
      jsonFile('search.json', search),
      { path: 'search.md', render: () => renderMarkdown(searchDocument(search)) },
    ]);
    return { search, unwritten: error ?? state.written.error };
  };
  function* rounds(): Generator<Round, undefined> {
    for (let round = 1, next = knee.next; next !== null; round++, next = knee.next) {
      rate = next.rate;
      const place = `step ${next.step}  ${formatSearchRate(rate)}  repeat ${next.repeat}`;
      yield { round, rounds: 0, turns: [{ side: 0, block: 0, scenario: at(rate) }], place };
    }
  }

  // Thresholds are for runs: the steps of a search are meant to cross them.
  const experiment = { ...side.experiment, thresholds: {} };
  const { sides, error } = await runRounds({
    // Its repeats are judged separately.
    plannedRounds: stepRepeats,
    sides: [{ ...side, experiment, target, clients, folder: session.parts[0] ?? folder }],
    rounds,
    session,
    async afterRound([repeat], saveSides) {
      if (!repeat) {
        throw new PoolbenchError(
          'NOTHING_MEASURED',
          `expected figures at ${formatSearchRate(rate)}, found none: other programs used the cores when the windows began, so the threads started too late; use longer windows (--seconds), or a less busy machine`,
        );
      }
      repeats.push(repeat);
      const step = knee.add(passes(repeat, conditions));
      if (step === null) return;
      progress.say(describeStepLine(conclude(step.verdict)));
      for (const state of await saveSides()) {
        const { unwritten } = await write(state, false);
        if (unwritten !== undefined) throw unwritten;
      }
    },
  });
  if (repeats.length > 0) conclude('unfinished');
  const [state] = sides;
  if (state === undefined) throw new Error('a search has one side');
  const { search, unwritten } = await write(state, state.result.complete && knee.next === null);
  return { search, ofSteps: state.result, written: unwritten === undefined, error: error ?? unwritten };
}

/** What a search knows when it writes its results: after every step, and at its end. */
interface SearchState {
  readonly target: Target;
  readonly state: SideState;
  readonly steps: readonly SearchStep[];
  readonly complete: boolean;
}

function assembleSearch(
  { side: { experiment }, scenario, conditions, range: { precision } }: SearchPlan,
  { target, state: { result, warnings }, steps, complete }: SearchState,
): Search {
  const { startedAt, finishedAt, seed, tool, environment, hosts } = result;
  const { id, threads, workers, connections } = scenario;
  return {
    schemaVersion: 1,
    complete,
    name: experiment.name,
    startedAt,
    finishedAt,
    seed,
    tool,
    environment,
    ...(hosts === undefined ? {} : { hosts }),
    target: result.target,
    warnings: [...warnings],
    config: keptConfig(experiment, target),
    scenario: { id, threads, workers, connections },
    conditions,
    precision,
    steps: [...steps],
    knee: describeKnee(steps, { complete, precision }),
  };
}

/** A single try of a rate. */
interface Repeat {
  readonly rate: number;
  /** From 1. */
  readonly step: number;
  /** Of the step, from 1. */
  readonly repeat: number;
}

/** Tries rates until the knee lies in a narrow enough interval, repeating each rate until its verdict is clear. */
export class KneeSearch {
  readonly #range: SearchRange;
  readonly #tried: TriedRate[] = [];
  #rate: number | null;
  /** Whether each repeat of the step passed. */
  #passed: boolean[] = [];

  constructor(range: SearchRange) {
    this.#range = range;
    this.#rate = nextRate([], range);
  }

  /** The next try; null at the end of the search. */
  get next(): Repeat | null {
    if (this.#rate === null) return null;
    return { rate: this.#rate, step: this.#tried.length + 1, repeat: this.#passed.length + 1 };
  }

  /** @param passed whether the rate met the conditions this time @returns the step, if this concluded it */
  add(passed: boolean): TriedRate | null {
    if (this.#rate === null) return null;
    this.#passed.push(passed);
    const verdict = stepVerdict(this.#passed);
    if (verdict === null) return null;
    const step = { rate: this.#rate, verdict };
    this.#tried.push(step);
    this.#passed = [];
    this.#rate = nextRate(this.#tried, this.#range);
    return step;
  }
}
