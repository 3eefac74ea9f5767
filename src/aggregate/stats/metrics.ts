import { formatMs, formatPercent, formatRate } from '../text/format.ts';

/**
 * The registry of metrics: one row for each, from which the schema and the summary of result.json, thresholds, the
 * conditions of a search, the measures of claims, comparisons and CSV are made. A new metric, or a new percentile of a
 * latency, is a row here and a line in configs/README.md (thresholds). Live gauges are not metrics (main/live/run-metrics.ts).
 */

/** Percentiles that every latency of a round has, by their key in result.json. */
export const percentiles = {
  p50: { percentile: 50, short: 'p50', since: null },
  p90: { percentile: 90, short: 'p90', since: null },
  p95: { percentile: 95, short: 'p95', since: null },
  p99: { percentile: 99, short: 'p99', since: null },
  p999: { percentile: 99.9, short: 'p99.9', since: null },
} as const satisfies Readonly<Record<string, Percentile>>;

interface Percentile {
  /** 0 to 100. */
  readonly percentile: number;
  readonly short: string;
  /** The version of poolbench that first wrote it: earlier results do not have it. Null: all results have it. */
  readonly since: string | null;
}

export type PercentileKey = keyof typeof percentiles;
export const percentileKeys = Object.keys(percentiles) as PercentileKey[];
/** Keys of rows that results of earlier versions do not have. */
export type LaterKey<Rows> = {
  [Key in keyof Rows]: Rows[Key] extends { since: string } ? Key : never;
}[keyof Rows];

/** Figures of one latency in milliseconds. */
type Latency = { readonly count: number; readonly mean: number; readonly max: number } & {
  readonly [Key in Exclude<PercentileKey, LaterKey<typeof percentiles>>]: number;
} & { readonly [Key in LaterKey<typeof percentiles>]?: number | undefined };

/** The two latencies of an operation, each with a histogram of its own. */
export const latencies = {
  service: {
    meaning: 'From handing the bytes to the socket until the reply',
    prometheus: 'service_seconds',
  },
  response: {
    meaning: 'From when the work was due until the reply',
    prometheus: 'response_seconds',
  },
} as const;

export type LatencyName = keyof typeof latencies;
export const latencyNames = Object.keys(latencies) as LatencyName[];

/** What metrics read of a round; `RoundResult` has it all. */
export interface MeasuredRound {
  readonly issued: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly opsPerSecond: number;
  readonly service: Latency;
  readonly response: Latency;
  readonly openLoop: { readonly offered: number; readonly completed: number } | null;
  readonly cpu: { readonly clientMicrosPerOp: number | null };
  readonly serverMicrosPerCall?: number | null | undefined;
  readonly deliveries?: { readonly latency: Latency } | undefined;
}

/** How values of a metric are written, in a condition and in a report. */
export interface Kind {
  /** Of the formatted number: "ms". */
  readonly unit: string;
  /** Factors from the units that a condition can have to the unit of result.json; '' for none. */
  readonly units: Readonly<Record<string, number>>;
  /** Max of the number in a condition, in the unit of result.json. */
  readonly max: number;
  readonly example: string;
  /** Without its unit, for a column whose heading has it. */
  readonly formatNumber: (value: number) => string;
  /** With its unit. */
  readonly format: (value: number) => string;
  /** To six digits, for a value so close to its limit that three would not show on which side it is. */
  readonly formatClosely: (value: number) => string;
  /** At the end of the name of a CSV column. */
  readonly csvSuffix: string;
}

const time = kindOf({
  unit: 'ms',
  units: { s: 1000, ms: 1, us: 0.001, µs: 0.001 },
  example: '< 5ms',
  formatNumber: formatMs,
  csvSuffix: 'Ms',
});
const rate = kindOf({ unit: 'ops/s', units: { '': 1 }, example: '> 50000', formatNumber: formatRate });
const ratio = kindOf({
  unit: '%',
  units: { '%': 0.01, '': 1 },
  max: 1,
  example: '< 0.1%',
  formatNumber: value => formatPercent(value).replace(' %', ''),
  scale: 100,
});
const cpuTime = kindOf({
  unit: 'µs',
  units: { '': 1, us: 1, µs: 1 },
  example: '< 20us',
  formatNumber: formatMs,
});

/** A figure of one of the two latencies. */
export interface LatencyFigure {
  readonly of: LatencyName;
  readonly figure: PercentileKey | 'mean' | 'max';
}

/** A figure of the latency of messages to subscribers. */
interface DeliveryFigure {
  readonly of: 'delivery';
  readonly figure: PercentileKey;
}

