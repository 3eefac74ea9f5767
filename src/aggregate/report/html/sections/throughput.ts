import type { ScenarioResult } from '../../../result.ts';
import {
  bySize,
  groupBySetting,
  groupWithPopulations,
  linesOf,
  type SettingGroup,
} from '../../../scenario/setting.ts';
import { capitalise, formatPlural } from '../../../text/format.ts';
import type { Block, Chart } from '../../blocks.ts';
import { chartedMetrics, type IntervalMetric, markedIntervalOf } from '../../figure-columns.ts';
import { type Axis, axisFromZero, logAxis } from '../charts/axis.ts';
import { type Line, levelChart, pointOf } from '../charts/line-chart.ts';
import { figureStrips, scenarioStrips } from '../charts/strip-chart.ts';

/** More scenarios than this are a table, not a chart. */
const maxStrips = 40;

/** Throughput and p99 against workers, for each setting that has several levels of them; the others in rows. */
export function throughputCharts(scenarios: readonly ScenarioResult[]): Block[] {
  const measured = scenarios.filter(({ summary }) => summary !== null);
  const levelled = groupWithPopulations(measured).filter(hasLevels);
  const charted = new Set(levelled.flatMap(group => group.scenarios));
  const single = groupBySetting(measured).filter(group => !group.scenarios.some(one => charted.has(one)));
  return [
    ...levelled.flatMap(group => chartedMetrics.flatMap(metric => againstWorkers(group, metric))),
    ...chartedMetrics.flatMap(metric => ofEachScenario(single, metric)),
  ];
}

function hasLevels({ scenarios }: SettingGroup): boolean {
  return new Set(scenarios.map(({ workers }) => workers)).size > 1;
}

function againstWorkers({ heading, scenarios }: SettingGroup, metric: IntervalMetric): Chart[] {
  const { names, nameOf } = linesOf(scenarios);
  const lines = names.map((name, look): Line => {
    const ofLine = scenarios.filter(scenario => nameOf(scenario) === name).toSorted(bySize);
    return {
      ...{ name, look },
      dashed: ofLine.some(({ pools, threads }) => pools !== threads),
      points: ofLine.flatMap(scenario => pointOf(scenario.workers, markedIntervalOf(metric, scenario))),
    };
  });
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

/** Latencies differ by magnitudes. */
function axisOf({ kind: { unit, formatNumber }, better }: IntervalMetric, values: readonly number[]): Axis {
  return better === 'less'
    ? logAxis(`${unit}, logarithmic`, values, formatNumber)
    : axisFromZero(unit, values, formatNumber);
}

function ofEachScenario(groups: readonly SettingGroup[], metric: IntervalMetric): Chart[] {
  const rows = scenarioStrips(
    groups,
    scenario => markedIntervalOf(metric, scenario),
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
