import type { MeasuredResult, Result, ScenarioResult } from '../result.ts';
import {
  asSentence,
  formatCount,
  formatFraction,
  formatList,
  formatMs,
  formatPercent,
  formatPlural,
} from '../text/format.ts';
import { findImbalances } from './accounting.ts';
import { withoutControls } from './control.ts';
import { hostWarnings } from './hosts.ts';
import { machineCores, minThrottledRatio, neighbourCores, throttledRatio } from './interference.ts';
import { throughput } from './measures.ts';
import { metrics } from './metrics.ts';
import { describeReads } from './reads.ts';
import { hasCompleted, hasDue, pairByRound } from './rounds.ts';
import { lagOneCorrelation } from './sign-test.ts';
import { median, medianOfKnown, sumOf } from './statistics.ts';
import { canBeHigher, isLowerBound, lostLaterRatio } from './tails.ts';
import { threadWarnings } from './thread-warmth.ts';

/** Fraction of the machine that other programs must use in the median measurement: less is the kernel, and clock ticks. */
const minNeighbourRatio = 0.25;

/** p99 of the generator's own lag, which is an error of every response time. */
const maxLagMs = 0.2;

/** Caveats of the figures, in sentences: warnings of the run, and what its figures show. */
export function warningsOf(result: Result): string[] {
  return [
    ...result.warnings,
    ...findImbalances(result),
    ...describeReads(withoutControls(result)),
    ...describeDependence(result),
    ...describeNeighbours(result),
    ...describeThrottling(result),
    ...describeUngrown(result.scenarios),
    ...describeIdle(result.scenarios),
    ...threadWarnings(result.scenarios),
    ...hostWarnings(result),
  ].map(asSentence);
}

/** Rank correlation of a round with the next from which a verdict errs clearly more often than stated. */
const maxCorrelation = 0.2;

/**
 * Whether the rounds repeat each other: one statistic for all throughput ratios that claims were judged by, as some of many
 * are high by chance.
 */
function describeDependence(result: Result): string[] {
  const byId = new Map(withoutControls(result).map(scenario => [scenario.id, scenario]));
  const compared = result.claims.flatMap(({ verdict, comparisons }) =>
    verdict === 'not tested' ? [] : comparisons.filter(({ measure }) => measure === throughput.name),
  );
  const pairs = new Map(compared.map(pair => [`${pair.other} to ${pair.base}`, pair]));
  const correlations = [...pairs.values()].flatMap(({ base, other }) => {
    const [ofBase, ofOther] = [byId.get(base), byId.get(other)];
    if (ofBase === undefined || ofOther === undefined) return [];
    return lagOneCorrelation(pairByRound(ofBase, ofOther, throughput).series.values) ?? [];
  });
  const mean = sumOf(correlations, correlation => correlation) / correlations.length;
  if (!(mean > maxCorrelation)) return [];
  return [
    `rounds resemble the ones before them (rank correlation ${mean.toFixed(2)}), so verdicts err more often than stated: at 0.3 in some 5 % of comparisons on each side instead of 1.6 %`,
  ];
}

/** Other programs that used the machine all the time: they make no round an outlier. */
function describeNeighbours(result: Result): string[] {
  const { hosts } = result;
  const cores = hosts === undefined ? machineCores(result.environment) : sumOf(hosts, ({ cores }) => cores);
  const taken = result.scenarios.flatMap(({ rounds }) =>
    rounds.flatMap(round => neighbourCores(round, result) ?? []),
  );
  const usual = taken.length === 0 ? 0 : median(taken);
  if (usual < minNeighbourRatio * cores) return [];
  return [
    `other programs used ${usual.toFixed(1)} of ${hosts === undefined ? "this machine's" : "the agents'"} ${cores} cores in the median measurement: they affect the figures, and what limited them`,
  ];
}

/** A quota stops threads in the middle of their work, whatever they do. */
function describeThrottling({ scenarios, environment: { quotaCores } }: Result): string[] {
  const usual = medianOfKnown(scenarios.flatMap(({ rounds }) => rounds.map(throttledRatio)));
  if (usual === null || usual < minThrottledRatio) return [];
  const quota = typeof quotaCores === 'number' ? `of ${quotaCores} cores ` : '';
  return [
    `a CPU quota ${quota}stopped poolbench in ${formatFraction(usual)} of the quota's periods: throughput and latency depend on the quota, not on the server or the pools; raise the quota of this container`,
  ];
}

