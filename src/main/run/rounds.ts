import { randomUUID } from 'node:crypto';
import type { Arm, Question } from '../../aggregate/questions.ts';
import type { RoundResult } from '../../aggregate/result.ts';
import type { RoundsRange } from '../../aggregate/stats/sign-test.ts';
import { isFixed } from '../../aggregate/stats/sign-test.ts';
import { formatDuration, formatPlural } from '../../aggregate/text/format.ts';
import { timeOfDay } from '../../pool/clock.ts';
import { asError, PoolbenchError } from '../errors.ts';
import { type Plan, secondsAtLeast, secondsOfTurns, type Turn } from '../experiment/plan.ts';
import { extentsOf } from '../experiment/populations.ts';
import type { StepCourse } from '../live/snapshot.ts';
import { foundOn } from './assemble.ts';
import { armsOfBlocks, Course, type DueRound, type Ended, type Found, type RunEnd } from './course.ts';
import type { EarlierRun } from './earlier-run.ts';
import { type SaveState, type Side, SideRun, type SideSession, type SideState } from './side.ts';
import { type LoadThreads, Threads } from './threads.ts';

/** One round of measurements. */
export interface Round {
  /** From 1. */
  readonly round: number;
  /** The number of rounds; 0 if not known in advance. */
  readonly rounds: number;
  /** Whether there can be fewer. */
  readonly untilDecided?: boolean;
  readonly turns: readonly Turn[];
  /** The position of each turn in the run; undefined if not known. */
  readonly courses?: readonly StepCourse[];
  /** Text to print before the round. */
  readonly news?: string;
  /** Scenarios that get only the rounds up to the first look. */
  readonly unasked?: ReadonlySet<string>;
  /** Shown instead of round and index, if their totals are not known. */
  readonly place?: string;
}

interface RoundsRun {
  /** One side, or several that are measured in turn within every round. */
  readonly sides: readonly Side[];
  /** Yields the next round after the previous one was measured and saved, so that it can depend on the results. */
  readonly rounds: (found: Found) => Iterator<Round, RoundsEnd | undefined>;
  /** The minimum time of the measurements; undefined if not known. */
  readonly minSeconds?: number;
  /** Rounds of every scenario, for the judgement. */
  readonly plannedRounds: RoundsRange;
  /** The arms of each block, without controls; absent without a plan. */
  readonly blocks?: readonly (readonly Arm[])[];
  readonly session: SideSession;
  /** The suite of a ledger. */
  readonly suite?: string | undefined;
  /** What a resumed side already has. */
  readonly earlier?: EarlierRun | undefined;
  /**
   * Called after every round that was not interrupted, with the result of each turn. By default it saves all sides.
   */
  readonly afterRound?: (measured: readonly (RoundResult | null)[], save: Save) => Promise<unknown>;
}

/** Why rounds ended by themselves. */
interface RoundsEnd {
  readonly ended: Ended;
  readonly unasked: ReadonlySet<string>;
  /** As text; null if there is nothing to report. */
  readonly news: string | null;
}

/** Writes the results of every side so far. */
type Save = () => Promise<readonly SideState[]>;

/** The outcome of a run: what was measured on each side, and the error that ended it early. */
export interface RoundsOutcome {
  readonly sides: readonly SideState[];
  readonly error: Error | undefined;
}

