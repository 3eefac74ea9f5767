import type { Interval, ScenarioResult } from '../../../result.ts';
import { namePools } from '../../../scenario/dimensions.ts';
import { bySize, groupBySetting, type SettingGroup } from '../../../scenario/setting.ts';
import { formatMs, formatPlural, formatRate } from '../../../text/format.ts';
import type { Block, Chart } from '../../blocks.ts';
import { type Axis, axisFromZero, type Format, logAxis } from '../charts/axis.ts';
import { type Line, levelChart, pointOf } from '../charts/line-chart.ts';
import { figureStrips, scenarioStrips } from '../charts/strip-chart.ts';

interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly figure: (scenario: ScenarioResult) => Interval | null;
  readonly format: Format;
  readonly axis: (values: readonly number[]) => Axis;
}

const measures: readonly Measure[] = [
  {
    name: 'Throughput',
    unit: 'ops/s',
    figure: ({ summary }) => summary?.opsPerSecond ?? null,
    format: formatRate,
    axis: values => axisFromZero('operations/s', values, formatRate),
  },
  {
    name: 'Response p99',
    unit: 'ms',
    figure: ({ summary }) => summary?.responseP99 ?? null,
    format: formatMs,
    axis: values => logAxis('ms, logarithmic', values, formatMs),
  },
];

/** More scenarios than this are a table, not a chart. */
const maxStrips = 40;

/** Throughput and p99 against workers, for each setting that has several levels of them; the others in rows. */
export function throughputCharts(scenarios: readonly ScenarioResult[]): Block[] {
  const groups = groupBySetting(scenarios.filter(({ summary }) => summary !== null));
  const levelsOf = (group: SettingGroup) => new Set(group.scenarios.map(({ workers }) => workers)).size;
  const single = groups.filter(group => levelsOf(group) <= 1);
  return [
    ...groups
      .filter(group => levelsOf(group) > 1)
      .flatMap(group => measures.flatMap(measure => againstWorkers(group, measure))),
    ...measures.flatMap(measure => ofEachScenario(single, measure)),
  ];
}

function againstWorkers(
  { heading, scenarios }: SettingGroup,
  { name, unit, figure, axis }: Measure,
): Chart[] {
  const lines = poolNames(scenarios).map(
    (pools, look): Line => ({
      name: pools,
      look,
      dashed: pools.includes('thread'),
      points: scenarios
        .filter(scenario => namePools(scenario) === pools)
        .toSorted(bySize)
        .flatMap(scenario => pointOf(scenario.workers, figure(scenario))),
    }),
  );
  return levelChart({
    title: `${name} against workers`,
    subtitle: heading,
    label: 'workers',
    formatX: String,
    y: axis,
    unit,
    lines,
    describeX: workers => formatPlural(workers, 'worker'),
  });
}

/** Numbers of pools, and how they lie in threads, in the order of their lines. */
export function poolNames(scenarios: readonly ScenarioResult[]): string[] {
  const sorted = scenarios.toSorted((a, b) => a.pools - b.pools || b.threads - a.threads);
  return [...new Set(sorted.map(namePools))];
}

function ofEachScenario(groups: readonly SettingGroup[], measure: Measure): Chart[] {
  const rows = scenarioStrips(groups, measure.figure, ({ limitedBy }) => [
    `limited by: ${limitedBy.resource}`,
  ]);
  const rest =
    rows.length > maxStrips ? `; the first ${maxStrips} of ${rows.length}, the table of results has all` : '';
  const how = `median and interval over the rounds, logarithmic${rest}`;
  return figureStrips(
    { title: `${measure.name} of each scenario`, how, rows: rows.slice(0, maxStrips) },
    measure,
  );
}
