import { randomUUID } from 'node:crypto';
import type { RoundResult } from '../../aggregate/result.ts';
import { asError } from '../errors.ts';
import { estimateSeconds, type Plan, type Turn } from '../experiment/plan.ts';
import type { RunSize } from '../live/snapshot.ts';
import type { EarlierRun } from './earlier-run.ts';
import { type Side, SideRun, type SideSession, type SideState } from './side.ts';
import { Threads } from './threads.ts';

/** One round, as it is measured. */
export interface Round {
  /** From 1. */
  readonly round: number;
  /** The number of rounds; 0 if it is not known beforehand. */
  readonly rounds: number;
  readonly turns: readonly Turn[];
  /** Planned seconds from the start of each turn to the end of the run; undefined if they are not known. */
  readonly secondsLeft?: readonly number[];
  /** Is shown in place of round and index, if their totals are not known. */
  readonly place?: string;
}

interface RoundsRun {
  /** One, or several that are measured in turn within every round; never none. */
  readonly sides: readonly Side[];
  /** Yields the next round after the one before was measured and kept, so that it can depend on what was found. */
  readonly rounds: Iterable<Round>;
  readonly size: RunSize;
  readonly session: SideSession;
  /** The suite of a ledger. */
  readonly suite?: string | undefined;
  /** What one side already has, if it is resumed. */
  readonly earlier?: EarlierRun | undefined;
  /**
   * Is called after every round that was not interrupted, with the result of each turn. By default it saves all sides.
   */
  readonly afterRound?: (measured: readonly (RoundResult | null)[], save: Save) => Promise<unknown>;
}

/** Writes the results of every side so far. */
type Save = () => Promise<readonly SideState[]>;

/** How a run ended: what was measured on each side, and the error that ended it early. */
export interface RoundsOutcome {
  readonly sides: readonly SideState[];
  readonly error: Error | undefined;
}

/** The rounds of a plan, except those that are finished. */
export function* roundsOf(plan: Plan, finished = 0): Generator<Round> {
  const secondsOf = (turns: readonly Turn[]) => estimateSeconds(plan, turns);
  for (const [index, turns] of plan.rounds.entries()) {
    if (index < finished) continue;
    const secondsLater = secondsOf(plan.rounds.slice(index + 1).flat());
    const secondsLeft = turns.map((_, place) => secondsOf(turns.slice(place)) + secondsLater);
    yield { round: index + 1, rounds: plan.rounds.length, turns, secondsLeft };
  }
}

/** Runs the rounds of a plan, except those that an earlier run has finished. @throws as `runRounds` */
export function runPlan(plan: Plan, run: Omit<RoundsRun, 'rounds' | 'size'>): Promise<RoundsOutcome> {
  const finished = run.earlier?.finished.count ?? 0;
  const turns = plan.rounds.slice(finished).flat();
  const size = { measurements: turns.length, seconds: estimateSeconds(plan, turns) };
  return runRounds({ ...run, rounds: roundsOf(plan, finished), size });
}

/**
 * Runs all rounds on all sides. It writes each side's result.json and report.md after every round, and the page and the
 * files for other tools at the end. A lost target or a failed thread ends the run early, on all sides, with what
 * was measured kept; the run's keys are removed and its threads ended either way. Targets are left to the session.
 *
 * @throws PoolbenchError of the preflight, or of the claim of a key prefix, before any load
 */
export async function runRounds(run: RoundsRun): Promise<RoundsOutcome> {
  const { sides, session, earlier } = run;
  // Threads take longest to start, so they start while the targets are prepared.
  const threads = new Threads(
    Math.max(...sides.flatMap(({ scenarios }) => scenarios.map(scenario => scenario.threads))),
  );
  const sessionId = sides.length > 1 ? randomUUID() : undefined;
  const startedAt = earlier?.startedAt ?? new Date();
  const shared = { session, threads, startedAt, sessionId, earlier };
  const runs = sides.map(side => new SideRun(side, shared));

  let error: Error | undefined;
  try {
    // Before any claim: else a side would take the keys of another for those of an earlier run.
    for (const side of runs) await side.preflight();
    try {
      for (const side of runs) await side.claim();
      error = await runUntilError(run, runs);
    } finally {
      for (const side of runs) await side.removeKeys();
    }
  } finally {
    await threads.close();
  }
  const saved = await saveAll(runs, {
    complete: error === undefined && !session.signal.aborted,
    final: true,
  });
  return {
    sides: saved,
    error: error ?? saved.find(({ written }) => written.error !== undefined)?.written.error,
  };
}

/** @returns the error that ended the rounds early */
async function runUntilError(
  { rounds, size, session, suite, afterRound = (_, save) => save() }: RoundsRun,
  sides: readonly SideRun[],
): Promise<Error | undefined> {
  const { progress, signal } = session;
  try {
    const plannedSeconds = size.seconds === undefined ? undefined : size.seconds / sides.length;
    for (const side of sides) await side.prepare(plannedSeconds);
    progress.begin(size);
    for (const { turns, secondsLeft, ...round } of rounds) {
      const measured: (RoundResult | null)[] = [];
      for (const [index, { side, scenario }] of turns.entries()) {
        if (signal.aborted) return undefined;
        const left = secondsLeft?.[index];
        const step = {
          ...round,
          suite,
          index: index + 1,
          total: turns.length,
          ...(left === undefined ? {} : { secondsLeft: left }),
        };
        measured.push((await sides[side]?.measure(scenario, step)) ?? null);
      }
      if (signal.aborted) return undefined;
      await afterRound(measured, () => saveAll(sides, { complete: false, final: false }));
    }
    return undefined;
  } catch (cause) {
    return asError(cause);
  } finally {
    progress.end();
  }
}

async function saveAll(
  sides: readonly SideRun[],
  state: { readonly complete: boolean; readonly final: boolean },
): Promise<SideState[]> {
  const saved: SideState[] = [];
  for (const side of sides) saved.push(await side.save(state));
  return saved;
}
