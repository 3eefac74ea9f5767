import type { ScenarioResult, Verdict } from '../../result.ts';
import { type Prediction, verdictOf } from './prediction.ts';
import { findFlaw } from './soundness.ts';

/** What one client's scenarios say. */
export interface ClientFinding {
  readonly client: string;
  readonly predictions: readonly Prediction[];
  /** Why the figures are no ground for a verdict, as a clause; null if they are. */
  readonly flaw: string | null;
  readonly verdict: Verdict;
}

/** Judges each client by itself; one without arms for the claim is left out. */
export function findByClient(
  scenarios: readonly ScenarioResult[],
  predict: (scenarios: readonly ScenarioResult[]) => readonly Prediction[],
  proof: (scenarios: readonly ScenarioResult[]) => string | null,
): ClientFinding[] {
  return [...new Set(scenarios.map(({ client }) => client))].flatMap(client => {
    const ofClient = scenarios.filter(scenario => scenario.client === client);
    const predictions = predict(ofClient);
    if (predictions.length === 0) return [];
    const flaw = findFlaw(predictions) ?? proof(ofClient);
    return [{ client, predictions, flaw, verdict: flaw === null ? decide(predictions) : 'inconclusive' }];
  });
}

function decide(predictions: readonly Prediction[]): Verdict {
  const verdicts = predictions.map(verdictOf);
  if (verdicts.includes('refuted')) return 'refuted';
  return verdicts.includes('inconclusive') ? 'inconclusive' : 'supported';
}

/**
 * The predictions that made the verdict, the one that tells it first: of a refuted claim those that fail, of an open one
 * those that stay open, of a supported one its headline. None where a flaw did.
 */
export function findDeciding({ predictions, flaw, verdict }: ClientFinding): readonly Prediction[] {
  if (flaw !== null) return [];
  const asVerdict = predictions.filter(prediction => verdictOf(prediction) === verdict);
  return verdict === 'supported' ? asVerdict.slice(0, 1) : asVerdict;
}

/** The predictions that are each a chance of their own to err by luck. */
export function countChances({ predictions }: ClientFinding): number {
  return predictions.filter(({ restates }) => restates !== true).length;
}

/** One verdict of several settings: that on which all agree, else `inconclusive`. */
export function agree(verdicts: readonly Verdict[]): Verdict {
  const [first, ...others] = verdicts;
  return first !== undefined && others.every(other => other === first) ? first : 'inconclusive';
}

/** That several settings have no verdict in common, as a sentence; null if they have one. */
export function sayDisagreement(
  settings: readonly { readonly verdict: Verdict }[],
  called: 'clients' | 'settings',
): string | null {
  const verdicts = new Set(settings.map(({ verdict }) => verdict));
  if (verdicts.size < 2) return null;
  return verdicts.has('supported') && verdicts.has('refuted')
    ? `The ${called} do not agree.`
    : 'Not every setting gives a verdict.';
}
