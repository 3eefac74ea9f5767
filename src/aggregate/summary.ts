import type { LatencySummary, RoundResult, SummaryResult } from './result.ts';
import { medianInterval } from './statistics.ts';

/**
 * What a scenario's rounds say together: medians with their intervals (see `medianInterval`). A round in which
 * nothing completed counts as 0 operations per second and has no latency. Null without a measured round.
 */
export function summarise(rounds: readonly RoundResult[]): SummaryResult | null {
  if (rounds.length === 0) return null;
  const served = rounds.filter(round => round.completed > 0);
  const latency = (of: (round: RoundResult) => LatencySummary, figure: keyof LatencySummary) =>
    served.length === 0 ? null : medianInterval(served.map(round => of(round)[figure]));
  const service = (round: RoundResult) => round.service;
  const response = (round: RoundResult) => round.response;
  const microsPerOp = served.flatMap(round => round.cpu.clientMicrosPerOp ?? []);
  return {
    opsPerSecond: medianInterval(rounds.map(round => round.opsPerSecond)),
    serviceP50: latency(service, 'p50'),
    serviceP99: latency(service, 'p99'),
    responseMean: latency(response, 'mean'),
    responseP50: latency(response, 'p50'),
    responseP95: latency(response, 'p95'),
    responseP99: latency(response, 'p99'),
    responseP999: latency(response, 'p999'),
    clientMicrosPerOp: microsPerOp.length === 0 ? null : medianInterval(microsPerOp),
    failedShare: share(rounds, failedOf),
  };
}

/** Operations of a round that failed, whatever the code. */
export function failedOf(round: RoundResult): number {
  return Object.values(round.failed).reduce((sum, count) => sum + count, 0);
}

/** Operations that were issued and did not complete, as a share of those issued in all rounds, 0 to 1. */
export function lostShare(rounds: readonly RoundResult[]): number {
  return share(rounds, round => failedOf(round) + round.unfinished);
}

function share(rounds: readonly RoundResult[], count: (round: RoundResult) => number): number {
  const issued = rounds.reduce((sum, round) => sum + round.issued, 0);
  return issued === 0 ? 0 : rounds.reduce((sum, round) => sum + count(round), 0) / issued;
}
