import type { Result } from '../../aggregate/result.ts';
import { bounds, type Labels, type Metric } from './run-metrics.ts';

/** Where the metrics come from, and of when they are. */
interface Origin {
  readonly tool: Result['tool'];
  /** Unique to this process: its counters begin at 0. */
  readonly instance: string;
  /** When the counters were 0, in milliseconds since 1970. */
  readonly startedMs: number;
  readonly nowMs: number;
}

const cumulative = 2;

/**
 * Metrics as an ExportMetricsServiceRequest of the OpenTelemetry protocol in JSON, under the names that Prometheus knows
 * them by. In this JSON 64-bit integers are text, and enums are numbers: https://opentelemetry.io/docs/specs/otlp/
 */
export function renderOtlp(metrics: readonly Metric[], { tool, instance, startedMs, nowMs }: Origin): string {
  const times = { startTimeUnixNano: nanoseconds(startedMs), timeUnixNano: nanoseconds(nowMs) };
  const dataOf = (metric: Metric) => {
    if (metric.type === 'histogram') {
      const dataPoints = metric.histograms.map(({ labels, counts, count, sumSeconds }) => ({
        ...times,
        attributes: attributesOf(labels),
        count: String(count),
        sum: sumSeconds,
        bucketCounts: [...counts, counts.reduce((rest, below) => rest - below, count)].map(String),
        explicitBounds: bounds,
      }));
      return { histogram: { aggregationTemporality: cumulative, dataPoints } };
    }
    const dataPoints = metric.samples.map(({ labels = {}, value }) => ({
      ...times,
      attributes: attributesOf(labels),
      asDouble: value,
    }));
    return metric.type === 'gauge'
      ? { gauge: { dataPoints } }
      : { sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints } };
  };
  const resource = {
    'service.name': tool.name,
    'service.version': tool.version,
    'service.instance.id': instance,
  };
  return JSON.stringify({
    resourceMetrics: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeMetrics: [
          {
            scope: tool,
            metrics: metrics.map(metric => ({
              name: metric.name,
              description: metric.help,
              unit: metric.name.endsWith('_seconds') ? 's' : '',
              ...dataOf(metric),
            })),
          },
        ],
      },
    ],
  });
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n);
}

function attributesOf(labels: Labels): { readonly key: string; readonly value: object }[] {
  return Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}