/** The rounds of a plan, except those that are finished. */
export function* roundsOf(plan: Plan, found: Found, finished = 0): Generator<Round, RoundsEnd> {
  const course = new Course(plan, found);
  const { atMost } = plan.rounds;
  let secondsDone = 0;
  let open: DueRound['open'] = null;
  for (let round = finished + 1; ; round++) {
    const next = course.next(round);
    if ('ended' in next) {
      const { ended, unasked } = next;
      return { ended, unasked, news: describeEnd(next, plan, round - 1) };
    }
    const { turns, ahead, unasked } = next;
    const courses = turns.map((_, place): StepCourse => {
      const secondsBefore = secondsOfTurns(plan, turns.slice(0, place));
      return {
        secondsDone: secondsDone + secondsBefore,
        secondsLeft: ahead.seconds - secondsBefore,
        measurementsLeft: ahead.measurements - place,
      };
    });
    const isNew = next.open !== null && next.open !== open;
    yield {
      ...{ round, rounds: atMost, untilDecided: !isFixed(plan.rounds), turns, courses, unasked },
      ...(isNew ? { news: describeOpenRound(next) } : {}),
    };
    open = next.open;
    secondsDone += secondsOfTurns(plan, turns);
  }
}

/** Max questions that a line names; the others are counted. */
const maxNamed = 6;

function describeOpen(open: readonly Question[]): string {
  const named = open.slice(0, maxNamed).map(({ label }) => label);
  const more = open.length - named.length;
  return `open: ${[...named, ...(more > 0 ? [`${more} more`] : [])].join('; ')}`;
}

/** "Still open: C1, 2 pools; C1, 4 pools. At most 15 more rounds, 3 min 10 s." */
function describeOpenRound({ open, ahead, pace }: DueRound): string {
  const time = formatDuration(ahead.seconds * pace);
  return `Still ${describeOpen(open ?? [])}. At most ${formatPlural(ahead.rounds, 'more round')}, ${time}.`;
}

/** Null if the run had all of its fixed number of rounds. */
function describeEnd({ ended, open, isAsked }: RunEnd, plan: Plan, rounds: number): string | null {
  const { atMost } = plan.rounds;
  if (isFixed(plan.rounds) && ended === 'rounds') return null;
  const most = rounds === atMost ? '' : ` of at most ${atMost}`;
  const why = {
    decided: 'every comparison is decided',
    rounds: isAsked ? 'this was the planned maximum' : 'more rounds would decide nothing',
    budget: `the next decision needs more rounds than fit into the budget of ${formatDuration(plan.budgetSeconds)}`,
  }[ended];
  const left = open.length === 0 ? '' : ` Still ${describeOpen(open)}.`;
  return `Ended after ${rounds}${most} rounds: ${why}.${left}`;
}

/** Runs the rounds of a plan, except those that an earlier run has finished. @throws as `runRounds` */
export function runPlan(
  plan: Plan,
  run: Omit<RoundsRun, 'rounds' | 'minSeconds' | 'plannedRounds' | 'blocks'>,
): Promise<RoundsOutcome> {
  const finished = run.earlier?.finished.count ?? 0;
  return runRounds({
    ...run,
    plannedRounds: plan.rounds,
    blocks: armsOfBlocks(plan),
    rounds: found => roundsOf(plan, found, finished),
    // At least one round follows.
    minSeconds: Math.max(1 / plan.rounds.atLeast, 1 - finished / plan.rounds.atLeast) * secondsAtLeast(plan),
  });
}

/**
 * Runs all rounds on all sides. It writes each side's result.json and report.md after every round, and the page and the
 * files for other tools at the end. A lost target or a failed thread ends the run early on all sides; what was measured
 * is kept. In every case the run's keys are removed and its threads ended. The session ends the targets.
 *
 * @throws PoolbenchError of the preflight or of the claim of a key prefix, or RESULTS_NOT_WRITABLE, before any load
 */
