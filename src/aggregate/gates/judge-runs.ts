import { findFlaw } from '../claims/judging/soundness.ts';
import { whyNotAlike } from '../comparison/fairness.ts';
import type { GateResult } from '../comparison/schema.ts';
import type { Result, ScenarioResult } from '../result.ts';
import { findControlFlaw, withoutControls } from '../stats/control.ts';
import { judgedAlsoAsStall } from '../stats/measures.ts';
import { type Ends, RoundSeries } from '../stats/round-series.ts';
import { minRuns, ratioToRuns, runsToDecide } from '../stats/run-spread.ts';
import { fixedRounds } from '../stats/sign-test.ts';
import { figureOf } from '../stats/summary.ts';
import { isRange } from '../stats/tails.ts';
import { formatPlural, formatRatio } from '../text/format.ts';
import { chancesOf, type Gate, outcomeOf, shownGate, undecided } from './gate.ts';

/** A scenario of the new run, and the same in every run of the baseline. */
interface Arm {
  readonly latest: ScenarioResult;
  readonly baseline: readonly ScenarioResult[];
}

/**
 * Judges the gates by separate runs, the last one by the earlier ones: the machine drifts from run to run, so only the
 * spread of runs that should be equal shows whether a difference matters (`ratioToRuns`).
 */
export function judgeRuns(runs: readonly Result[], gates: readonly Gate[]): GateResult[] {
  const baseline = runs.slice(0, -1);
  const latest = runs.at(-1);
  if (latest === undefined) return [];
  const flaw = whyNoBaseline(baseline, latest);
  if (flaw !== null) return gates.map(gate => undecided(gate, latest.name, flaw));
  const arms = withoutControls(latest).map((arm): Arm => {
    const sameOf = (run: Result) => withoutControls(run).filter(({ id }) => id === arm.id);
    return { latest: arm, baseline: baseline.flatMap(sameOf) };
  });
  return gates.flatMap(gate =>
    arms.map(arm => judgeArm(gate, arm, { side: latest.name, comparisons: gates.length * arms.length })),
  );
}

/**
 * Why the earlier runs are not a baseline for the last one, as a clause; null if they are. Controls are checked before
 * the figures.
 */
function whyNoBaseline(baseline: readonly Result[], latest: Result): string | null {
  const runs = [...baseline, latest];
  if (baseline.length < minRuns)
    return `separate runs have no paired rounds, and the machine drifts between them, so at least ${minRuns} runs of the same machine and config must come before the new one, found ${baseline.length}; versus measures both in turn and decides by its rounds`;
  if (new Set(runs.map(({ startedAt }) => startedAt)).size < runs.length)
    return 'a run is given more than once, or two sides of one';
  for (const { name, control } of runs) {
    const flaw = findControlFlaw(control);
    if (flaw !== null) return `in ${name}, ${flaw}`;
  }
  return whyNotAlike(runs);
}

function judgeArm(
  gate: Gate,
  { latest, baseline }: Arm,
  { side, comparisons }: { readonly side: string; readonly comparisons: number },
): GateResult {
  const { metric, threshold } = gate;
  // A figure of 0 makes no ratio.
  const isAboveZero = (ends: Ends | null): ends is Ends => ends !== null && ends.low > 0;
  const figure = figureOf(metric, latest);
  const figures = baseline.map(arm => figureOf(metric, arm)).filter(isAboveZero);
  if (!isAboveZero(figure) || figures.length < baseline.length)
    return undecided(gate, side, `a run has no ${metric.name}`, latest.id);

  const arms = [latest, ...baseline];
  const before = figures.map(({ low }) => low);
  const series = new RoundSeries(before.entries(), fixedRounds(before.length));
  const flaw =
    findFlaw([{ arms, series, measure: judgedAlsoAsStall(metric) }]) ??
    (figures.some(isRange)
      ? `the ${metric.name} of a run of the baseline is only a lower bound, so the spread of the runs is unknown`
      : null);
  const chances = chancesOf(gate, comparisons);
  const { high } = ratioToRuns(before, figure.high, chances);
  const ratio = { ...ratioToRuns(before, figure.low, chances), high };
  const outcome = outcomeOf(gate, ratio, flaw);
  const outlook = () => {
    const end = gate.fails === 'above' ? ratio.high : ratio.low;
    const excluded = `${gate.fails === 'above' ? 'more' : 'less'} than ${formatRatio(end)} is excluded`;
    if (isRange(figure)) {
      const bound = `the ${metric.name} of ${side} is only a lower bound`;
      return Number.isFinite(end) ? `${bound}; ${excluded}` : bound;
    }
    const runs = runsToDecide(before, figure.low, threshold, chances);
    return `${excluded}; ${
      runs === null
        ? 'no number of runs with such a spread would decide it'
        : `a baseline of about ${formatPlural(runs, 'run')} with such a spread would decide it`
    }`;
  };
  const found = { side, scenario: latest.id, outcome, ratio, rounds: null, runs: before.length };
  return shownGate(gate, { ...found, flaw, outlook, arms });
}
