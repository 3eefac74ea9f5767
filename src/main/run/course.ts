import { type Arm, asksOf, type Question, questionsOf } from '../../aggregate/questions.ts';
import type { Result, RoundResult } from '../../aggregate/result.ts';
import { twinIdOf } from '../../aggregate/stats/control.ts';
import { isFixed, lookRounds, minRounds } from '../../aggregate/stats/sign-test.ts';
import { removeControls } from '../experiment/blocks.ts';
import { overheadSeconds, type Plan, secondsOfTurns, type Turn, turnsOf } from '../experiment/plan.ts';

/** What a run has found so far. */
export interface Found {
  /** What was measured in a round, on all sides. */
  inRound(round: number): readonly RoundResult[];
  /**
   * The result of each side at the end of a round.
   *
   * @param unasked scenarios whose number of rounds is fixed
   */
  asOf(
    round: number,
    unasked: ReadonlySet<string>,
  ): readonly Pick<Result, 'environment' | 'target' | 'scenarios'>[];
}

/** Why a run ended: all its questions are decided, it has all planned rounds, or its budget is spent. */
export type Ended = NonNullable<Result['ended']>;

/** A round to measure. */
export interface DueRound {
  readonly turns: readonly Turn[];
  /** Questions still open at the last look; null before the first look. */
  readonly open: readonly Question[] | null;
  readonly unasked: ReadonlySet<string>;
  /** The maximum from this round on, with the planned `seconds`. */
  readonly ahead: { readonly rounds: number; readonly measurements: number; readonly seconds: number };
  /** Ratio of the actual time of the rounds so far to the planned time. */
  readonly pace: number;
}

/** The end of a run. */
export interface RunEnd {
  readonly ended: Ended;
  /** Questions that remain open. */
  readonly open: readonly Question[];
  readonly unasked: ReadonlySet<string>;
  /** Whether the run has questions. */
  readonly isAsked: boolean;
}

/** How much more than its budget a run may take to reach its first look. */
const firstLookSlack = 1.25;

/**
 * The course of a run: what is measured in each round, and when the run ends. It is a function of the plan and of the
 * results of earlier rounds, so a resumed run continues as if it had not been stopped.
 *
 * The first look determines which blocks no question is about: their number of rounds is fixed, so they are looked at
 * only once (`unasked`, by scenario id; empty before). Every look asks the questions of the run. A block without open
 * questions is left out of later rounds, but a control stays with its twin. The run ends when no question is open, when
 * it has all its rounds, or when the next look would exceed the budget.
 */
export class Course {
  readonly #plan: Plan;
  readonly #found: Found;
  readonly #looks: readonly number[];
  readonly #arms: readonly (readonly Arm[])[];
  /** By the round of the look. */
  readonly #asked = new Map<
    number,
    { readonly all: readonly Question[]; readonly open: readonly Question[] }
  >();
  /** Time of the rounds up to a given one. */
  #time = { round: 0, planned: 0, measured: 0 };

  constructor(plan: Plan, found: Found) {
    this.#plan = plan;
    this.#found = found;
    this.#looks = lookRounds(plan.rounds);
    this.#arms = armsOfBlocks(plan);
  }

  /** The turns of a round after a look; none if nothing is open. */
  turnsOf(round: number): Turn[] {
    const open = this.#askBefore(round)?.open;
    if (open === undefined) return turnsOf(this.#plan, round);
    const due = this.#arms.map(arms => arms.some(arm => asksOf(open, arm)));
    const pair = this.#controlBeside(due);
    return turnsOf(this.#plan, round, (block, { id }) => due[block] === true || pair.includes(id));
  }

  /**
   * A control and its twin, which stay while any block is measured, because open questions need a check of the run in
   * every round. None if a remaining block has its own control.
   */
  #controlBeside(due: readonly boolean[]): string[] {
    const controls = this.#plan.blocks.flatMap(({ elements }, block) =>
      elements.flat().flatMap(({ id, control }) => (control === true ? [{ id, block }] : [])),
    );
    const [first] = controls;
    const isIdle = !due.includes(true) || controls.some(({ block }) => due[block]);
    return first === undefined || isIdle ? [] : [first.id, twinIdOf(first.id)];
  }