interface Row {
  /** As text: "throughput", "response p99". */
  readonly name: string;
  /** In the heading of a column whose table says what its figures are of: "p99". */
  readonly short: string;
  readonly kind: Kind;
  readonly better: 'less' | 'more';
  /** Key in `summary` of result.json, and the stem of its CSV columns. Absent: it is in neither. */
  readonly summaryKey?: string;
  /** Key of its ratio in comparison.json. Absent: results are not compared by it. */
  readonly ratioKey?: string;
  /** Whether a closed loop has none. */
  readonly openLoopOnly?: boolean;
  /**
   * The latency that it is a figure of: it covers only completed operations, or messages that arrived, and `caveatOf` says
   * what that means for it. Null: it is no figure of a latency. If it were optional, a lower bound could stay unmarked.
   */
  readonly latency: LatencyFigure | DeliveryFigure | null;
  /** As for a percentile. If it is forgotten, older results cannot be read any more, so it has to be decided. */
  readonly since: string | null;
}

/** A metric of each round: the median over the rounds, with its interval. */
export interface MedianMetric extends Row {
  /** In the unit of result.json; null if the round has no such figure. */
  readonly ofRound: (round: MeasuredRound) => number | null;
  /** Whether every round has it. */
  readonly inEveryRound?: boolean;
}

/**
 * A metric of all rounds together: one sum over the rounds, divided by another. It can only be of counts that the rounds of
 * all versions have: a sum would take a missing count for 0, and the ratio of an older result would be wrong.
 */
export interface RatioMetric extends Row {
  readonly since: null;
  readonly part: (round: MeasuredRound) => number;
  readonly whole: (round: MeasuredRound) => number;
  /** Its value if the whole is 0; null: not measured. */
  readonly ofNothing: number | null;
}

/**
 * A percentile of the operations of all rounds together, from their merged histograms. The median over the rounds does
 * not see what happens in fewer than half of them.
 */
export interface PooledMetric extends Row {
  readonly latency: LatencyFigure & { readonly figure: PercentileKey };
  readonly pooled: true;
}

export type Metric = MedianMetric | RatioMetric;

const throughput = {
  opsPerSecond: {
    name: 'throughput',
    short: 'ops/s',
    kind: rate,
    better: 'more',
    ofRound: round => round.opsPerSecond,
    inEveryRound: true,
    summaryKey: 'opsPerSecond',
    ratioKey: 'throughput',
    latency: null,
    since: null,
  },
} as const satisfies Readonly<Record<string, MedianMetric>>;

const service = {
  'service.p50': latency('service', 'p50', { summaryKey: 'serviceP50', since: null }),
  'service.p99': latency('service', 'p99', { summaryKey: 'serviceP99', since: null }),
};

const response = {
  'response.mean': latency('response', 'mean', { summaryKey: 'responseMean', since: null }),
  'response.p50': latency('response', 'p50', { summaryKey: 'responseP50', since: null }),
  'response.p95': latency('response', 'p95', {
    summaryKey: 'responseP95',
    ratioKey: 'responseP95',
    since: null,
  }),
  'response.p99': latency('response', 'p99', {
    summaryKey: 'responseP99',
    ratioKey: 'responseP99',
    since: null,
  }),
  'response.p999': latency('response', 'p999', { summaryKey: 'responseP999', since: null }),
};

const cpu = {
  clientMicrosPerOp: {
    name: 'CPU time of the client per operation',
    short: 'µs/op',
    kind: cpuTime,
    better: 'less',
    ofRound: round => round.cpu.clientMicrosPerOp,
    latency: null,
    summaryKey: 'clientMicrosPerOp',
    since: null,
  },
} as const satisfies Readonly<Record<string, MedianMetric>>;

const server = {
  serverMicrosPerCall: {
    name: 'server time per call',
    short: 'server µs/call',
    kind: cpuTime,
    better: 'less',
    ofRound: round => round.serverMicrosPerCall ?? null,
    latency: null,
    summaryKey: 'serverMicrosPerCall',
    since: '0.6.0',
  },
} as const satisfies Readonly<Record<string, MedianMetric>>;

const delivery = {
  'delivery.p50': deliveryLatency('p50'),
  'delivery.p99': deliveryLatency('p99'),
} as const satisfies Readonly<Record<string, MedianMetric>>;

const ratios = {
  failedShare: {
    name: 'failed operations of those issued',
    short: 'failed',
    kind: ratio,
    better: 'less',
    part: failedOf,
    whole: round => round.issued,
    ofNothing: 0,
    latency: null,
    summaryKey: 'failedShare',
    since: null,
  },
  completedShare: {
    name: 'completed operations of those due',
    short: 'completed',
    kind: ratio,
    better: 'more',
    part: round => round.openLoop?.completed ?? 0,
    whole: round => round.openLoop?.offered ?? 0,
    ofNothing: null,
    latency: null,
    openLoopOnly: true,
    since: null,
  },
} as const satisfies Readonly<Record<string, RatioMetric>>;