/** Pools that were still growing, or had a worker without a connection, when the warm-up reached its limit. */
function describeUngrown(scenarios: readonly Pick<MeasuredResult, 'id' | 'rounds'>[]): string[] {
  const ungrown = scenarios.flatMap(({ id, rounds }) => {
    const of = rounds.filter(({ warmup }) => warmup?.grown === false);
    return of.length === 0 ? [] : [`${id} (${of.length} of ${formatPlural(rounds.length, 'round')})`];
  });
  if (ungrown.length === 0) return [];
  return [
    `pools were still opening connections when the warm-up reached its time limit, in ${formatList(ungrown)}: the figures include the cost of opening them; use a longer warmupSeconds, or find out why connections open slowly`,
  ];
}

/** Scenarios that issued no operation in their windows: none was due, or every worker was waiting for a reply. */
function describeIdle(scenarios: readonly Pick<MeasuredResult, 'id' | 'rounds'>[]): string[] {
  const idle = scenarios.filter(
    ({ rounds }) => rounds.length > 0 && rounds.every(({ issued }) => issued === 0),
  );
  const warn = (found: typeof idle, sentence: (list: string) => string) =>
    found.length === 0 ? [] : [sentence(formatList(found.map(({ id }) => id)))];
  return [
    ...warn(
      idle.filter(scenario => !hasDue(scenario)),
      list =>
        `no operation was due in the measured time of ${list}: use longer rounds (--seconds) or a higher rate`,
    ),
    ...warn(
      idle.filter(hasDue),
      list =>
        `no operation was issued in the measured time of ${list}, because all workers were waiting for replies: use longer rounds (--seconds), or find out what holds up the server`,
    ),
  ];
}

/** What can delay the operations of a scenario, with a sentence about the scenarios in which it did. */
const delays = {
  generator: list =>
    `The generator itself was late by more than ${formatMs(maxLagMs)} ms, which the response times include, in ${list}: use fewer threads, a lower rate or a quieter machine.`,
  burst: list =>
    `A thread sends the batches of a burst one after another, so the response times include the wait of the last ones, in ${list}: use more threads or smaller bursts.`,
  recording: list =>
    `Recorded operations were sent more than ${formatMs(maxLagMs)} ms late, which the response times include, in ${list}. A thread sends the operations of a recorded burst one after another: use more threads, or a lower speed. Without bursts, the generator itself was late: use a quieter machine.`,
  population: list =>
    `Operations were sent more than ${formatMs(maxLagMs)} ms late in ${list}, whose threads also run populations. The response times include this lag. It is part of the effect of the populations, but a busy machine also causes lag: compare it with that of the scenario alone.`,
} as const satisfies Record<string, (list: string) => string>;

function delayOf({ arrival: { kind }, populations = [] }: ScenarioResult): keyof typeof delays {
  if (populations.some(({ sharesThreads }) => sharesThreads)) return 'population';
  if (kind === 'recorded') return 'recording';
  return kind === 'burst' ? 'burst' : 'generator';
}

/** Caveats of the latencies of a run, a sentence each. */
export function latencyWarnings(scenarios: readonly ScenarioResult[]): string[] {
  const late = (delay: string) =>
    scenarios
      .filter(scenario => delayOf(scenario) === delay)
      .map(({ id, rounds }) => ({
        id,
        lagMs: median(rounds.flatMap(round => round.openLoop?.lag.p99 ?? [])),
      }))
      .filter(({ lagMs }) => lagMs > maxLagMs)
      .map(({ id, lagMs }) => `${id} (p99 ${formatMs(lagMs)} ms)`);
  const p99 = metrics['response.p99'];
  const lost = scenarios
    .filter(scenario => hasCompleted(scenario) && canBeHigher(p99, scenario.rounds))
    .map(({ id, rounds }) => {
      const bounded = rounds.filter(round => isLowerBound(p99, [round]));
      return `${id} (${formatPercent(lostLaterRatio(p99.latency, bounded))})`;
    });
  const beyondRange = scenarios
    .map(({ id, rounds }) => ({
      id,
      count: rounds.reduce((sum, { openLoop }) => sum + (openLoop?.lagOverRange ?? 0), 0),
    }))
    .filter(({ count }) => count > 0)
    .map(({ id, count }) => `${id} (${formatCount(count)})`);
  const warn = (found: readonly string[], sentence: (list: string) => string) =>
    found.length === 0 ? [] : [sentence(formatList(found))];
  return [
    ...Object.entries(delays).flatMap(([delay, sentence]) => warn(late(delay), sentence)),
    ...warn(
      beyondRange,
      list =>
        `The generator was more than 10 minutes late for some arrivals, in ${list}. Their lag is recorded as 10 minutes, the highest value of the histogram.`,
    ),
    ...warn(
      lost,
      list =>
        `The p99 is a lower bound, because operations failed after a longer wait, were still unanswered at the end, or were never sent, in ${list}.`,
    ),
  ];
}
