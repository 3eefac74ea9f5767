import type { ScenarioResult } from './result.ts';

export interface SettingGroup {
  /** For a reader: "ioredis", and of the rest what differs between the groups: "ioredis, baseline pool, pipeline 10". */
  readonly label: string;
  /** The same with preset and depth in any case. */
  readonly heading: string;
  readonly scenarios: readonly ScenarioResult[];
}

/** What a scenario is but for its pools, workers and sizes. Scenarios alike in these make one setting, and one table. */
const aspects: readonly ((scenario: ScenarioResult) => string)[] = [
  scenario => scenario.client,
  scenario => `${scenario.pool} pool`,
  scenario => `pipeline ${scenario.pipeline}`,
  scenario => `probe ${scenario.probe}`,
  scenario => `health TTL ${scenario.healthTtlMs} ms`,
  scenario => describeArrival(scenario.arrival),
];

/** Groups scenarios by setting, in the order of their first scenarios. */
export function groupBySetting(scenarios: readonly ScenarioResult[]): SettingGroup[] {
  const differs = aspects.map(describe => new Set(scenarios.map(describe)).size > 1);
  const groups = new Map<string, SettingGroup & { scenarios: ScenarioResult[] }>();
  for (const scenario of scenarios) {
    const described = aspects.map(describe => describe(scenario));
    const key = described.join('\n');
    const group = groups.get(key) ?? {
      label: described.filter((_, index) => index === 0 || differs[index]).join(', '),
      heading: described.filter((_, index) => index < 3 || differs[index]).join(', '),
      scenarios: [],
    };
    group.scenarios.push(scenario);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** "closed loop", or the kind of an open loop with its rate: "poisson at 2000/s". */
export function describeArrival(arrival: ScenarioResult['arrival']): string {
  if (arrival.kind === 'closed') return 'closed loop';
  return arrival.rate === undefined ? arrival.kind : `${arrival.kind} at ${arrival.rate}/s`;
}
