import type { ScenarioResult } from '../../../result.ts';
import { namePools } from '../../../scenario/dimensions.ts';
import { bySize, groupBySetting, type SettingGroup } from '../../../scenario/setting.ts';
import { caveatOf } from '../../../stats/tails.ts';
import { capitalise, formatPlural } from '../../../text/format.ts';
import type { Block, Chart } from '../../blocks.ts';
import { chartedMetrics, type IntervalMetric, intervalOf } from '../../figure-columns.ts';
import { type Axis, axisFromZero, logAxis } from '../charts/axis.ts';
import { type Line, levelChart, pointOf } from '../charts/line-chart.ts';
import { figureStrips, scenarioStrips } from '../charts/strip-chart.ts';

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
      .flatMap(group => chartedMetrics.flatMap(metric => againstWorkers(group, metric))),
    ...chartedMetrics.flatMap(metric => ofEachScenario(single, metric)),
  ];
}

function againstWorkers({ heading, scenarios }: SettingGroup, metric: IntervalMetric): Chart[] {
  const lines = poolNames(scenarios).map(
    (pools, look): Line => ({
      name: pools,
      look,
      dashed: pools.includes('thread'),
      points: scenarios
        .filter(scenario => namePools(scenario) === pools)
        .toSorted(bySize)
        .flatMap(scenario => pointOf(scenario.workers, intervalOf(metric, scenario))),
    }),
  );
  return levelChart({
    title: `${capitalise(metric.name)} against workers`,
    subtitle: heading,
    label: 'workers',
    formatX: String,
    y: values => axisOf(metric, values),
    unit: metric.kind.unit,
    lines,
    describeX: workers => formatPlural(workers, 'worker'),
  });
}

/** Numbers of pools, and how they lie in threads, in the order of their lines. */
export function poolNames(scenarios: readonly ScenarioResult[]): string[] {
  const sorted = scenarios.toSorted((a, b) => a.pools - b.pools || b.threads - a.threads);
  return [...new Set(sorted.map(namePools))];
}

/** Latencies differ by magnitudes. */
function axisOf({ kind: { unit, formatNumber }, better }: IntervalMetric, values: readonly number[]): Axis {
  return better === 'less'
    ? logAxis(`${unit}, logarithmic`, values, formatNumber)
    : axisFromZero(unit, values, formatNumber);
}

function ofEachScenario(groups: readonly SettingGroup[], metric: IntervalMetric): Chart[] {
  const rows = scenarioStrips(
    groups,
    scenario => {
      const interval = intervalOf(metric, scenario);
      return interval && { ...interval, caveat: caveatOf(metric, scenario) };
    },
    ({ limitedBy }) => [`limited by: ${limitedBy.resource}`],
  );
  const rest =
    rows.length > maxStrips ? `; the first ${maxStrips} of ${rows.length}, the table of results has all` : '';
  const how = `median and interval over the rounds, logarithmic${rest}`;
  return figureStrips(
    { title: `${capitalise(metric.name)} of each scenario`, how, rows: rows.slice(0, maxStrips) },
    metric.kind,
  );
}
