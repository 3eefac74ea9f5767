import type { CommandResult, RoundResult, ScenarioResult, SummaryResult } from '../result.ts';
import { pooledPercentiles } from './histogram.ts';
import {
  failedOf,
  latencyNames,
  type MedianMetric,
  type Metric,
  percentiles,
  pooledTails,
  type RatioMetric,
  summaryMetrics,
} from './metrics.ts';
import { worst } from './paired-ratio.ts';
import type { Ends } from './round-series.ts';
import { medianInterval } from './sign-test.ts';
import { type Interval, median, medianOfKnown, sumOf } from './statistics.ts';
import { endsOfMedian, isLowerBound } from './tails.ts';

/**
 * A scenario's summary over its rounds: medians with their intervals (see `medianInterval`), and ratios of sums over
 * all rounds. A round in which nothing completed counts as 0 operations per second and has no latency. Null without a
 * measured round.
 */
export function summarise(rounds: readonly RoundResult[]): SummaryResult | null {
  if (rounds.length === 0) return null;
  const figures = summaryMetrics.flatMap(metric => {
    if ('pooled' in metric) return [];
    return [[metric.summaryKey, 'part' in metric ? ratioOver(metric, rounds) : medianOver(metric, rounds)]];
  });
  return Object.fromEntries(figures) as SummaryResult;
}

/**
 * The summary with its pooled tails. They take all histograms of the rounds, so they are made once, of the rounds that a
 * run ends with, and not after each of its rounds. Null where no histogram has anything in it.
 */
export function withPooledTails(
  summary: SummaryResult | null,
  rounds: readonly RoundResult[],
): SummaryResult | null {
  if (summary === null) return null;
  const figures = latencyNames.flatMap(name => {
    const rows = Object.values(pooledTails).filter(({ latency }) => latency.of === name);
    const wanted = rows.map(({ latency }) => percentiles[latency.figure].percentile);
    const encoded = rounds.map(({ histograms }) => histograms[name]);
    const values = pooledPercentiles(encoded, wanted);
    return rows.map(({ summaryKey }, index) => [summaryKey, values?.[index] ?? null]);
  });
  return { ...summary, ...Object.fromEntries(figures) };
}

function medianOver({ ofRound }: MedianMetric, rounds: readonly RoundResult[]): Interval | null {
  const values = rounds.flatMap(round => ofRound(round) ?? []);
  return values.length === 0 ? null : medianInterval(values);
}

/** A ratio of sums over these rounds; see `ofNothing` where there is nothing to divide by. */
export function ratioOver(
  { part, whole, ofNothing }: RatioMetric,
  rounds: readonly RoundResult[],
): number | null {
  const sum = sumOf(rounds, whole);
  return sum === 0 ? ofNothing : sumOf(rounds, part) / sum;
}

/**
 * A metric of a scenario as one number, in the unit of result.json: its median or its ratio, and the highest that the true one
 * can be if it is only a lower bound; null: not measured. A round in which nothing completed counts as worse than all
 * others, so the median of too many of them is no figure either.
 */
export function figureOf(metric: Metric, { rounds }: Pick<ScenarioResult, 'rounds'>): Ends | null {
  if ('part' in metric) {
    const ratio = rounds.length === 0 ? null : ratioOver(metric, rounds);
    return ratio === null ? null : { low: ratio, high: ratio };
  }
  const ends = endsOfMedian(
    rounds,
    round => (round.completed === 0 ? worst[metric.better] : metric.ofRound(round)),
    round => isLowerBound(metric, [round]),
  );
  return ends !== null && Number.isFinite(ends.low) ? ends : null;
}

/** Fraction of the operations issued in all rounds that did not complete. */
export function lostRatio(rounds: readonly RoundResult[]): number {
  const issued = sumOf(rounds, round => round.issued);
  return issued === 0 ? 0 : sumOf(rounds, round => failedOf(round) + round.unfinished) / issued;
}

/** One command of one scenario: counts over all rounds, latencies as medians over those in which it completed. */
export type CommandFigures = ReturnType<typeof commandFigures>[number];

/** The commands of a scenario in the order of its mix; none if they were not counted apart. */
export function commandFigures({ rounds }: { readonly rounds: readonly RoundResult[] }) {
  const all = sumOf(rounds, round => round.completed);
  const commands = rounds.flatMap(round => round.commands);
  return [...new Set(commands.map(({ name }) => name))].map(name => {
    const ofName = commands.filter(command => command.name === name);
    const answered = ofName.filter(({ completed }) => completed > 0);
    /** Null if it never completed. */
    const medianOf = (figure: (command: CommandResult) => number) =>
      answered.length === 0 ? null : median(answered.map(figure));
    const completed = sumOf(ofName, command => command.completed);
    return {
      name,
      completed,
      /** Fraction of all completed operations. */
      share: all === 0 ? 0 : completed / all,
      failed: sumOf(ofName, failedOf),
      misses: sumOf(ofName, ({ misses }) => misses),
      /** Null if it is no transaction. */
      aborted: ofName.some(({ aborted }) => aborted !== undefined)
        ? sumOf(ofName, ({ aborted }) => aborted ?? 0)
        : null,
      serviceP50: medianOf(({ service }) => service.p50),
      serviceP99: medianOf(({ service }) => service.p99),
      responseP50: medianOf(({ response }) => response.p50),
      responseP99: medianOf(({ response }) => response.p99),
      serverMicrosPerCall: medianOfKnown(answered.map(command => command.serverMicrosPerCall ?? null)),
    };
  });
}

/** Where the mean response time of a batch was spent, in ms: the three parts add up to it in every round. */
export interface TimeSplit {
  readonly responseMs: number;
  /** Before it was sent: waiting for a connection, or in an open loop for a worker. */
  readonly clientMs: number;
  /** Sent, and not being run: on the network, and waiting at both ends of it. */
  readonly betweenMs: number;
  /** Being run by the server, by its own clock. */
  readonly serverMs: number;
}

/**
 * The split of a scenario: medians over its rounds. Null if the server does not report its time, if batches have several
 * sizes, or if several nodes run the parts of a batch at the same time.
 */
export function timeSplit({
  rounds,
  pipeline,
}: Pick<ScenarioResult, 'rounds' | 'pipeline'>): TimeSplit | null {
  const splits = rounds.flatMap(({ response, service, serverMicrosPerCall, loads, redirects, readCalls }) => {
    const isCut = redirects !== null || readCalls !== undefined;
    const isSplit = loads.length === 0 && (!isCut || pipeline === 1);
    if (serverMicrosPerCall == null || service.count === 0 || !isSplit) return [];
    // The server's mean is over other operations at the ends of the window, so it can exceed a very short service time.
    const serverMs = Math.min(service.mean, (pipeline * serverMicrosPerCall) / 1000);
    const clientMs = Math.max(0, response.mean - service.mean);
    return { responseMs: service.mean + clientMs, clientMs, betweenMs: service.mean - serverMs, serverMs };
  });
  if (splits.length === 0) return null;
  const medianOf = (part: keyof TimeSplit) => median(splits.map(split => split[part]));
  return {
    responseMs: medianOf('responseMs'),
    clientMs: medianOf('clientMs'),
    betweenMs: medianOf('betweenMs'),
    serverMs: medianOf('serverMs'),
  };
}
