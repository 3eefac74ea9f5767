import type { Result, RoundResult, ScenarioResult } from '../../result.ts';
import { mergeLatencies, readRecorded, toMicroseconds } from '../../stats/histogram.ts';
import { type PercentileKey, percentileKeys, percentiles } from '../../stats/metrics.ts';
import { sumOf } from '../../stats/statistics.ts';
import { commandFigures } from '../../stats/summary.ts';
import { capitalise } from '../../text/format.ts';

/**
 * One scenario in the shape of the file that memtier_benchmark 2.x writes with `--json-out-file`, as plain data, for
 * programs that read those. Latencies are response times in ms. All rounds are combined, one after another. What
 * poolbench does not measure is null, as memtier writes non-numbers; a key `poolbench` has the caveats of the figures.
 */
export function memtierDocument(result: Result, scenario: ScenarioResult): Record<string, unknown> {
  const { rounds } = scenario;
  const seconds = sumOf(rounds, round => round.seconds);
  const startMs = Date.parse(rounds[0]?.startedAt ?? result.startedAt);
  return {
    configuration: configuration(result, scenario),
    'run information': {
      Threads: scenario.threads,
      'Connections per thread': scenario.connections / scenario.threads,
      Seconds: seconds,
      'Format version': 2,
    },
    'ALL STATS': {
      Runtime: {
        'Start time': startMs,
        'Finish time': Math.round(startMs + seconds * 1000),
        'Total duration': Math.round(seconds * 1000),
        'Time unit': 'MILLISECONDS',
        Interrupted: String(!result.complete),
      },
      ...commandSections(rounds),
      Totals: totals(rounds),
    },
    poolbench: {
      version: result.tool.version,
      name: result.name,
      scenario: scenario.id,
      latency: 'response',
      complete: result.complete,
      target: result.target,
      warnings: result.warnings,
    },
  };
}

