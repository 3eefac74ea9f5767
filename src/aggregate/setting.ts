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
  // 0 where the preset does not cache checks.
  ({ healthTtlMs }) => (healthTtlMs === 0 ? '' : `health TTL ${healthTtlMs} ms`),
  scenario => describeArrivals(scenario.arrival),
  describeFurther,
];

/** Words of an id that are told above, and the one that tells how pools lie in threads, which is a column. */
const toldElsewhere =
  /^(depth\d+|ttl\d+ms|poll|ping|closed|\d+perThread|(constant|poisson|burst)\d.*|up|down)$/;

/** What else the id names, because it varies in the run or is not at its default: "idle0.5, serial"; "" if nothing does. */
function describeFurther({ id }: ScenarioResult): string {
  const words = /workers?-(.+)$/.exec(id)?.[1]?.split('-') ?? [];
  return words.filter(word => !toldElsewhere.test(word)).join(', ');
}

/** Groups scenarios by setting, in the order of their first scenarios. */
export function groupBySetting(scenarios: readonly ScenarioResult[]): SettingGroup[] {
  // An aspect that a preset has not makes no difference.
  const differs = aspects.map(
    describe => new Set(scenarios.map(describe).filter(text => text !== '')).size > 1,
  );
  const groups = new Map<string, SettingGroup & { scenarios: ScenarioResult[] }>();
  for (const scenario of scenarios) {
    const described = aspects.map(describe => describe(scenario));
    const key = described.join('\n');
    const group = groups.get(key) ?? {
      label: described.filter((text, index) => text !== '' && (index === 0 || differs[index])).join(', '),
      heading: described.filter((text, index) => text !== '' && (index < 3 || differs[index])).join(', '),
      scenarios: [],
    };
    group.scenarios.push(scenario);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The same without the rate, which is the axis of a table of its own: "constant arrivals", "bursts of 100". */
function describeArrivals({ kind, size }: ScenarioResult['arrival']): string {
  if (kind === 'closed') return 'closed loop';
  return size === undefined ? `${kind} arrivals` : `${kind}s of ${size}`;
}

/** "closed loop", or the kind of an open loop with its rate: "poisson at 2000/s", "burst of 100 at 2000/s, up". */
export function describeArrival({ kind, rate, size, leg }: ScenarioResult['arrival']): string {
  if (kind === 'closed') return 'closed loop';
  const what = size === undefined ? kind : `${kind} of ${size}`;
  return `${what}${rate === undefined ? '' : ` at ${rate}/s`}${leg === undefined ? '' : `, ${leg}`}`;
}
