import { p99 } from '../measures.ts';
import type { RoundResult, ScenarioResult } from '../result.ts';
import { median } from '../statistics.ts';
import { formatList, formatMs, formatPlural } from '../text/format.ts';
import type { Claim, Evidence, Judgement } from './claim.ts';
import { type Design, judgePredictions, untested } from './judging/judge-predictions.ts';
import { isMeasured, isPlain } from './judging/plain.ts';
import { predictFigure } from './judging/prediction.ts';

/** Workers of the document's sub-millisecond profile. */
const workersOfProfile = 10;
/** "Sub-millisecond". */
const mostMs = 1;
/** "Disable health checks or set long interval". */
const longTtlMs = 60_000;

/**
 * C14. The document's profile for low latency: as many connections as workers, all open before the load, checks off or
 * far between, a server on the same machine. A figure as it is, not a ratio: the claim is about a millisecond.
 */
export const lowLatency: Claim = {
  id: 'C14',
  statement: 'A warm pool as large as its concurrency, without checks, answers within a millisecond.',
  predicted: 'p99 below 1 ms at 10 workers, with a server on the same machine',
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
    'an optimized pool of 10 workers with 1 connection a worker, minIdleShare 1 and a healthTtlMs of 60000 or more',
  predictions: scenarios =>
    scenarios
      .filter(scenario => isProfile(scenario) && scenario.workers === workersOfProfile)
      .slice(0, 1)
      .map(scenario =>
        predictFigure(
          p99,
          scenario,
          `${workersOfProfile} workers`,
          { low: null, high: mostMs },
          formatLatency,
        ),
      ),
  proof: findBusyClient,
  caveat: () =>
    'A closed loop only, which hides what independent callers would wait; the same in an open loop is not measured.',
  remarks: sayTails,
};

function isProfile(scenario: ScenarioResult): boolean {
  const { pool, connections, workers, minIdle, healthTtlMs } = scenario;
  const sized = connections === workers && minIdle === connections;
  return isPlain(scenario) && pool === 'optimized' && sized && healthTtlMs >= longTtlMs;
}

/**
 * A tail of a millisecond and more behind a client that had no time to spare is that of the client, and of the machine's
 * weather; one below it stands all the more.
 */
function findBusyClient(scenarios: readonly ScenarioResult[]): string | null {
  const late = scenarios
    .filter(scenario => isProfile(scenario) && scenario.workers === workersOfProfile && isMeasured(scenario))
    .find(({ rounds }) => median(rounds.map(p99.figure)) >= mostMs);
  const limit = late?.limitedBy.resource;
  if (limit !== 'client' && limit !== 'machine') return null;
  return `${workersOfProfile} workers without a pause kept ${limit === 'client' ? "poolbench's own event loop" : 'the whole machine'} busy, and that is what their replies waited for`;
}

const formatLatency = (ms: number) => `${formatMs(ms)} ms`;

function sayTails(scenarios: readonly ScenarioResult[]): string[] {
  const arms = scenarios.filter(isProfile).filter(isMeasured);
  return arms.length === 0 ? [] : [`Response p99 and p99.9: ${formatList(arms.map(sayTail))}.`];
}

function sayTail({ client, workers, rounds }: ScenarioResult): string {
  const middle = (figure: (round: RoundResult) => number) => formatMs(median(rounds.map(figure)));
  return `${middle(({ response }) => response.p99)} and ${middle(({ response }) => response.p999)} ms at ${formatPlural(workers, 'worker')} (${client})`;
}
