import type { GateResult } from '../comparison/schema.ts';
import type { ScenarioResult } from '../result.ts';
import type { MedianMetric } from '../stats/metrics.ts';
import type { Chances } from '../stats/sign-test.ts';
import type { Interval } from '../stats/statistics.ts';
import { isWorstStall } from '../stats/tails.ts';
import { asSentence } from '../text/format.ts';

/** A condition on the change of a metric from one side to another. A build fails if it is met. */
export interface Gate {
  /** "response.p99 > +5%". */
  readonly condition: string;
  readonly metric: MedianMetric;
  /** The side of the threshold on which a change fails the build. */
  readonly fails: 'above' | 'below';
  /** A ratio: 1.05 for +5 %. */
  readonly threshold: number;
}

/**
 * What an interval of the ratio decides: it lies beyond the threshold, or not beyond it, or on both sides. A ratio that is
 * equal to the threshold is not beyond it.
 *
 * @param flaw why the figures decide nothing, as a clause; null if they can
 */
export function outcomeOf(
  { fails, threshold }: Pick<Gate, 'fails' | 'threshold'>,
  { low, high }: Pick<Interval, 'low' | 'high'>,
  flaw: string | null = null,
): GateResult['outcome'] {
  if (flaw !== null) return 'cannot tell';
  const isAbove = fails === 'above';
  if (isAbove ? low > threshold : high < threshold) return 'beyond';
  return (isAbove ? high <= threshold : low >= threshold) ? 'within' : 'cannot tell';
}

/**
 * Any of the comparisons of a run can fail the build, so they share the chance to do so in error. It passes only if all of
 * them pass, so they do not share that chance.
 */
export function chancesOf({ fails }: Gate, comparisons: number): Chances {
  return fails === 'above' ? { above: comparisons } : { below: comparisons };
}

/** What a gate was judged by. */
interface Found extends Omit<GateResult, 'condition' | 'threshold' | 'reason'> {
  /** Why the figures decide nothing, as a clause; null if they can. */
  readonly flaw: string | null;
  /** What an interval on both sides of the threshold excludes, and what would decide it, as a clause. */
  readonly outlook: () => string;
  readonly arms: readonly ScenarioResult[];
}

/** A gate as results show it. */
export function shownGate(gate: Gate, { flaw, outlook, arms, ...found }: Found): GateResult {
  const { condition, threshold } = gate;
  const why = flaw ?? (found.outcome === 'cannot tell' ? outlook() : null);
  const sentences = [...(why === null ? [] : [asSentence(why)]), ...describeStall(gate, arms)];
  return { condition, threshold, ...found, reason: sentences.join(' ') };
}

/**
 * An undecided gate.
 *
 * @param why as a clause
 * @param scenario null: no scenario can decide it
 */
export function undecided(gate: Gate, side: string, why: string, scenario: string | null = null): GateResult {
  const nothing = { outcome: 'cannot tell', ratio: null, rounds: null, runs: null, arms: [] } as const;
  return shownGate(gate, { side, scenario, flaw: why, outlook: () => why, ...nothing });
}

/**
 * That a figure is practically the worst stall, as a sentence; empty if it is not. A gate judges it, as a threshold does,
 * because it is a real figure. A lower bound is explained by `outlook`.
 */
function describeStall({ metric }: Gate, arms: readonly ScenarioResult[]): string[] {
  return arms.some(arm => isWorstStall(metric, arm))
    ? [`The ${metric.name} is practically the worst stall of a round; use longer windows (--seconds).`]
    : [];
}
