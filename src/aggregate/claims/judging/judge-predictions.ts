import type { Comparison, ScenarioResult } from '../../result.ts';
import { medianInterval } from '../../stats/statistics.ts';
import type { Evidence, Judgement } from '../claim.ts';
import type { Prediction } from './prediction.ts';
import { agree, countChances, findByClient, findDeciding } from './prediction.ts';
import { explainFindings, sumUpFindings } from './reason.ts';

/** What a claim makes of a run. */
export interface Design {
  /** What the claim predicts, the figure it is named for first. Empty: the run has no arms for it. */
  readonly predictions: (scenarios: readonly ScenarioResult[]) => readonly Prediction[];
  /** The arms that a run must have, for a reader: "baseline and lock-free pools at 50 or 100 workers". */
  readonly needs: string;
  /** Why the arms were not what they claim to be, by their own metrics, as a clause; null if they were. */
  readonly proof?: (scenarios: readonly ScenarioResult[]) => string | null;
  /** A sentence that nobody should read the verdict without, in few words; null if it needs none. The reason has it before the remarks. */
  readonly caveat?: (scenarios: readonly ScenarioResult[]) => string | null;
  /** Further sentences for the reason: what else a reader should know. */
  readonly remarks?: (scenarios: readonly ScenarioResult[]) => readonly string[];
  /** Ratios to show beside those that are judged. */
  readonly context?: (scenarios: readonly ScenarioResult[]) => readonly Comparison[];
}

/**
 * Judges a claim that predicts one or more figures. Each client is a setting of its own. In one setting: all
 * predictions hold: supported; one fails: refuted; else inconclusive. Settings that disagree are inconclusive, and so
 * is what is not sound: fewer than 5 rounds, lost operations, or a strategy that its own metrics show to be off.
 * `measured` is of the first setting that is sound, null if none is: of a refuted claim the first prediction that fails,
 * else the first of all. The reason tells all figures.
 *
 * Several predictions are several chances to be refuted by luck, so the reason tells how large they are together. None
 * is corrected for it: that `supported` needs all of them makes it the rarer by luck.
 */
export function judgePredictions({ target, scenarios }: Evidence, design: Design): Judgement {
  const findings = findByClient(scenarios, design.predictions, design.proof ?? (() => null));
  const [first] = findings;
  if (first === undefined)
    return { ...untested(`The run has no such arms: ${design.needs}.`), lacksArms: true };
  const verdict = agree(findings.map(finding => finding.verdict));
  const sound = findings.find(({ flaw }) => flaw === null);
  const shown = sound !== undefined && verdict === 'refuted' ? findDeciding(sound)[0] : sound?.predictions[0];
  const figures = shown === undefined ? null : medianInterval(shown.byRound);
  const arms = findings.flatMap(({ predictions }) => predictions.flatMap(prediction => prediction.arms));
  const isMeasured = arms.every(arm => arm.rounds.length > 0);
  const caveat = isMeasured ? (design.caveat?.(scenarios) ?? null) : null;
  const caveats = caveat === null ? [] : [caveat];
  const remarks = isMeasured ? (design.remarks?.(scenarios) ?? []) : [];
  return {
    unit: (shown ?? first.predictions[0])?.unit ?? '×',
    measured: figures?.median ?? null,
    low: figures?.low ?? null,
    high: figures?.high ?? null,
    predictedRange: shown === undefined ? null : { low: shown.range.low, high: shown.range.high },
    verdict: target.standIn ? 'not tested' : verdict,
    reason: explainFindings(target, findings, verdict, [...new Set([...caveats, ...remarks])]),
    gist: sumUpFindings(target, findings, verdict, caveats),
    predictions: Math.max(...findings.map(countChances)),
    limitedBy: [...new Set(arms.map(arm => arm.limitedBy.resource))],
    comparisons: [
      ...findings.flatMap(({ predictions }) => predictions.flatMap(({ comparisons }) => comparisons)),
      ...(design.context?.(scenarios) ?? []),
    ],
  };
}

/** A claim about which a run says nothing, and why. */
export function untested(reason: string): Judgement {
  return {
    unit: '×',
    measured: null,
    low: null,
    high: null,
    predictedRange: null,
    verdict: 'not tested',
    reason,
    gist: '',
    predictions: 0,
    limitedBy: [],
    comparisons: [],
  };
}
