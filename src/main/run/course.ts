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
   * The result of each side as it was at the end of a round.
   *
   * @param unasked scenarios whose number of rounds is fixed
   */
  asOf(
    round: number,
    unasked: ReadonlySet<string>,
  ): readonly Pick<Result, 'environment' | 'target' | 'scenarios'>[];
}

/** Why a run ended: all that it was asked is decided, it has the rounds that were planned, or its budget is spent. */
export type Ended = NonNullable<Result['ended']>;

/** A round that is to be measured. */
export interface DueRound {
  readonly turns: readonly Turn[];
  /** What the last look left open; null before the first one. */
  readonly open: readonly Question[] | null;
  readonly unasked: ReadonlySet<string>;
  /** From this round on, at most; `seconds` as they are planned. */
  readonly ahead: { readonly rounds: number; readonly measurements: number; readonly seconds: number };
  /** Real time of the rounds so far to that which was planned. */
  readonly pace: number;
}

/** The end of a run. */
export interface RunEnd {
  readonly ended: Ended;
  /** What stays open. */
  readonly open: readonly Question[];
  readonly unasked: ReadonlySet<string>;
  /** Whether the run was asked anything. */
  readonly isAsked: boolean;
}

/** How much more than its budget a run may take to reach its first look. */
const firstLookSlack = 1.25;

/**
 * The course of a run: what is measured in each round, and when it ends. It is a function of the plan and of what the
 * rounds before have found, so that a run which is resumed goes on as if it had not been stopped.
 *
 * At the first look it is settled which blocks no question is about: the number of their rounds is fixed, so what they show is
 * looked at once (`unasked`, by the id of the scenario; empty before). At every look the questions of the run are asked. A
 * block in which none is open is left out of the rounds after it, but a control stays with its twin. The run ends when none
 * is open at all, when it has its rounds, or when the next look would come after its budget.
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
  /** Time of the rounds up to one of them. */
  #time = { round: 0, planned: 0, measured: 0 };

  constructor(plan: Plan, found: Found) {
    this.#plan = plan;
    this.#found = found;
    this.#looks = lookRounds(plan.rounds);
    this.#arms = armsOfBlocks(plan);
  }

  /** The turns of a round, by the look before it; none if that has left nothing open. */
  turnsOf(round: number): Turn[] {
    const open = this.#askBefore(round)?.open;
    if (open === undefined) return turnsOf(this.#plan, round);
    const due = this.#arms.map(arms => arms.some(arm => asksOf(open, arm)));
    const pair = this.#controlBeside(due);
    return turnsOf(this.#plan, round, (block, { id }) => due[block] === true || pair.includes(id));
  }

  /**
   * A control and its twin, which stay while any block is measured: the verdicts on what is open count rounds in which
   * something can be wrong with the run. None if a block that is due has a control of its own.
   */
  #controlBeside(due: readonly boolean[]): string[] {
    const controls = this.#plan.blocks.flatMap(({ elements }, block) =>
      elements.flat().flatMap(({ id, control }) => (control === true ? [{ id, block }] : [])),
    );
    const [first] = controls;
    const isIdle = !due.includes(true) || controls.some(({ block }) => due[block]);
    return first === undefined || isIdle ? [] : [first.id, twinIdOf(first.id)];
  }

  /** What follows the rounds before this one. Rounds must be asked for in ascending order. */
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
    // What is measured before the first look can decide nothing, so a machine that is slower than planned gets some more time.
    const budget = this.#plan.budgetSeconds * (asked === null ? firstLookSlack : 1);
    const budgetLeft = budget - measured;
    // No verdict counts rounds after the last look, so once there was one the next must be in reach.
    const goal = asked === null ? round : (this.#looks.find(look => look >= round) ?? round);
    if (round > minRounds && roundSeconds * (goal - round + 1) > budgetLeft) return end('budget');
    // The slack is for a machine that is slower than planned. It is not part of the plan.
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

  /** The scenarios of the blocks that no question was about at the first look; none before it. */
  #unasked(round: number): ReadonlySet<string> {
    const [first] = this.#looks;
    if (first === undefined || round <= first) return new Set();
    const { all } = this.#ask(first);
    const isAsked = (block: number) => this.#arms[block]?.some(arm => asksOf(all, arm)) === true;
    const unasked = this.#plan.blocks.filter((_, block) => !isAsked(block));
    return new Set(unasked.flatMap(({ elements }) => elements.flat().map(({ id }) => id)));
  }

  /** At the last look before a round; null before the first one. */
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
