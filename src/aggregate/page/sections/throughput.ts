import { namePools } from '../../dimensions.ts';
import type { Interval, ScenarioResult } from '../../result.ts';
import { groupBySetting, type SettingGroup } from '../../setting.ts';
import { formatInterval, formatMs, formatPlural, formatRate } from '../../text/format.ts';
import { axisFromZero, axisOfLevels, type Format, logAxis } from '../charts/axis.ts';
import { lineChart } from '../charts/line-chart.ts';
import type { Line } from '../charts/line-geometry.ts';
import { stripChart } from '../charts/strip-chart.ts';
import type { Strip } from '../charts/strip-geometry.ts';
import { type Content, html } from '../html.ts';
import { bySize, nameSize } from '../scenario-names.ts';

type Figure = (scenario: ScenarioResult) => Interval | null;

const throughput: Figure = ({ summary }) => summary?.opsPerSecond ?? null;
const responseP99: Figure = ({ summary }) => summary?.responseP99 ?? null;

/** More scenarios than this are a table, not a chart. */
const mostStrips = 40;

/** Throughput and p99 against workers, for each setting that has several levels of them; the others in rows. */
export function throughputCharts(scenarios: readonly ScenarioResult[]): Content {
  const groups = groupBySetting(scenarios.filter(({ summary }) => summary !== null));
  const curves = groups.filter(group => levelsOf(group) > 1);
  const single = groups.filter(group => levelsOf(group) <= 1);
  return html`<div class="charts">${curves.map(group => [
    chartOf(group, 'Throughput', 'ops/s', throughput, values =>
      axisFromZero('operations/s', values, formatRate),
    ),
    chartOf(group, 'Response p99', 'ms', responseP99, values => logAxis('ms, logarithmic', values, formatMs)),
  ])}</div>${[
    strips(single, 'Throughput', 'ops/s', throughput, formatRate),
    strips(single, 'Response p99', 'ms', responseP99, formatMs),
  ]}`;
}

const levelsOf = ({ scenarios }: SettingGroup) => new Set(scenarios.map(({ workers }) => workers)).size;

function chartOf(
  { heading, scenarios }: SettingGroup,
  name: string,
  unit: string,
  figure: Figure,
  axis: (values: number[]) => ReturnType<typeof logAxis>,
): Content {
  const lines = poolNames(scenarios).map(
    (pools, look): Line => ({
      name: pools,
      look,
      dashed: pools.includes('thread'),
      points: scenarios
        .filter(scenario => namePools(scenario) === pools)
        .toSorted(bySize)
        .flatMap(scenario => {
          const value = figure(scenario);
          return value === null
            ? []
            : [{ x: scenario.workers, y: value.median, low: value.low, high: value.high }];
        }),
    }),
  );
  const values = lines.flatMap(({ points }) =>
    points.flatMap(({ low, high }) => [low ?? [], high ?? []].flat()),
  );
  if (values.length === 0) return null;
  return lineChart({
    title: `${name} against workers`,
    subtitle: heading,
    x: axisOfLevels(
      'workers',
      scenarios.map(({ workers }) => workers),
      String,
    ),
    y: axis(values),
    unit,
    lines,
    describeX: workers => formatPlural(workers, 'worker'),
    marks: true,
  });
}

/** Numbers of pools, and how they lie in threads, in the order of their lines. */
export function poolNames(scenarios: readonly ScenarioResult[]): string[] {
  const sorted = scenarios.toSorted((a, b) => a.pools - b.pools || b.threads - a.threads);
  return [...new Set(sorted.map(namePools))];
}

function strips(
  groups: readonly SettingGroup[],
  name: string,
  unit: string,
  figure: Figure,
  format: Format,
): Content {
  const rows = groups.flatMap(({ label, scenarios }) =>
    scenarios.toSorted(bySize).flatMap((scenario): Strip[] => {
      const value = figure(scenario);
      if (value === null) return [];
      return [
        {
          label,
          group: nameSize(scenario),
          badge: null,
          strong: false,
          marks: [{ name: '', look: 0, ...value }],
          band: null,
          bandText: '',
          notes: [`limited by: ${scenario.limitedBy.resource}`],
        },
      ];
    }),
  );
  if (rows.length === 0) return null;
  const shown = rows.slice(0, mostStrips);
  const values = shown.flatMap(({ marks }) => marks.flatMap(({ low, high }) => [low, high]));
  return stripChart({
    title: `${name} of each scenario`,
    subtitle: `${unit}, median and interval over the rounds, logarithmic${
      shown.length < rows.length
        ? `; the first ${shown.length} of ${rows.length}, the table of results has all`
        : ''
    }`,
    axis: logAxis(unit, values, format),
    unit,
    reference: null,
    rows: shown,
    legend: [],
    format: interval => formatInterval(interval, format),
  });
}
