import type { ScenarioResult } from '../../result.ts';
import { formatList } from '../../text/format.ts';
import { type ArmPair, pairArms } from './arms.ts';
import { isPlain } from './plain.ts';

/** How long the document's cached health check is good for. */
const documentTtlMs = 1000;

/** A pool of a preset as the document has it: checks are a look at the socket, a cached one is good for 1 s. */
export function isAsDocumented(scenario: ScenarioResult, preset: string): boolean {
  const { pool, probe, healthTtlMs } = scenario;
  const checks = probe === 'poll' && (healthTtlMs === 0 || healthTtlMs === documentTtlMs);
  return isPlain(scenario) && pool === preset && checks;
}

/** Every pool of the preset beside its equal `baseline` pool: they differ in what the presets switch, and in that alone. */
export function pairWithBaseline(scenarios: readonly ScenarioResult[], preset: string): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isAsDocumented(scenario, 'baseline'),
    isOther: scenario => isAsDocumented(scenario, preset),
    differ: ['preset', 'minIdle', 'healthTtlMs', 'connects'],
  });
}

/** Those at one level of workers. */
export function atWorkers(pairs: readonly ArmPair[], workers: number): ArmPair[] {
  return pairs.filter(({ base }) => base.workers === workers);
}

/** Levels of a claim that a run leaves out: what it says then is not all of the claim. */
export function sayMissingLevels(pairs: readonly ArmPair[], wanted: readonly number[]): string[] {
  const missing = wanted.filter(workers => atWorkers(pairs, workers).length === 0).toSorted((a, b) => a - b);
  if (missing.length === 0) return [];
  const levels = `${formatList(missing.map(String))} worker${missing.at(-1) === 1 ? '' : 's'}`;
  return [`The run has no such arms at ${levels}, so that part is not judged.`];
}