export async function runRounds(run: RoundsRun): Promise<RoundsOutcome> {
  const { sides, session, earlier, plannedRounds } = run;
  const blocks = sides.length > 1 ? [] : (run.blocks ?? []);
  // Threads take longest to start, so they start while the targets are prepared.
  const threads = startThreads(sides, session, earlier);
  const sessionId = sides.length > 1 ? randomUUID() : undefined;
  const startedAt = earlier?.startedAt ?? timeOfDay();
  const shared = { session, threads, startedAt, plannedRounds, blocks, sessionId, earlier };
  const runs = sides.map(side => new SideRun(side, shared));

  let error: Error | undefined;
  let ended: Ended | undefined;
  try {
    // Before any claim: otherwise a side would mistake the keys of another one for those of an earlier run.
    for (const side of runs) await side.preflight(sides);
    try {
      for (const side of runs) await side.claim();
      // From here on a killed run leaves keys behind, which are its own when it is resumed.
      await saveBeforeLoad(runs);
      ({ error, ended } = await runUntilError(run, runs));
    } finally {
      for (const side of runs) await side.removeKeys();
    }
  } finally {
    await threads.close();
  }
  const saved = await saveAll(runs, {
    complete: error === undefined && !session.signal.aborted,
    final: true,
    ended,
  });
  return {
    sides: saved,
    error: error ?? saved.find(({ written }) => written.error !== undefined)?.written.error,
  };
}

/** @throws PoolbenchError USAGE for a scenario on more hosts than there are */
function startThreads(
  sides: readonly Side[],
  { agents }: SideSession,
  earlier: EarlierRun | undefined,
): LoadThreads {
  const scenarios = sides.flatMap(side => side.scenarios);
  if (agents !== undefined)
    return agents.threads(
      scenarios,
      sides.map(({ target }) => target),
      earlier?.hosts,
    );
  const spread = scenarios.find(({ hosts }) => hosts > 1);
  if (spread !== undefined)
    throw new PoolbenchError(
      'USAGE',
      `${spread.id} runs on ${spread.hosts} hosts, but the run has no agents; use --agents ${spread.hosts}`,
    );
  return new Threads(Math.max(...sides.flatMap(extentsOf).map(({ threads }) => threads)));
}

/** @returns why the rounds ended, or the error that ended them early; neither if they were interrupted */
async function runUntilError(
  { rounds, minSeconds, session, suite, afterRound = (_, save) => save() }: RoundsRun,
  sides: readonly SideRun[],
): Promise<{ readonly ended?: Ended | undefined; readonly error?: Error }> {
  const { progress, signal } = session;
  try {
    const plannedSeconds = minSeconds === undefined ? undefined : minSeconds / sides.length;
    for (const side of sides) await side.prepare(plannedSeconds);
    progress.begin();
    const iterator = rounds(foundOn(() => sides.map(({ measured }) => measured)));
    for (let next = iterator.next(); ; next = iterator.next()) {
      const { unasked } = next.value ?? {};
      if (unasked !== undefined) for (const side of sides) side.unasked = unasked;
      if (next.done === true) {
        if (next.value?.news) progress.say(next.value.news);
        return { ended: next.value?.ended };
      }
      const { turns, courses, news, unasked: _, ...round } = next.value;
      if (news !== undefined) progress.say(news);
      const measured: (RoundResult | null)[] = [];
      for (const [index, { side, scenario }] of turns.entries()) {
        if (signal.aborted) return {};
        const course = courses?.[index];
        const step = {
          ...round,
          suite,
          index: index + 1,
          total: turns.length,
          ...(course === undefined ? {} : { course }),
        };
        measured.push((await sides[side]?.measure(scenario, step)) ?? null);
      }
      if (signal.aborted) return {};
      await afterRound(measured, () => saveAll(sides, { complete: false, final: false }));
    }
  } catch (cause) {
    return { error: asError(cause) };
  } finally {
    progress.end();
  }
}

/** @throws PoolbenchError RESULTS_NOT_WRITABLE, rather than after a load whose results cannot be written */
async function saveBeforeLoad(sides: readonly SideRun[]): Promise<void> {
  const saved = await saveAll(sides, { complete: false, final: false });
  for (const { written } of saved) if (written.error !== undefined) throw written.error;
}

async function saveAll(sides: readonly SideRun[], state: SaveState): Promise<SideState[]> {
  const saved: SideState[] = [];
  for (const side of sides) saved.push(await side.save(state));
  return saved;
}
