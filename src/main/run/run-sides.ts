import { randomUUID } from 'node:crypto';
import type { Result } from '../../aggregate/result.ts';
import type { Progress } from '../live/progress.ts';
import { estimateTurns, interleave, type Turn } from '../plan/interleave.ts';
import type { Written } from '../results/results-folder.ts';
import type { EarlierRun } from './earlier-run.ts';
import type { Side } from './side.ts';
import { SideRun } from './side-run.ts';
import { Threads } from './threads.ts';

export interface SidesRun {
  /** One, or several that are measured in turn within every round; never none. */
  readonly sides: readonly Side[];
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  /** Loads a database that holds keys of others, too. */
  readonly force: boolean;
  /** Of a ledger. */
  readonly suite?: string | undefined;
  /** What there is already of one side, where that is resumed. */
  readonly earlier?: EarlierRun | undefined;
}

/** How a run ended: whatever was measured, a result for each side and its files, and the error that ended it early. */
export interface SidesOutcome {
  readonly results: readonly Result[];
  /** In the order of the results. */
  readonly written: readonly Written[];
  readonly error: Error | undefined;
}

/**
 * Measures every scenario on every side in every round, and writes each side's result.json and report.md after every
 * round, and what is made of it for readers and other tools at the end. A lost target or a failed thread ends the run
 * early, on all sides, with what was measured kept; the run's keys are removed and its threads ended either way. Targets
 * are left to the caller to stop.
 *
 * @throws PoolbenchError of the preflight, before any load
 */
export async function runSides({
  sides,
  progress,
  signal,
  force,
  suite,
  earlier,
}: SidesRun): Promise<SidesOutcome> {
  const experiments = sides.map(side => side.experiment);
  const rounds = interleave(experiments);
  // Threads take longest to start, so they start while the targets are prepared.
  const threads = new Threads(Math.max(...(rounds[0] ?? []).map(({ scenario }) => scenario.threads)));
  const session = sides.length > 1 ? randomUUID() : undefined;
  const startedAt = earlier?.startedAt ?? new Date();
  const shared = { threads, startedAt, session, progress, signal, force, earlier };
  const runs = sides.map(side => new SideRun(side, shared));

  let error: Error | undefined;
  try {
    // Before any claims, so that none takes another's for that of a run gone by.
    for (const run of runs) await run.preflight();
    try {
      for (const run of runs) await run.claim();
      error = await measureAll(runs, rounds, {
        progress,
        signal,
        suite,
        finished: earlier?.finished.count ?? 0,
        secondsOf: turns => estimateTurns(turns, experiments),
      });
    } finally {
      for (const run of runs) await run.removeKeys();
    }
  } finally {
    await threads.close();
  }
  const saved = await saveAll(runs, { complete: error === undefined && !signal.aborted, final: true });
  return {
    results: saved.map(({ result }) => result),
    written: saved.map(({ written }) => written),
    error: error ?? saved.find(({ written }) => written.error !== undefined)?.written.error,
  };
}

/** Resolves to what ended it early, if anything did. */
async function measureAll(
  runs: readonly SideRun[],
  rounds: readonly (readonly Turn[])[],
  {
    progress,
    signal,
    suite,
    finished,
    secondsOf,
  }: Pick<SidesRun, 'progress' | 'signal' | 'suite'> & {
    /** Rounds that an earlier run has measured. */
    finished: number;
    secondsOf: (turns: readonly Turn[]) => number;
  },
): Promise<Error | undefined> {
  try {
    for (const run of runs) await run.prepare();
    const left = rounds.slice(finished).flat();
    progress.begin({ measurements: left.length, seconds: secondsOf(left) });
    for (const [index, turns] of rounds.entries()) {
      if (index < finished) continue;
      const secondsLater = secondsOf(rounds.slice(index + 1).flat());
      for (const [place, { side, scenario }] of turns.entries()) {
        if (signal.aborted) return undefined;
        await runs[side]?.measure(scenario, {
          suite,
          round: index + 1,
          rounds: rounds.length,
          index: place + 1,
          total: turns.length,
          secondsLeft: secondsOf(turns.slice(place)) + secondsLater,
        });
      }
      if (signal.aborted) return undefined;
      await saveAll(runs, { complete: false, final: false });
    }
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause));
  } finally {
    progress.end();
  }
}

async function saveAll(runs: readonly SideRun[], state: Parameters<SideRun['save']>[0]) {
  const saved: Awaited<ReturnType<SideRun['save']>>[] = [];
  for (const run of runs) saved.push(await run.save(state));
  return saved;
}
