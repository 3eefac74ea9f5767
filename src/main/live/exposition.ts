import { bounds, type Labels, type Metric } from './run-metrics.ts';

/** Metrics in the text format of Prometheus, version 0.0.4. */
export function renderExposition(metrics: readonly Metric[]): string {
  return metrics
    .map(metric => {
      const { name, type, help } = metric;
      return [`# HELP ${name} ${escapeText(help)}`, `# TYPE ${name} ${type}`, ...linesOf(metric), ''].join(
        '\n',
      );
    })
    .join('');
}

function linesOf(metric: Metric): string[] {
  const { name } = metric;
  const line = (suffix: string, labels: Labels, value: number) =>
    `${name}${suffix}${braces(labels)} ${value}`;
  if (metric.type !== 'histogram')
    return metric.samples.map(({ labels = {}, value }) => line('', labels, value));
  return metric.histograms.flatMap(({ labels, counts, count, sumSeconds }) => {
    let below = 0;
    return [
      ...bounds.map((bound, index) => {
        // Cumulative, as the format requires.
        below += counts[index] ?? 0;
        return line('_bucket', { ...labels, le: String(bound) }, below);
      }),
      line('_bucket', { ...labels, le: '+Inf' }, count),
      line('_sum', labels, sumSeconds),
      line('_count', labels, count),
    ];
  });
}

function braces(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escapeText(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
