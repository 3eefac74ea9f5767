import type { ClaimResult, Comparison, Result, ScenarioResult } from '../result.ts';
import { groupBy, limitsOf } from './judging/arms.ts';
import {
  type Asked,
  agree,
  askPredictions,
  countChances,
  findDeciding,
  findSetting,
  intervalOf,
  type Prediction,
  type SettingFinding,
} from './judging/prediction.ts';
import { describeGist, describeReason } from './judging/reason.ts';

/** The input of a claim about one server. */
export interface Evidence extends Pick<Result, 'target'> {
  readonly scenarios: readonly ScenarioResult[];
}

/** The statement of a claim, and the suite that tests it. */
export interface ClaimWords {
  readonly id: string;
  /** In our own words. */
  readonly statement: string;
  readonly predicted: string;
  /** The suite in configs/claims/ with its arms, without ".json". */
  readonly suite: string;
}

/** How a claim reads a run: see `judgePredictions`. */
export interface Design {
  /** The claim's predictions, the main one first. Empty: the run lacks the arms. */
  readonly predictions: (scenarios: readonly ScenarioResult[]) => readonly Prediction[];
  /** The arms that a run must have, as text: "baseline and lock-free pools at 50 or 100 workers". */
  readonly needs: string;
  /** Why the arms' own metrics disprove what their names say, as a clause; null if they do not. */
  readonly proof?: (scenarios: readonly ScenarioResult[]) => string | null;
  /**
   * A short sentence without which the verdict would mislead; null if none is needed. The reason has it before the
   * remarks.
   */
  readonly caveat?: (scenarios: readonly ScenarioResult[]) => string | null;
  /**
   * Each part of the claim that the arms cannot decide, as sentences: with such a part, the claim can be refuted but
   * not supported. Empty without an arm of the claim.
   */
  readonly open?: (scenarios: readonly ScenarioResult[]) => readonly string[];
  /** Further sentences for the reason. */
  readonly remarks?: (scenarios: readonly ScenarioResult[]) => readonly string[];
  /** Ratios to show in addition to those that are judged. */
  readonly context?: (scenarios: readonly ScenarioResult[]) => readonly Comparison[];
}

/** A claim about one server, judged on one run by its predictions. */
export interface PredictingClaim extends ClaimWords, Design {}

/** A claim about one server with its own rule. */
export interface OwnRuleClaim extends ClaimWords {
  readonly judge: (evidence: Evidence) => Judgement;
}

/** What a claim about two servers reads from each side of a `poolbench versus`. */
export type VersusSide = Pick<Result, 'name' | 'session' | 'environment' | 'target' | 'scenarios'>;

/** A claim about two servers, judged on the results of all sides of one `poolbench versus`. */
export interface TwoServerClaim extends ClaimWords {
  readonly judgeSides: (results: readonly VersusSide[]) => Judgement;
}

/** A statement with a predicted value and a design that tests it: data and pure functions. */
export type Claim = PredictingClaim | OwnRuleClaim | TwoServerClaim;

/** What judging adds to the definition of the claim. */
export interface Judgement extends Omit<ClaimResult, 'id' | 'statement' | 'predicted'> {
  /** Whether the run has none of the claim's arms, so only its suite can test it. */
  readonly lacksArms?: true;
  /** The comparisons that the verdict depends on, which justify more rounds while they are open. Absent: none. */
  readonly asked?: readonly Asked[];
}

/**
 * Judges a claim that predicts one or more figures. Each client is a separate setting. In a setting: all predictions
 * hold: supported; one fails: refuted; otherwise inconclusive. Settings that disagree are inconclusive, as is anything
 * unsound: fewer than 6 rounds, lost operations, or a strategy that was off according to its own metrics. `measured`
 * belongs to the first sound setting, null if there is none: if the claim is refuted, the first prediction that fails,
 * otherwise the first. The reason has all figures.
 *
 * Several predictions are several chances to be refuted by accident, so the reason states their total. They are not
 * corrected for it: `supported` needs all of them, so it is rarer by accident.
 */
export function judgePredictions(evidence: Evidence, design: Design): Judgement {
  const findings = groupBy(evidence.scenarios, ({ client }) => client).flatMap(([client, ofClient]) =>
    findSetting(client, {
      predictions: design.predictions(ofClient),
      open: design.open?.(ofClient) ?? [],
      proof: () => design.proof?.(ofClient) ?? null,
    }),
  );
  return judgeFindings(evidence, findings, design);
}

/** The verdict on which these settings agree, and its figures. */
export function judgeFindings(
  { target, scenarios }: Evidence,
  findings: readonly SettingFinding[],
  design: Pick<Design, 'needs' | 'caveat' | 'remarks' | 'context'>,
): Judgement {
  const [first] = findings;
  if (first === undefined)
    return { ...untested(`The run lacks the arms for it: ${design.needs}.`), lacksArms: true };
  const verdict = agree(findings.map(finding => finding.verdict));
  const sound = findings.find(({ flaw }) => flaw === null);
  const shown = sound !== undefined && verdict === 'refuted' ? findDeciding(sound)[0] : sound?.predictions[0];
  const figures = shown === undefined ? null : intervalOf(shown);
  const predictions = findings.flatMap(finding => finding.predictions);
  const arms = predictions.flatMap(prediction => prediction.arms);
  const isMeasured = arms.every(arm => arm.rounds.length > 0);
  const caveat = isMeasured ? (design.caveat?.(scenarios) ?? null) : null;
  const caveats = caveat === null ? [] : [caveat];
  const remarks = isMeasured ? (design.remarks?.(scenarios) ?? []) : [];
  const comparisons = [
    ...predictions.flatMap(prediction => prediction.comparisons),
    ...(design.context?.(scenarios) ?? []),
  ];
  return {
    unit: (shown ?? first.predictions[0])?.unit ?? '×',
    measured: figures?.median ?? null,
    low: figures?.low ?? null,
    high: figures?.high ?? null,
    predictedRange: shown === undefined ? null : { low: shown.range.low, high: shown.range.high },
    verdict: target.standIn ? 'not tested' : verdict,
    reason: describeReason(target, findings, verdict, [...new Set([...caveats, ...remarks])]),
    gist: describeGist(target, findings, verdict, caveats),
    predictions: Math.max(...findings.map(countChances)),
    limitedBy:
      arms.length > 0
        ? limitsOf(arms)
        : [...new Set(comparisons.flatMap(({ limitedBy: { base, other } }) => [base, other]))],
    comparisons,
    asked: askPredictions(findings),
  };
}

/** A claim that a run does not test, and why. */
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
