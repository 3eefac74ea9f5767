import type { Result, RoundResult } from '../../aggregate/result.ts';
import { readRecorded } from '../../aggregate/stats/histogram.ts';
import { type LatencyName, latencies, latencyNames } from '../../aggregate/stats/metrics.ts';
import { loadsOf } from '../../aggregate/stats/populations.ts';
import { serverFieldNames, serverFields } from '../../aggregate/stats/server-fields.ts';
import type { ServerPoint } from '../../aggregate/stats/server-series.ts';
import { capitalise } from '../../aggregate/text/format.ts';
import { describeTool } from '../environment.ts';
import type { Snapshot, Step } from './snapshot.ts';

export type Labels = Readonly<Record<string, string>>;

/** A value with its labels. */
interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** Latencies with their labels. */
interface Histogram {
  readonly labels: Labels;
  /** Values up to each of `bounds` and above the one before it; those above all of them are in `count` alone. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** One metric, whatever format it is given in. */
export type Metric = { readonly name: string; readonly help: string } & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly histograms: readonly Histogram[] }
);

/** What stays the same while a run lasts. */
interface About {
  readonly tool: Result['tool'];
  readonly node: string;
  /** By the name of their side; the target of a run with one side has none. */
  readonly targets: ReadonlyMap<string, Result['target']>;
  /** The latest replies of their servers, likewise; none for a server that did not answer. */
  readonly servers: ReadonlyMap<string, ServerPoint>;
}

/** Max scenarios with their own labels: a search has one for each rate, and each is two dozen time series. */
export const maxScenarios = 50;
const others = { scenario: 'other' };

/** The load of a scenario has no label of its own, so that a query without populations is that of earlier versions. */
const ofScenario: Labels = {};
const ofPopulation = (population: string): Labels => ({ population });

const windows = 'of the measured windows so far; warm-ups are left out';
const ofFinished = `of finished measurements; scenarios beyond the first ${maxScenarios} are together in "other"`;

/** A run as metrics, without those that have no sample. Gauges of the running measurement exist only while there is one. */
export function metricsOf(snapshot: Snapshot, measured: LatencyBuckets, about: About): Metric[] {
  const all = [
    ...infoMetrics(about),
    ...runMetrics(snapshot),
    ...latencyNames.map(
      (latency): Metric => ({
        name: `poolbench_${latencies[latency].prometheus}`,
        type: 'histogram',
        help: `${latencies[latency].meaning}, ${ofFinished}.`,
        histograms: measured.of(latency),
      }),
    ),
    ...runningMetrics(snapshot),
    ...serverMetrics(about),
  ];
  // Receivers of OTLP refuse a metric without a data point.
  return all.filter(metric =>
    metric.type === 'histogram' ? metric.histograms.length > 0 : metric.samples.length > 0,
  );
}

function infoMetrics({ tool, node, targets }: About): Metric[] {
  return [
    gauge('build_info', 'The version of poolbench.', [{ labels: { version: tool.version, node }, value: 1 }]),
    gauge(
      'target_info',
      'The server that answers; stand_in="true" if it stands in for the declared one, unverified="true" if its certificate was not checked.',
      [...targets].map(([side, { declared, detected, foundBy, standIn, unverified }]) => ({
        labels: {
          ...sideLabel(side),
          declared: declared.server,
          server: detected.server,
          version: detected.version,
          found_by: foundBy,
          stand_in: String(standIn),
          ...(unverified === undefined ? {} : { unverified: String(unverified) }),
        },
        value: 1,
      })),
    ),
  ];
}