/** Tails of all rounds together; they have no thresholds, which apply to the medians beside them. */
export const pooledTails = {
  responseP99: pooled('response', 'p99', { summaryKey: 'pooledResponseP99', since: '0.6' }),
  responseP999: pooled('response', 'p999', { summaryKey: 'pooledResponseP999', since: '0.6' }),
  serviceP99: pooled('service', 'p99', { summaryKey: 'pooledServiceP99', since: '0.6' }),
};

/**
 * All metrics by the name that a threshold gives them, in the order in which their names are listed. It is the only list of
 * all groups.
 */
export const metrics = { ...response, ...service, ...delivery, ...throughput, ...ratios, ...cpu, ...server };

type MetricName = keyof typeof metrics;
type MetricRow = (typeof metrics)[MetricName];
type PooledRow = (typeof pooledTails)[keyof typeof pooledTails];
/** Rows of metrics that are in `summary` of result.json. */
export type SummaryRow = Extract<MetricRow, { summaryKey: string }> | PooledRow;
/** Rows of metrics by which results are compared. */
export type ComparedRow = Extract<MetricRow, { ratioKey: string }>;

/** Metrics of `summary` in result.json, in its order. */
export const summaryMetrics = inSummary(throughput, service, response, cpu);
/** The same in the order of the CSV columns. */
export const csvMetrics = inSummary(ratios, throughput);
/** Metrics by which results are compared. */
export const comparedMetrics = inSummary(throughput).filter(
  (metric): metric is ComparedRow => 'ratioKey' in metric,
);

/** The metric of this name, which may come from a file. */
export function findMetric(name: string): Metric | undefined {
  return Object.hasOwn(metrics, name) ? metrics[name as MetricName] : undefined;
}

/** Names of the CSV columns of a metric: `responseP99Ms`, `responseP99LowMs`, `responseP99HighMs`. */
export function csvNames({ summaryKey, kind: { csvSuffix } }: SummaryRow) {
  return {
    median: `${summaryKey}${csvSuffix}`,
    low: `${summaryKey}Low${csvSuffix}`,
    high: `${summaryKey}High${csvSuffix}`,
  };
}

/** Operations that failed, whatever the code. */
export function failedOf({ failed }: Pick<MeasuredRound, 'failed'>): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}

/** @param scale from the unit of result.json to the one that is shown */
function kindOf({
  scale = 1,
  ...row
}: Pick<Kind, 'unit' | 'units' | 'example' | 'formatNumber'> &
  Partial<Pick<Kind, 'max' | 'csvSuffix'>> & { readonly scale?: number }): Kind {
  return {
    max: Number.POSITIVE_INFINITY,
    csvSuffix: '',
    ...row,
    format: value => `${row.formatNumber(value)} ${row.unit}`,
    formatClosely: value => `${Number((value * scale).toPrecision(6))} ${row.unit}`,
  };
}

/** A figure of a latency; null if nothing completed. */
function latency<const Keys extends Pick<Row, 'ratioKey' | 'since'> & { readonly summaryKey: string }>(
  of: LatencyName,
  figure: PercentileKey | 'mean',
  keys: Keys,
): MedianMetric & { readonly latency: LatencyFigure } & Keys {
  const short = figure === 'mean' ? figure : percentiles[figure].short;
  return {
    name: figure === 'mean' ? `mean ${of} time` : `${of} ${short}`,
    short,
    kind: time,
    better: 'less',
    ofRound: round => (round[of].count === 0 ? null : (round[of][figure] ?? null)),
    latency: { of, figure },
    ...keys,
  };
}

/** A latency of messages to subscribers; null without subscribers. */
function deliveryLatency(figure: 'p50' | 'p99') {
  const { short } = percentiles[figure];
  return {
    name: `delivery ${short}`,
    short,
    kind: time,
    better: 'less',
    ofRound: ({ deliveries }: MeasuredRound) =>
      deliveries === undefined || deliveries.latency.count === 0 ? null : deliveries.latency[figure],
    latency: { of: 'delivery', figure },
    since: '0.10',
  } as const;
}

function pooled<const Keys extends Pick<Row, 'since'> & { readonly summaryKey: string }>(
  of: LatencyName,
  figure: PercentileKey,
  keys: Keys,
): PooledMetric & Keys {
  const short = `${percentiles[figure].short} of all rounds`;
  return {
    name: `${percentiles[figure].short} of the ${of} time of all rounds`,
    short,
    kind: time,
    better: 'less',
    latency: { of, figure },
    pooled: true,
    ...keys,
  };
}

/** All rows of a summary: those of these groups first, then the others in the order of `metrics` and `pooledTails`. */
function inSummary(...first: readonly Readonly<Record<string, MetricRow>>[]): SummaryRow[] {
  const groups: readonly Readonly<Record<string, MetricRow | PooledRow>>[] = [...first, metrics, pooledTails];
  return [...new Set(groups.flatMap(rows => Object.values(rows)))].filter(row => 'summaryKey' in row);
}
