import type { ControlResult, MeasuredResult, ScenarioResult } from '../result.ts';
import { formatRatioInterval } from '../text/format.ts';
import { throughput } from './measures.ts';
import { RoundSeries } from './round-series.ts';
import { pairByRound } from './rounds.ts';
import { changeOf } from './statistics.ts';

/**
 * Controls: arms that are measured twice. Only this file separates them from other arms and pairs them with their
 * twins.
 */

/** How the id of a control ends; what stands before is the id of its twin. */
export const controlSuffix = '-control';

/** The twin of a control, by id. */
export function twinIdOf(controlId: string): string {
  return controlId.slice(0, -controlSuffix.length);
}

/** Range of the ratio of two identical arms. An interval wholly outside it means a systematic error of the run. */
const maxDifference = { low: 0.98, high: 1.02 } as const;

/** The scenarios without the controls. */
export function withoutControls({
  scenarios,
}: {
  readonly scenarios: readonly MeasuredResult[];
}): ScenarioResult[] {
  return scenarios.filter(scenario => scenario.control === undefined) as ScenarioResult[];
}

/** Two identical arms of a run. */
interface ControlPair {
  readonly control: MeasuredResult;
  readonly twin: MeasuredResult;
}

/** Every control with its twin. */
export function controlPairs(scenarios: readonly MeasuredResult[]): ControlPair[] {
  const byId = new Map(scenarios.map(scenario => [scenario.id, scenario]));
  return scenarios.flatMap(control => {
    const twin = control.control === true ? byId.get(twinIdOf(control.id)) : undefined;
    return twin === undefined ? [] : [{ control, twin }];
  });
}

/**
 * Throughput ratio of two identical arms: in each round the geometric mean of all controls / twins, and of these the
 * median over the rounds with its interval. There is one statistic for the run, because with one for each block, some
 * would differ by chance in most large runs.
 *
 * @returns undefined without a control, or without a round that all of them and their twins have measured
 */
export function judgeControl(scenarios: readonly MeasuredResult[]): ControlResult | undefined {
  const pairs = controlPairs(scenarios);
  const ratios = pairs.map(({ control, twin }) => pairByRound(twin, control, throughput).series);
  const series = RoundSeries.combine(ratios);
  if (series.size === 0) return undefined;
  return {
    ratio: series.interval(),
    rounds: series.roundsCounted,
    controls: pairs.map(({ control }) => control.id),
  };
}

/**
 * "Two identical arms: ×1.01 [0.97, 1.04] in throughput, where ×1 is right. They do not differ measurably.": the ratio, and
 * what it means.
 *
 * @param side the name of the side that measured them, if there are several
 */
export function describeControl(control: ControlResult, side?: string): string {
  const measured = `Two identical arms${side === undefined ? '' : ` on ${side}`}: ${formatRatioInterval(control.ratio)} in throughput, where ×1 is right.`;
  return `${measured} ${describeMeaning(control)}`;
}

function describeMeaning(control: ControlResult): string {
  const { low, high } = control.ratio;
  if (findControlFlaw(control) !== null)
    return 'They differ by more than 2 %, so the figures of this run do not allow a verdict: something else changed while it ran. Stop other programs, and run it again.';
  if (low > 1 || high < 1) return 'They differ, but perhaps by less than 2 %, which is too little to matter.';
  return changeOf(control.ratio) === 'same'
    ? 'They do not differ measurably.'
    : 'They do not differ measurably, but the interval is wide: this run can only show differences larger than that.';
}

/** Why a run gives no verdict, as a clause: two identical arms clearly differ. Null if they do not. */
export function findControlFlaw(control: ControlResult | undefined): string | null {
  if (control === undefined) return null;
  const { low, high } = control.ratio;
  if (high >= maxDifference.low && low <= maxDifference.high) return null;
  return `two identical arms differ: their throughput ratio is ${formatRatioInterval(control.ratio)}`;
}
