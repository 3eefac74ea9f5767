import type { ScenarioResult } from '../result.ts';
import { fieldOf, rows } from './scenario.ts';

export interface SettingGroup {
  /** For a reader: "ioredis", and of the rest what differs between the groups: "ioredis, baseline pool, pipeline 10". */
  readonly label: string;
  /** The same with preset and depth in any case. */
  readonly heading: string;
  readonly scenarios: readonly ScenarioResult[];
}

/** What makes a setting, in the order of the table of dimensions. */
const aspects = rows.filter(([, row]) => row.setting);

/** Groups scenarios by setting, in the order of their first scenarios. */
export function groupBySetting(scenarios: readonly ScenarioResult[]): SettingGroup[] {
  const wordsOf = (scenario: ScenarioResult) =>
    aspects.map(([key, { heading, words }]) => {
      const value = fieldOf(scenario, key);
      return heading?.(value, scenario, scenarios) ?? words(value, scenario);
    });
  const texts = scenarios.map(wordsOf);
  // Scenarios without an aspect do not differ in it.
  const differs = aspects.map(
    (_, index) => new Set(texts.map(words => words[index]).filter(text => text !== '')).size > 1,
  );
  const groups = new Map<string, SettingGroup & { scenarios: ScenarioResult[] }>();
  for (const [place, scenario] of scenarios.entries()) {
    const described = texts[place] ?? [];
    const key = described.join('\n');
    const join = (isShown: (index: number) => boolean | undefined) =>
      described.filter((text, index) => text !== '' && (isShown(index) || differs[index])).join(', ');
    const group = groups.get(key) ?? {
      label: join(index => index === 0),
      heading: join(index => aspects[index]?.[1].inEveryHeading),
      scenarios: [],
    };
    group.scenarios.push(scenario);
    groups.set(key, group);
  }
  return [...groups.values()];
}
