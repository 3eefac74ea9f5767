import type { RoundResult, ScenarioResult } from '../result.ts';
import { describeArrival } from '../scenario/arrival.ts';
import { p99 } from '../stats/measures.ts';
import { median } from '../stats/statistics.ts';
import { isLowerBound } from '../stats/warnings.ts';
import { formatList, formatMs, formatPlural } from '../text/format.ts';
import type { Claim, Evidence, Judgement } from './claim.ts';
import { isMeasured, isPlain } from './judging/arms.ts';
import { type Design, judgePredictions, untested } from './judging/judge-predictions.ts';
import { type Prediction, predictFigure } from './judging/prediction.ts';

/** Workers of the document's sub-millisecond profile. */
const workersOfProfile = 10;
/** "Sub-millisecond". */
const mostMs = 1;
/** An open loop is to be at half of what the closed one gave; the rates of the suite are a factor of 2 apart. */
const shareOfCapacity = 0.5;
const nearEnough = 0.5;
/** "Disable health checks or set long interval". */
const longTtlMs = 60_000;

/**
 * C14. The document's profile for low latency: as many connections as workers, all open before the load, checks off or
 * far between, a server on the same machine. A figure as it is, not a ratio: the claim is about a millisecond.
 */
export const lowLatency: Claim = {
  id: 'C14',
  statement: 'A warm pool as large as its concurrency, without checks, answers within a millisecond.',
  predicted:
    'p99 below 1 ms at 10 workers, also in an open loop at half of the capacity, with a server on the same machine',
  suite: 'low-latency',
  judge,
};

function judge(evidence: Evidence): Judgement {
  if (evidence.target.local) return judgePredictions(evidence, design);
  return untested(
    ['The claim takes a server on the same machine, and this one is elsewhere.']
      .concat(sayTails(evidence.scenarios))
      .join(' '),
  );
}

const design: Design = {
  needs:
    'in a closed loop (and, of random arrivals, in an open one) an optimized pool of 10 workers with 1 connection a worker, minIdleShare 1 and a healthTtlMs of 60000 or more',
  predictions: scenarios => armsOf(scenarios).map(predictBelowMillisecond),
  proof: scenarios =>
    armsOf(scenarios).some(({ rounds }) => isLowerBound(rounds))
      ? 'the open loop left operations unsent, so that its percentiles are lower bounds'
      : findBusyClient(scenarios),
  caveat: scenarios =>
    armsOf(scenarios).some(isOpen)
      ? null
      : 'A closed loop only, which hides what independent callers would wait: no open loop was measured at half of its throughput or somewhat less.',
  remarks: sayTails,
};

/** The profile in a closed loop, and in the open loop that comes nearest to half of its throughput, from below. */
function armsOf(scenarios: readonly ScenarioResult[]): ScenarioResult[] {
  const [closed] = scenarios.filter(
    scenario => isProfile(scenario) && scenario.workers === workersOfProfile && !isOpen(scenario),
  );
  if (closed === undefined) return [];
  const most = (closed.summary?.opsPerSecond.median ?? 0) * shareOfCapacity;
  const [open] = scenarios
    .filter(
      scenario =>
        isProfile(scenario) &&
        scenario.workers === workersOfProfile &&
        scenario.client === closed.client &&
        isWithin(scenario.arrival.rate, most),
    )
    .toSorted((a, b) => (b.arrival.rate ?? 0) - (a.arrival.rate ?? 0));
  return open === undefined ? [closed] : [closed, open];
}

function isWithin(rate: number | undefined, most: number): boolean {
  return rate !== undefined && rate <= most && rate >= most * nearEnough;
}

/**
 * A tail of a millisecond and more behind a client that had no time to spare is that of the client, and of the machine's
 * weather; one below it stands all the more.
 */
function findBusyClient(scenarios: readonly ScenarioResult[]): string | null {
  const late = armsOf(scenarios)
    .filter(isMeasured)
    .filter(({ rounds }) => median(rounds.map(p99.figure)) >= mostMs);
  const limit = late.map(({ limitedBy }) => limitedBy.resource).find(isOfTheClient);
  if (limit === undefined) return null;
  const busy = limit === 'client' ? "poolbench's own event loop" : 'the whole machine';
  return `${busy} was busy all the time, and that is what the replies to ${workersOfProfile} workers waited for`;
}

const isOfTheClient = (limit: string) => limit === 'client' || limit === 'machine';

function predictBelowMillisecond(scenario: ScenarioResult): Prediction {
  const loop = isOpen(scenario) ? `, ${describeArrival(scenario.arrival)}` : '';
  const where = `${workersOfProfile} workers${loop}`;
  return predictFigure(p99, scenario, where, { low: null, high: mostMs }, formatLatency);
}

/** In a closed loop or in one of random arrivals. */
function isProfile(scenario: ScenarioResult): boolean {
  const { pool, connections, workers, minIdle, healthTtlMs, arrival } = scenario;
  const sized = connections === workers && minIdle === connections;
  const plain = isPlain({ ...scenario, arrival: { kind: 'closed' } });
  const arrives = ['closed', 'poisson'].includes(arrival.kind) && arrival.leg === undefined;
  return plain && arrives && pool === 'optimized' && sized && healthTtlMs >= longTtlMs;
}

const isOpen = ({ arrival }: ScenarioResult) => arrival.kind !== 'closed';

const formatLatency = (ms: number) => `${formatMs(ms)} ms`;

function sayTails(scenarios: readonly ScenarioResult[]): string[] {
  const arms = scenarios.filter(isProfile).filter(isMeasured);
  return arms.length === 0 ? [] : [`Response p99 and p99.9: ${formatList(arms.map(sayTail))}.`];
}

function sayTail({ client, workers, rounds, arrival }: ScenarioResult): string {
  const middle = (figure: (round: RoundResult) => number) => formatMs(median(rounds.map(figure)));
  return `${middle(({ response }) => response.p99)} and ${middle(({ response }) => response.p999)} ms at ${formatPlural(workers, 'worker')} (${client}${arrival.kind === 'closed' ? '' : `, ${describeArrival(arrival)}`})`;
}
