import type { ControlResult, MeasuredResult, ScenarioResult } from '../result.ts';
import { formatRatioInterval } from '../text/format.ts';
import { throughput } from './measures.ts';
import { RoundSeries } from './round-series.ts';
import { pairByRound } from './rounds.ts';

/** Controls: arms that are measured twice. Here, and only here, they are told from the arms and paired with them. */

/** How the id of a control ends; what stands before is the id of its twin. */
export const controlSuffix = '-control';

/** The twin of a control, by id. */
export function twinIdOf(controlId: string): string {
  return controlId.slice(0, -controlSuffix.length);
}

/** What a run may make of two identical arms before something must be systematically wrong with it. */
const maxDifference = { low: 0.98, high: 1.02 } as const;

/** The scenarios without the controls. */
export function withoutControls({
  scenarios,
}: {
  readonly scenarios: readonly MeasuredResult[];
}): ScenarioResult[] {
  return scenarios.filter(scenario => scenario.control === undefined) as ScenarioResult[];
}

/**
 * What a run makes of two identical arms: for each round the geometric mean over all controls of their throughput to that
 * of their twins, and over the rounds the median with its interval. One statistic a run: of one for each block, some
 * would differ by chance in most large runs.
 *
 * @returns undefined without a control, or without a round that all of them and their twins have measured
 */
export function judgeControl(scenarios: readonly MeasuredResult[]): ControlResult | undefined {
  const controls = scenarios.filter(({ control }) => control === true);
  const byId = new Map(scenarios.map(scenario => [scenario.id, scenario]));
  const ratios = controls.flatMap(control => {
    const twin = byId.get(twinIdOf(control.id));
    return twin === undefined ? [] : pairByRound(twin, control, throughput).series;
  });
  const series = RoundSeries.combine(ratios);
  if (series.size === 0) return undefined;
  return {
    ratio: series.interval(),
    rounds: series.size,
    controls: controls.map(({ id }) => id),
  };
}

/**
 * "Two identical arms: ×1.01 [0.97, 1.04].", and what it means for the verdicts if they differ.
 *
 * @param side the name of the side that measured them, if there are several
 */
export function describeControl(control: ControlResult, side?: string): string {
  const flaw = findControlFlaw(control);
  const measured = `Two identical arms${side === undefined ? '' : ` on ${side}`}: ${formatRatioInterval(control.ratio)}.`;
  return flaw === null
    ? measured
    : `${measured} They should not differ by more than 2 %, so there is no verdict.`;
}

/** Why no figure of a run is a ground for a verdict, as a clause: two identical arms clearly differ. Null if they do not. */
export function findControlFlaw(control: ControlResult | undefined): string | null {
  if (control === undefined) return null;
  const { low, high } = control.ratio;
  if (high >= maxDifference.low && low <= maxDifference.high) return null;
  return `something is systematically wrong with the run: it measured two identical arms as ${formatRatioInterval(control.ratio)}`;
}