  /** The plan of the next round. Rounds must be requested in ascending order. */
  next(round: number): DueRound | RunEnd {
    const { atMost } = this.#plan.rounds;
    const asked = this.#askBefore(round);
    const end = (ended: Ended, { all, open } = asked ?? this.#ask(round - 1)): RunEnd => {
      return { ended, open, unasked: this.#unasked(round), isAsked: all.length > 0 };
    };
    if (!isFixed(this.#plan.rounds) && asked?.open.length === 0)
      return end(asked.all.length > 0 ? 'decided' : 'rounds');
    if (round > atMost) return end('rounds');

    const turns = this.turnsOf(round);
    const { planned, measured } = this.#timeBefore(round);
    const pace = planned > 0 ? measured / planned : 1;
    const roundSeconds = secondsOfTurns(this.#plan, turns) * pace;
    // Nothing can be decided before the first look, so a slow machine gets some extra time.
    const budget = this.#plan.budgetSeconds * (asked === null ? firstLookSlack : 1);
    const budgetLeft = budget - measured;
    // Verdicts ignore rounds after the last look, so after the first one, the next look must be within the budget.
    const goal = asked === null ? round : (this.#looks.find(look => look >= round) ?? round);
    if (round > minRounds && roundSeconds * (goal - round + 1) > budgetLeft) return end('budget');
    // The extra time is for slow machines. It is not part of the plan.
    const first = asked === null ? (this.#looks[0] ?? round) : round;
    const roundsInBudget = Math.floor((this.#plan.budgetSeconds - measured) / roundSeconds);
    const rounds = Math.min(atMost - round + 1, Math.max(first - round + 1, roundsInBudget));
    const ahead = {
      rounds,
      measurements: rounds * turns.length,
      seconds: rounds * secondsOfTurns(this.#plan, turns),
    };
    return { turns, open: asked?.open ?? null, unasked: this.#unasked(round), ahead, pace };
  }

  /** The scenarios of the blocks without a question at the first look; none before that. */
  #unasked(round: number): ReadonlySet<string> {
    const [first] = this.#looks;
    if (first === undefined || round <= first) return new Set();
    const { all } = this.#ask(first);
    const isAsked = (block: number) => this.#arms[block]?.some(arm => asksOf(all, arm)) === true;
    const unasked = this.#plan.blocks.filter((_, block) => !isAsked(block));
    return new Set(unasked.flatMap(({ elements }) => elements.flat().map(({ id }) => id)));
  }

  /** The questions at the last look before a round; null before the first look. */
  #askBefore(round: number) {
    const look = this.#looks.findLast(look => look < round);
    return look === undefined ? null : this.#ask(look);
  }

  #ask(round: number) {
    const known = this.#asked.get(round);
    if (known !== undefined) return known;
    const all = questionsOf(this.#found.asOf(round, this.#unasked(round)), this.#arms, this.#plan.gates);
    const asked = { all, open: all.filter(({ isDecided }) => !isDecided) };
    this.#asked.set(round, asked);
    return asked;
  }

  #timeBefore(round: number) {
    while (this.#time.round < round - 1) {
      const next = this.#time.round + 1;
      this.#time = {
        round: next,
        planned: this.#time.planned + secondsOfTurns(this.#plan, this.turnsOf(next)),
        measured: this.#time.measured + secondsOf(this.#found.inRound(next)),
      };
    }
    return this.#time;
  }
}

/** The arms of each block on the sides that have them, without controls. */
export function armsOfBlocks({ sides, blocks }: Plan): Arm[][] {
  const ofSides = sides.map(({ scenarios }) => new Set(scenarios.map(({ id }) => id)));
  return removeControls(blocks).map(({ elements }) =>
    elements
      .flat()
      .flatMap(({ id }) => ofSides.flatMap((ids, side): Arm[] => (ids.has(id) ? [{ side, id }] : []))),
  );
}

/** How long a round took, from the start of its first load to the end of its last window. */
function secondsOf(measured: readonly RoundResult[]): number {
  const times = measured.flatMap(({ startedAt, warmup, seconds }) => {
    if (startedAt === null) return [];
    const windowSeconds = Date.parse(startedAt) / 1000;
    return { start: windowSeconds - (warmup?.seconds ?? 0), end: windowSeconds + seconds };
  });
  if (times.length === 0) return 0;
  const first = Math.min(...times.map(({ start }) => start));
  const last = Math.max(...times.map(({ end }) => end));
  return overheadSeconds + (last - first);
}
