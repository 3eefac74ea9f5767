import type { ScenarioResult } from '../result.ts';
import { formatList, formatPlural, formatRatio, formatRatioInterval } from '../text/format.ts';
import { medianInterval, minRounds } from './sign-test.ts';
import { median } from './statistics.ts';

/** Whether the threads of a run were equally warm: an operation costs a cold thread several times the CPU time. */

/** How the threads of a run that used one client have changed from its first rounds to its last. */
interface ThreadWarmth {
  readonly client: string;
  /** CPU time of an operation in the first rounds / that in the last, by number of the thread. */
  readonly threads: readonly { readonly thread: number; readonly ratio: number }[];
  /** Over these threads. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Max rounds that count as the first ones: a thread is warm after a few. The last ones are the second half. */
const maxFirstRounds = 3;

/** Ratio, to either side, up to which a difference is noise: measured on warm threads of a busy machine. */
const maxRatio = 1.25;

type Measured = Pick<ScenarioResult, 'id' | 'client' | 'rounds'>;

/** What one thread needed for an operation in one measurement. */
interface Cost {
  readonly round: number;
  readonly thread: number;
  readonly micros: number;
}

/**
 * The first rounds against the last, for each client and thread of a run. Costs are taken relative to the median of their
 * scenario, so that narrow arms, which run on another thread in each round, count like wide ones. Empty if there are fewer
 * than a verdict needs, or if the CPU time of the threads is not known (results of 0.5 and earlier do not have it).
 */
export function threadWarmth(scenarios: readonly Measured[]): ThreadWarmth[] {
  const numbers = scenarios.flatMap(({ rounds }) => rounds.map(({ round }) => round));
  const rounds = [...new Set(numbers)].toSorted((a, b) => a - b);
  if (rounds.length < minRounds) return [];
  const firstCount = Math.min(maxFirstRounds, Math.floor(rounds.length / 3));
  const first = new Set(rounds.slice(0, firstCount));
  const last = new Set(rounds.slice(Math.ceil(rounds.length / 2)));

  return [...new Set(scenarios.map(({ client }) => client))].flatMap(client => {
    const costs = scenarios.filter(scenario => scenario.client === client).flatMap(relativeCosts);
    const threads = threadsOf(costs).flatMap(thread => {
      const own = costs.filter(cost => cost.thread === thread);
      const medianIn = (among: ReadonlySet<number>) =>
        median(own.flatMap(({ round, ratio }) => (among.has(round) ? ratio : [])));
      const ratio = medianIn(first) / medianIn(last);
      return ratio > 0 ? [{ thread, ratio }] : [];
    });
    if (threads.length === 0) return [];
    const ratios = threads.map(({ ratio }) => ratio);
    return [{ client, threads, median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) }];
  });
}

/** The comparison of `threadWarmth` as a sentence; null if there is none. */
export function describeThreadWarmth(scenarios: readonly Measured[]): string | null {
  const clients = threadWarmth(scenarios).map(warmth => `${warmth.client} ${describeRatios(warmth)}`);
  if (clients.length === 0) return null;
  return `CPU time per operation on each thread, first rounds / last rounds: ${clients.join('; ')}. A ratio of about ×1 means that the threads were warm from the first round on.`;
}

/** Warnings about first rounds that cost clearly more than the last, and about arms whose threads clearly differ. */
export function threadWarnings(scenarios: readonly Measured[]): string[] {
  const cold = threadWarmth(scenarios)
    .filter(({ median }) => median > maxRatio)
    .map(warmth => `${warmth.client} ${describeRatios(warmth)}`);
  const unequal = scenarios.flatMap(describeUnequal);
  return [
    ...(cold.length === 0
      ? []
      : [
          `an operation took more CPU time in the first rounds than in the last ones: ${formatList(cold)}. The threads were not warm yet, or the machine was busier. Arms with more threads can look worse than they are; a longer run gives the threads more time to warm up`,
        ]),
    ...(unequal.length === 0
      ? []
      : [
          `the threads of one arm took different amounts of CPU time for an operation: ${formatList(unequal)}, compared with the median thread of the same arm. So this arm was not measured under the same conditions as the others; look for programs that are bound to some of the cores`,
        ]),
  ];
}

function describeRatios({ threads, median, min, max }: ThreadWarmth): string {
  const over = formatPlural(threads.length, 'thread');
  return threads.length === 1
    ? `${formatRatio(median)} (${over})`
    : `${formatRatio(median)} (${formatRatio(min)} to ${formatRatio(max)} over ${over})`;
}

/**
 * The thread of an arm that is farthest from the others, if it is far from them by its whole interval over the rounds: a
 * run has so many threads and arms that the median of one is far away by chance.
 */
function describeUnequal({ id, rounds }: Measured): string[] {
  const costs = rounds.map(costsOf).filter(ofRound => ofRound.length > 1);
  const ratios = costs.flatMap(toMedian);
  const [farthest] = threadsOf(ratios)
    .map(thread => ({ thread, ratios: ratios.flatMap(cost => (cost.thread === thread ? cost.ratio : [])) }))
    .filter(({ ratios }) => ratios.length >= minRounds)
    .map(({ thread, ratios }) => ({ thread, ratio: medianInterval(ratios) }))
    .filter(({ ratio }) => ratio.low > maxRatio || ratio.high < 1 / maxRatio)
    .toSorted((a, b) => Math.abs(Math.log(b.ratio.median)) - Math.abs(Math.log(a.ratio.median)));
  return farthest === undefined
    ? []
    : [`${id} (thread ${farthest.thread}: ${formatRatioInterval(farthest.ratio)})`];
}

/** What one thread needed for an operation in one measurement, relative to others. */
interface RelativeCost {
  readonly round: number;
  readonly thread: number;
  readonly ratio: number;
}

/** To the median of all threads and rounds of the scenario. */
function relativeCosts({ rounds }: Measured): RelativeCost[] {
  return toMedian(rounds.flatMap(costsOf));
}

function toMedian(costs: readonly Cost[]): RelativeCost[] {
  const usual = median(costs.map(({ micros }) => micros));
  return costs.map(({ round, thread, micros }) => ({ round, thread, ratio: micros / usual }));
}

function threadsOf(costs: readonly RelativeCost[]): number[] {
  return [...new Set(costs.map(({ thread }) => thread))].toSorted((a, b) => a - b);
}

/** Results of 0.5 and earlier do not have them. */
function costsOf({ round, cpu }: Measured['rounds'][number]): Cost[] {
  return cpu.threads.flatMap(({ thread, microsPerOp }) =>
    thread === undefined || microsPerOp == null || microsPerOp === 0
      ? []
      : [{ round, thread, micros: microsPerOp }],
  );
}
