import type { Result } from '../../../aggregate/result.ts';
import { latencies, latencyNames, metrics } from '../../../aggregate/stats/metrics.ts';
import type { Snapshot } from '../snapshot.ts';
import { type LatencyBuckets, labelsOf, maxScenarios } from './latency-buckets.ts';
import { type Labels, type Metric, renderMetrics, type Sample } from './text-format.ts';

/** What stays the same while a run lasts. */
export interface About {
  readonly tool: Result['tool'];
  readonly node: string;
  /** By the name of their side; one alone has none. */
  readonly targets: ReadonlyMap<string, Result['target']>;
}

const windows = 'of the measured windows so far; warm-ups are left out';
const ofFinished = `of finished measurements; scenarios beyond the first ${maxScenarios} are together in "other"`;

/** A run as metrics in the text format of Prometheus. Gauges of what is running are there only while something is. */
export function renderExposition(snapshot: Snapshot, measured: LatencyBuckets, about: About): string {
  return renderMetrics([
    ...describe(about),
    ...course(snapshot),
    ...operations(snapshot),
    ...latencyHistograms(measured),
    ...running(snapshot),
  ]);
}

function describe({ tool, node, targets }: About): Metric[] {
  return [
    gauge('build_info', 'The version of poolbench.', [labelled({ version: tool.version, node }, 1)]),
    gauge(
      'target_info',
      'The server that answers; stand_in="true" where it stands in for the declared one, unverified="true" where its certificate was not checked.',
      [...targets].map(([side, { declared, detected, foundBy, standIn, unverified }]) =>
        labelled(
          {
            ...(side === '' ? {} : { side }),
            declared: declared.server,
            server: detected.server,
            version: detected.version,
            found_by: foundBy,
            stand_in: String(standIn),
            ...(unverified === undefined ? {} : { unverified: String(unverified) }),
          },
          1,
        ),
      ),
    ),
  ];
}

function course({ running, measured, planned, secondsLeft }: Snapshot): Metric[] {
  const step = running?.step.place === undefined ? running?.step : undefined;
  return [
    gauge('round', 'The round that is being measured.', some(step?.round)),
    gauge('rounds', 'Rounds of this run.', some(step?.rounds)),
    gauge('measurements_finished', 'Measurements of this run that are finished.', some(measured)),
    gauge('measurements_planned', 'Measurements of this run.', some(planned)),
    gauge('left_seconds', 'Estimated time until the end of this run.', some(secondsLeft)),
  ];
}

function operations({ operations: { completed, failed, unfinished } }: Snapshot): Metric[] {
  return [
    counter('operations_completed', `Operations that completed, ${windows}.`, some(completed)),
    counter(
      'operations_failed',
      `Operations that failed, by error code, ${windows}.`,
      Object.entries(failed).map(([code, count]) => labelled({ code }, count)),
    ),
    counter(
      'operations_unfinished',
      'Operations that had no reply when their measurement was over.',
      some(unfinished),
    ),
  ];
}

function latencyHistograms(measured: LatencyBuckets): Metric[] {
  return latencyNames.map(latency => ({
    name: `poolbench_${latencies[latency].prometheus}`,
    type: 'histogram',
    help: `${latencies[latency].meaning}, ${ofFinished}.`,
    samples: measured.samples(latency),
  }));
}

function running({ running: now }: Snapshot): Metric[] {
  if (now === null) return [];
  const { step, opsPerSecond, p99Ms, busyShares, connections, idle, waiting } = now;
  return [
    gauge('running_info', 'The scenario that is being measured.', [
      labelled({ ...labelsOf(step), phase: now.phase }, 1),
    ]),
    gauge(
      metrics.opsPerSecond.prometheus,
      'Operations that complete each second now, warm-up included.',
      some(opsPerSecond),
    ),
    gauge(
      metrics['response.p99'].prometheus,
      'Response time in the current second, 99th percentile, of the slowest thread.',
      some(p99Ms === 0 ? null : p99Ms / 1000),
    ),
    gauge('pool_connections', 'Connections of all pools now; those being opened count as in use.', [
      labelled({ state: 'in_use' }, connections - idle),
      labelled({ state: 'idle' }, idle),
    ]),
    gauge('pool_waiting_workers', 'Workers that wait for a connection now.', some(waiting)),
    gauge(
      'thread_busy_ratio',
      'Share of the time in which the event loop of a thread has something to do, 0 to 1.',
      busyShares.map((share, thread) => labelled({ thread: String(thread) }, share)),
    ),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name: `poolbench_${name}`, type: 'gauge', help, samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name: `poolbench_${name}_total`, type: 'counter', help, samples };
}

function labelled(labels: Labels, value: number): Sample {
  return { labels, value };
}

function some(value: number | null | undefined): Sample[] {
  return value === null || value === undefined ? [] : [{ value }];
}
