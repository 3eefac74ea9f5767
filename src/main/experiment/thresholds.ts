import { z } from 'zod';
import { claims } from '../../aggregate/claims/claims.ts';
import { findMetric, type Kind, metrics } from '../../aggregate/stats/metrics.ts';
import {
  claimPrefix,
  isAbout,
  parseCondition,
  parseThresholdKey,
  wantedVerdicts,
} from '../../aggregate/thresholds/judge-thresholds.ts';
import { suggest } from './nearest.ts';
import { judgeEach, type Refuse, rules } from './rules.ts';
import type { Scenario } from './scenarios.ts';

/** Claims that one run can judge; the others need two servers. */
const claimIds = claims.flatMap(claim => ('judgeSides' in claim ? [] : [claim.id]));

const metricNames = Object.keys(metrics);

/** A threshold that cannot be judged: what was expected, and what was found. */
interface Fault {
  readonly expected: string;
  readonly found: string;
}

export const thresholds = z
  .record(z.string(), z.string({ error: 'a condition in quotes, such as "< 5ms"' }), {
    error: 'an object such as { "response.p99": "< 5ms" }',
  })
  .check(
    rules((conditions, refuse) =>
      judgeEach(Object.keys(conditions), key => {
        const condition = conditions[key] ?? '';
        const fault = findFault(key, condition);
        if (fault !== undefined) refuse([key], fault.expected, condition, fault.found);
      }),
    ),
  )
  .prefault({})
  .meta({
    description:
      'Conditions that the run must meet, by metric, or by scenario and metric; otherwise the exit code is 99',
  });

function findFault(key: string, condition: string): Fault | undefined {
  const { metric, scenario } = parseThresholdKey(key);
  if (metric.startsWith(claimPrefix)) return findClaimFault(metric, scenario, condition);
  const known = findMetric(metric);
  if (known === undefined) {
    const expected = `${metricNames.join(', ')} or ${claimPrefix}<id>${suggest(metric, metricNames)}`;
    return { expected, found: metric };
  }
  if (parseCondition(condition, known.kind) !== null) return undefined;
  return { expected: describeKind(known.kind), found: condition };
}

function findClaimFault(metric: string, scenario: string | null, condition: string): Fault | undefined {
  const id = metric.slice(claimPrefix.length);
  if (!claimIds.includes(id))
    return { expected: `a claim that one run can judge, ${claimIds.join(', ')}`, found: id };
  if (scenario !== null)
    return { expected: `${metric} without a scenario (a claim is of the whole run)`, found: scenario };
  if (wantedVerdicts.some(verdict => verdict === condition.trim())) return undefined;
  return { expected: wantedVerdicts.map(verdict => `"${verdict}"`).join(' or '), found: condition };
}

function describeKind({ units, max, example }: Kind): string {
  const named = Object.keys(units).filter(unit => unit !== '');
  const either = '' in units ? ['no unit', ...named] : named;
  const unit = named.length === 0 ? '' : ` with ${either.join(' or ')}`;
  const limit = Number.isFinite(max) ? `, at most ${max * 100}%` : '';
  return `a condition such as "${example}": <, <=, > or >=, then a number${unit}${limit}`;
}

/** Refuses keys that apply to no scenario: they name another one, or a metric that only open loops have. */
export function checkThresholdKeys(
  conditions: Readonly<Record<string, string>>,
  scenarios: readonly Pick<Scenario, 'id' | 'arrival'>[],
  refuse: Refuse,
): void {
  judgeEach(Object.keys(conditions), key => {
    const condition = conditions[key] ?? '';
    const { scenario, metric } = parseThresholdKey(key);
    const named = scenarios.filter(({ id }) => scenario === null || id === scenario);
    const path = ['thresholds', key];
    if (named.length === 0) refuse(path, describeIds(scenario ?? '', scenarios), condition, scenario ?? '');
    else if (!named.some(({ arrival }) => isAbout(metric, arrival.kind)))
      refuse(path, `a scenario with an open loop (arrival), which has a ${metric}`, condition, key);
  });
}

function describeIds(typed: string, scenarios: readonly { readonly id: string }[]): string {
  const ids = scenarios.map(({ id }) => id);
  return `the id of a scenario of this config${suggest(typed, ids) || `, such as "${ids[0] ?? ''}"`}`;
}