/** Only what has the same meaning in both. */
function configuration({ target, config }: Result, scenario: ScenarioResult) {
  const workload = isRecord(config.workload) ? config.workload : {};
  const url = URL.canParse(target.declared.url) ? new URL(target.declared.url) : null;
  const isSocket = url?.protocol === 'unix:';
  return {
    server: isSocket ? null : (url?.hostname ?? null),
    port: isSocket ? null : Number(url?.port || 6379),
    uri: target.declared.url,
    'unix socket': isSocket ? url.pathname : null,
    protocol: 'redis',
    tls: String(url?.protocol === 'rediss:' || url?.protocol === 'valkeys:'),
    run_count: scenario.rounds.length,
    // memtier's clients have a connection each; poolbench's workers share those of their pool.
    clients: scenario.workers / scenario.threads,
    threads: scenario.threads,
    test_time: config.seconds ?? null,
    pipeline: scenario.pipeline,
    data_size: typeof workload.valueBytes === 'number' ? workload.valueBytes : null,
    key_maximum: typeof workload.keys === 'number' ? workload.keys : null,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Figures of one command, or of all. Null or absent: not measured. Latencies in ms. */
interface Figures {
  readonly count?: number;
  readonly perSecond?: number | null;
  readonly hitsPerSecond?: number | null;
  readonly missesPerSecond?: number | null;
  readonly mean?: number | null;
  readonly min?: number | null;
  readonly max?: number | null;
  readonly percentiles?: Partial<Record<PercentileKey, number | null | undefined>>;
  /** HDR V2 compressed, base64, microseconds. */
  readonly histogram?: string;
  readonly series?: Readonly<Record<string, unknown>>;
}

/** "p99.90". */
function percentileName(key: PercentileKey): string {
  return `p${percentiles[key].percentile.toFixed(2)}`;
}

/** Everything that completed in all rounds. */
function totals(rounds: readonly RoundResult[]): Record<string, unknown> {
  const perSecond = rate(rounds);
  const connectFailures = sumOf(rounds, ({ poolMetrics }) => poolMetrics.connectFailures);
  return {
    ...section({
      count: sumOf(rounds, ({ completed }) => completed),
      // In an open loop that is not what was due in the window and completed.
      perSecond: perSecond(sumOf(rounds, ({ opsPerSecond, seconds }) => opsPerSecond * seconds)),
      hitsPerSecond: rounds.some(({ hits }) => hits === null)
        ? null
        : perSecond(sumOf(rounds, ({ hits }) => hits ?? 0)),
      missesPerSecond: perSecond(sumOf(rounds, ({ misses }) => misses)),
      ...responseTimes(rounds.map(({ histograms }) => histograms.response)),
      series: timeSeries(rounds),
    }),
    'Connection Errors/sec': perSecond(connectFailures),
    'Connection Errors': connectFailures,
    ...(rounds.some(({ redirects }) => redirects !== null) && {
      'MOVED/sec': perSecond(sumOf(rounds, ({ redirects }) => redirects?.moved ?? 0)),
      'ASK/sec': perSecond(sumOf(rounds, ({ redirects }) => redirects?.ask ?? 0)),
    }),
  };
}

function responseTimes(encoded: readonly string[]): Figures {
  const { summary } = mergeLatencies(encoded);
  if (summary.count === 0) return {};
  return {
    mean: summary.mean,
    min: (readRecorded(encoded).buckets[0]?.low ?? 0) / 1e6,
    max: summary.max,
    percentiles: summary,
    histogram: toMicroseconds(encoded),
  };
}

/**
 * A section for each command of the mix, named as memtier names it: `Gets`, `Sets`. A result has only their percentiles
 * per round, so the medians are given. If commands were not counted separately, `Sets` and `Gets` are present without
 * figures, for readers that expect them.
 */
function commandSections(rounds: readonly RoundResult[]): Record<string, unknown> {
  if (rounds.every(({ commands }) => commands.length === 0)) return { Sets: section({}), Gets: section({}) };
  const perSecond = rate(rounds);
  return Object.fromEntries(
    commandFigures({ rounds }).map(({ name, completed, misses, responseP50, responseP99 }) => {
      const ofName = rounds.flatMap(({ commands }) => commands.filter(command => command.name === name));
      const figures: Figures = {
        count: completed,
        perSecond: perSecond(completed),
        hitsPerSecond: name === 'GET' ? perSecond(completed - misses) : null,
        missesPerSecond: perSecond(misses),
        ...(completed > 0 && {
          mean: sumOf(ofName, ({ completed, response }) => completed * response.mean) / completed,
          max: Math.max(...ofName.map(({ response }) => response.max)),
        }),
        percentiles: { p50: responseP50, p99: responseP99 },
      };
      return [`${capitalise(name.toLowerCase())}s`, section(figures)];
    }),
  );
}

function section(figures: Figures): Record<string, unknown> {
  const { count = null, mean = null, percentiles: measured = {}, histogram = null } = figures;
  return {
    Count: count,
    'Ops/sec': figures.perSecond ?? null,
    'Hits/sec': figures.hitsPerSecond ?? null,
    'Misses/sec': figures.missesPerSecond ?? null,
    Latency: mean,
    'Average Latency': mean,
    'Accumulated Latency': mean === null || count === null ? null : Math.round(mean * count),
    'Min Latency': figures.min ?? null,
    'Max Latency': figures.max ?? null,
    'KB/sec': null,
    'KB/sec RX/TX': null,
    'KB/sec RX': null,
    'KB/sec TX': null,
    'Time-Serie': figures.series ?? {},
    'Percentile Latencies': {
      ...Object.fromEntries(percentileKeys.map(key => [percentileName(key), measured[key] ?? null])),
      'Histogram log format': { 'Compressed Histogram': histogram },
    },
  };
}

/** By second, with the rounds one after another. Latencies are present where something completed, as in memtier's. */
function timeSeries(rounds: readonly RoundResult[]): Record<string, unknown> {
  const slots = rounds.flatMap(({ series }) => series);
  return Object.fromEntries(
    slots.map(({ completed, p50, p99 }, second) => [
      second,
      {
        Count: completed,
        ...(p50 === null ? {} : { [percentileName('p50')]: p50, [percentileName('p99')]: p99 }),
      },
    ]),
  );
}

/** An amount per second, over all rounds. */
function rate(rounds: readonly RoundResult[]): (amount: number) => number | null {
  const seconds = sumOf(rounds, round => round.seconds);
  return amount => (seconds === 0 ? null : amount / seconds);
}