function runMetrics(snapshot: Snapshot): Metric[] {
  const { running, measured, planned, secondsLeft, operations, ofPopulations } = snapshot;
  const loads = [
    { labels: ofScenario, operations },
    ...[...ofPopulations].map(([name, operations]) => ({ labels: ofPopulation(name), operations })),
  ];
  const step = running?.step.place === undefined ? running?.step : undefined;
  return [
    gauge('round', 'The round that is being measured.', step?.round),
    gauge('rounds', 'Rounds of this run, at most.', step?.rounds),
    gauge('measurements_finished', 'Measurements of this run that are finished.', measured),
    gauge('measurements_planned', 'Measurements of this run, at most.', planned),
    gauge('left_seconds', 'Estimated time until the end of this run, at most.', secondsLeft),
    counter(
      'operations_completed',
      `Operations that completed, ${windows}.`,
      loads.map(({ labels, operations }) => ({ labels, value: operations.completed })),
    ),
    counter(
      'operations_failed',
      `Operations that failed, by error code, ${windows}.`,
      loads.flatMap(({ labels, operations }) =>
        Object.entries(operations.failed).map(([code, value]) => ({ labels: { ...labels, code }, value })),
      ),
    ),
    counter(
      'operations_unfinished',
      'Operations that had no reply when their measurement was over.',
      loads.map(({ labels, operations }) => ({ labels, value: operations.unfinished })),
    ),
  ];
}

function runningMetrics({ running }: Snapshot): Metric[] {
  if (running === null) return [];
  const { step, phase, populations } = running;
  const loads = [
    { labels: ofScenario, ...running },
    ...populations.map(({ name, ...load }) => ({ labels: ofPopulation(name), ...load })),
  ];
  return [
    gauge('running_info', 'The scenario that is being measured.', [
      { labels: { ...labelsOf(step), phase }, value: 1 },
    ]),
    gauge(
      'operations_per_second',
      'Operations that complete each second now, warm-up included.',
      loads.map(({ labels, opsPerSecond }) => ({ labels, value: opsPerSecond })),
    ),
    gauge(
      'response_p99_seconds',
      'Response time in the current second, 99th percentile, of the slowest thread.',
      loads.flatMap(({ labels, p99Ms }) => (p99Ms === 0 ? [] : { labels, value: p99Ms / 1000 })),
    ),
    gauge(
      'pool_connections',
      'Connections of all pools now; those being opened count as in use.',
      loads.flatMap(({ labels, connections, idle }) => [
        { labels: { ...labels, state: 'in_use' }, value: connections - idle },
        { labels: { ...labels, state: 'idle' }, value: idle },
      ]),
    ),
    gauge(
      'pool_waiting_workers',
      'Workers that wait for a connection now.',
      loads.map(({ labels, waiting }) => ({ labels, value: waiting })),
    ),
    gauge(
      'thread_busy_ratio',
      'Fraction of the time in which the event loop of a thread is busy, 0 to 1.',
      loads.flatMap(({ labels, busyRatios }) =>
        busyRatios.map((value, thread) => ({ labels: { ...labels, thread: String(thread) }, value })),
      ),
    ),
  ];
}

function serverMetrics({ servers }: About): Metric[] {
  return serverFieldNames.map(name => {
    const { kind, unit, words, info, prometheus } = serverFields[name];
    const samples = [...servers].flatMap(([side, point]): Sample[] => {
      const value = point[name];
      const labels = sideLabel(side);
      return value === null ? [] : [{ labels, value: unit === 'µs' ? value / 1e6 : value }];
    });
    const help = `${capitalise(words)}: ${info} of the server's INFO, asked once a second while a run measures.`;
    return kind === 'counter' ? counter(prometheus, help, samples) : gauge(prometheus, help, samples);
  });
}

const sideLabel = (side: string): Labels => (side === '' ? {} : { side });

/** A single value means one sample without labels; null means no sample. */
type Samples = readonly Sample[] | number | null | undefined;

function gauge(name: string, help: string, samples: Samples): Metric {
  return { name: `poolbench_${name}`, type: 'gauge', help, samples: samplesOf(samples) };
}

