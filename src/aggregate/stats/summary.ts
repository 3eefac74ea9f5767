import type { CommandResult, RoundResult, ScenarioResult, SummaryResult } from '../result.ts';
import {
  failedOf,
  type MedianMetric,
  type Metric,
  type RatioMetric,
  type SummaryKey,
  summaryMetrics,
} from './metrics.ts';
import { medianInterval } from './sign-test.ts';
import { type Interval, median } from './statistics.ts';

/**
 * A scenario's summary over its rounds: medians with their intervals (see `medianInterval`), and ratios of sums over
 * all rounds. A round in which nothing completed counts as 0 operations per second and has no latency. Null without a
 * measured round.
 */
export function summarise(rounds: readonly RoundResult[]): SummaryResult | null {
  if (rounds.length === 0) return null;
  const figures = summaryMetrics.map(metric => [
    metric.summaryKey,
    'part' in metric ? ratioOver(metric, rounds) : medianOver(metric, rounds),
  ]);
  return Object.fromEntries(figures) as SummaryResult;
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

/** A metric of a scenario as one number, in the unit of result.json: its median or its ratio; null: not measured. */
export function figureOf(metric: Metric, { summary, rounds }: ScenarioResult): number | null {
  if (metric.summaryKey === undefined) return 'part' in metric ? ratioOver(metric, rounds) : null;
  const figure = summary?.[metric.summaryKey as SummaryKey] ?? null;
  return typeof figure === 'object' ? (figure?.median ?? null) : figure;
}

/** Fraction of the operations issued in all rounds that did not complete. */
export function lostRatio(rounds: readonly RoundResult[]): number {
  const issued = sumOf(rounds, round => round.issued);
  return issued === 0 ? 0 : sumOf(rounds, round => failedOf(round) + round.unfinished) / issued;
}

/** One command of one scenario: counts over all rounds, latencies as medians over those in which it completed. */
export type CommandFigures = ReturnType<typeof commandFigures>[number];

/** The commands of a scenario in the order of its mix; none if they were not counted apart. */
export function commandFigures({ rounds }: Pick<ScenarioResult, 'rounds'>) {
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
      serviceP50: medianOf(({ service }) => service.p50),
      serviceP99: medianOf(({ service }) => service.p99),
      responseP50: medianOf(({ response }) => response.p50),
      responseP99: medianOf(({ response }) => response.p99),
    };
  });
}

/** The sum of an amount over items. */
export function sumOf<Item>(items: readonly Item[], amount: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + amount(item), 0);
}
