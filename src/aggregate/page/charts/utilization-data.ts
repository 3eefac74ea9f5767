import type { PoolMetrics, ScenarioResult } from '../../result.ts';

/** Connections and workers of all pools of a scenario for a while of its window: means over the rounds. */
export interface Standing {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
  readonly total: number;
}

type Slot = PoolMetrics['utilization'][number];

/** Width of a slot of result.json. */
const slotMs = 100;

/**
 * The standings of all rounds over one another, in their order; several slots in one where there are more than `most`,
 * or where nothing changes.
 */
export function standingsOf({ rounds }: Pick<ScenarioResult, 'rounds'>, most: number): Standing[] {
  const slots = new Map<number, Slot[]>();
  for (const slot of rounds.flatMap(({ poolMetrics }) => poolMetrics.utilization)) {
    const same = slots.get(slot.atMs);
    if (same === undefined) slots.set(slot.atMs, [slot]);
    else same.push(slot);
  }
  const times = [...slots.keys()].toSorted((a, b) => a - b);
  const each = Math.max(1, Math.ceil(times.length / most));
  const standings: Standing[] = [];
  for (let first = 0; first < times.length; first += each) {
    const group = times.slice(first, first + each);
    const next = meanOf(
      group.flatMap(time => slots.get(time) ?? []),
      group[0] ?? 0,
      (group.at(-1) ?? 0) + slotMs,
    );
    const last = standings.at(-1);
    if (last !== undefined && isSame(last, next)) standings.splice(-1, 1, { ...last, untilMs: next.untilMs });
    else standings.push(next);
  }
  return standings;
}

function meanOf(slots: readonly Slot[], fromMs: number, untilMs: number): Standing {
  const mean = (figure: (slot: Slot) => number) =>
    slots.reduce((sum, slot) => sum + figure(slot), 0) / slots.length;
  return {
    fromMs,
    untilMs,
    active: mean(slot => slot.active),
    idle: mean(slot => slot.idle),
    waiting: mean(slot => slot.waiting),
    total: mean(slot => slot.total),
  };
}

function isSame(one: Standing, other: Standing): boolean {
  const { active, idle, waiting, total } = one;
  return other.active === active && other.idle === idle && other.waiting === waiting && other.total === total;
}