function counter(name: string, help: string, samples: Samples): Metric {
  return { name: `poolbench_${name}_total`, type: 'counter', help, samples: samplesOf(samples) };
}

function samplesOf(samples: Samples): readonly Sample[] {
  return typeof samples === 'number' ? [{ value: samples }] : (samples ?? []);
}

/** Upper bounds of the buckets in seconds. */
export const bounds = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

interface Buckets extends Omit<Histogram, 'labels'> {
  readonly counts: number[];
  count: number;
  sumSeconds: number;
}

/** What was measured: suites of a ledger can have scenarios with the same id and different workloads. */
type Measured = Pick<Step, 'suite' | 'scenario'>;

/** Latencies of finished measurements, in the buckets of a Prometheus histogram. */
export class LatencyBuckets {
  readonly #scenarios = new Map<string, { labels: Labels; buckets: Record<LatencyName, Buckets> }>();

  add({ suite, scenario }: Measured, result: RoundResult): void {
    for (const { id, population, rounds } of loadsOf({ id: scenario, rounds: [result] })) {
      const own = population === null ? ofScenario : ofPopulation(population);
      const { buckets } = this.#of({ ...labelsOf({ suite, scenario: id }), ...own });
      for (const round of rounds)
        for (const latency of latencyNames)
          fill(buckets[latency], round.histograms[latency], round[latency].mean);
    }
  }

  /** For each load that was measured. */
  of(latency: LatencyName): Histogram[] {
    return [...this.#scenarios.values()].map(({ labels, buckets }) => ({ labels, ...buckets[latency] }));
  }

  #of(own: Labels) {
    const hasRoom = this.#scenarios.has(JSON.stringify(own)) || this.#scenarios.size < maxScenarios;
    const labels = hasRoom ? own : others;
    const key = JSON.stringify(labels);
    const found = this.#scenarios.get(key) ?? { labels, buckets: { service: empty(), response: empty() } };
    this.#scenarios.set(key, found);
    return found;
  }
}

function labelsOf({ suite, scenario }: Measured): Labels {
  return suite === undefined ? { scenario } : { suite, scenario };
}

function empty(): Buckets {
  return { counts: bounds.map(() => 0), count: 0, sumSeconds: 0 };
}

function fill(buckets: Buckets, encoded: string, meanMs: number): void {
  const recorded = readRecorded([encoded]);
  let bucket = 0;
  for (const { high, count } of recorded.buckets) {
    while (bucket < bounds.length && high > (bounds[bucket] ?? 0) * 1e9) bucket++;
    if (bucket < bounds.length) buckets.counts[bucket] = (buckets.counts[bucket] ?? 0) + count;
  }
  buckets.count += recorded.total;
  buckets.sumSeconds += (recorded.total * meanMs) / 1000;
}

/** The metrics of a run, while it lasts and at its end: the one source of what is scraped and what is pushed. */
export class RunMetrics {
  readonly tool = describeTool();
  readonly #latencies = new LatencyBuckets();
  readonly #targets = new Map<string, Result['target']>();
  readonly #servers = new Map<string, ServerPoint>();
  readonly #snapshot: () => Snapshot;

  /** @param snapshot the current state of the run */
  constructor(snapshot: () => Snapshot) {
    this.#snapshot = snapshot;
  }

  meet(side: string, target: Result['target']): void {
    this.#targets.set(side, target);
  }

  /** The latest reply of a side's server; null if it did not answer. */
  served(side: string, point: ServerPoint | null): void {
    if (point === null) this.#servers.delete(side);
    else this.#servers.set(side, point);
  }

  finished(step: Step, result: RoundResult): void {
    this.#latencies.add(step, result);
  }

  /** All of them as of now. */
  now(): Metric[] {
    const about = {
      tool: this.tool,
      node: process.version,
      targets: this.#targets,
      servers: this.#servers,
    };
    return metricsOf(this.#snapshot(), this.#latencies, about);
  }
}
