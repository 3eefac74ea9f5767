import type { Result, RoundResult } from '../result.ts';
import { formatCount, formatFraction } from '../text/format.ts';
import { failedOf } from './metrics.ts';
import { loadsOf, loadsOfRound } from './populations.ts';
import { sumOf } from './statistics.ts';

/** A scenario's accounting, summed over its rounds. */
export type Account = ReturnType<typeof accountOf>;

export function accountOf(rounds: readonly RoundResult[]) {
  const sum = (count: (round: RoundResult) => number) => sumOf(rounds, count);
  /** Null if it is not known for every round. */
  const sumKnown = (count: (round: RoundResult) => number | null) =>
    rounds.length > 0 && rounds.every(round => count(round) !== null)
      ? sum(round => count(round) ?? 0)
      : null;
  return {
    /** What was due in open loops; 0 in closed ones. */
    offered: sum(round => round.openLoop?.offered ?? 0),
    unsent: sum(round => round.openLoop?.unsent ?? 0),
    issued: sum(round => round.issued),
    completed: sum(round => round.completed),
    failed: sum(failedOf),
    unfinished: sum(round => round.unfinished),
    misses: sum(round => round.misses),
    hits: sumKnown(round => round.hits),
    overRange: sum(round => round.overRange),
    serverCalls: sumKnown(round => round.serverCalls),
    /** Reads counted by the servers: all, and those of replicas. Null if not known in a round. */
    readCalls:
      rounds.length > 0 && rounds.every(round => round.readCalls)
        ? {
            all: sum(round => round.readCalls?.all ?? 0),
            ofReplicas: sum(round => round.readCalls?.ofReplicas ?? 0),
          }
        : null,
    /** Redirections that were followed; null without a cluster. */
    redirects: rounds.some(round => round.redirects !== null)
      ? { moved: sum(round => round.redirects?.moved ?? 0), ask: sum(round => round.redirects?.ask ?? 0) }
      : null,
  };
}

/**
 * The books of a scenario and its populations together. The server counts all of them, even if it cannot tell one from
 * another.
 */
export function accountOfAll(rounds: readonly RoundResult[]): Account {
  const all = rounds.flatMap(loadsOfRound).map(({ round }) => round);
  return {
    ...accountOf(all),
    // A closed loop has sent what was due.
    offered: sumOf(all, ({ openLoop, issued }) => openLoop?.offered ?? issued),
    serverCalls: countedOf(rounds).serverCalls,
  };
}

/** Duration of a run in seconds, without the gaps before it was resumed; null if its times are no dates. */
export function tookSeconds({
  startedAt,
  finishedAt,
  resumed = [],
}: Pick<Result, 'startedAt' | 'finishedAt' | 'resumed'>): number | null {
  const gapSeconds = resumed.reduce((sum, gap) => sum + gap.gapSeconds, 0);
  const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 - gapSeconds;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

/** Adds up counts by error code, codes in alphabetical order. */
export function sumByCode(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [code, count] of counts.flatMap(byCode => Object.entries(byCode)))
    sums.set(code, (sums.get(code) ?? 0) + count);
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * A sentence for each imbalance in the accounting of a run. Issued operations are completed, failed or unfinished; if
 * not, poolbench itself is at fault. The server's count lies between completed and issued, because it may have run an
 * operation whose reply was lost. It can exceed issued by operations that failed in the warm-up but ran on the server.
 * If it is more than 1 % above, another program used these commands; if it is more than 1 % below, another server
 * answered. For a scenario with populations, the sums over all loads are compared.
 */
export function findImbalances({ scenarios, config }: Pick<Result, 'scenarios' | 'config'>): string[] {
  return scenarios.flatMap(scenario => [
    ...loadsOf(scenario).flatMap(({ id, rounds }) => rounds.flatMap(round => describeImbalance(id, round))),
    ...describeServerCount(scenario.id, scenario.rounds),
    ...loadsOf(scenario).flatMap(({ id, population, rounds }) => [
      ...(sourceOf(population, scenario, config) === 'replica' ? describeReadsOfPrimaries(id, rounds) : []),
      ...rounds.flatMap(round => describeScriptCount(id, round)),
      ...rounds.flatMap(round => describeLostMessages(id, round)),
    ]),
  ]);
}

/** Where a load was to read; undefined if the config does not say it. */
function sourceOf(
  population: string | null,
  { readFrom }: Pick<Result['scenarios'][number], 'readFrom'>,
  { populations }: Result['config'],
): unknown {
  if (population === null) return readFrom;
  if (!Array.isArray(populations)) return undefined;
  return populations.find(({ name }) => name === population)?.readFrom;
}

/** Reads that the primaries answered, although readFrom sends them to replicas. */
function describeReadsOfPrimaries(id: string, rounds: readonly RoundResult[]): string[] {
  const { readCalls } = accountOf(rounds);
  if (readCalls === null || readCalls.ofReplicas >= readCalls.all * 0.99) return [];
  const ofPrimaries = readCalls.all - readCalls.ofReplicas;
  return [
    `Primaries answered ${formatFraction(ofPrimaries / readCalls.all)} of the reads in ${id}, although readFrom is "replica": a replica was lost or redirected the reads, or another program read from the primaries.`,
  ];
}

/** What the server's count is compared with: the operations of a scenario and of its populations. */
function countedOf(rounds: readonly RoundResult[]): Pick<Account, 'completed' | 'issued' | 'serverCalls'> {
  return accountOf(rounds.map(round => ({ ...round, ...round.together })));
}

/** A script sends more commands than it has sessions. A failed command may not have been counted. */
function describeScriptCount(id: string, round: RoundResult): string[] {
  const counted = round.script?.counted;
  if (!counted) return [];
  const { sent, server } = counted;
  const isWhole = failedOf(round) + round.unfinished === 0;
  if (server <= sent * 1.01 && (server >= sent * 0.99 || !isWhole)) return [];
  return [
    `The server counted ${formatCount(server)} commands in round ${round.round} of ${id}, but the script sent ${formatCount(sent)}: did another program use the server, or did another server answer?`,
  ];
}

function describeLostMessages(id: string, { round, deliveries }: RoundResult): string[] {
  if (deliveries === undefined || deliveries.lost === 0) return [];
  const { lost, expected, closed, subscribers } = deliveries;
  const why =
    closed === 0
      ? 'they had not arrived timeoutMs after the end of the load'
      : `${formatCount(closed)} of ${formatCount(subscribers)} subscribers lost their connection (client-output-buffer-limit can be the reason)`;
  return [
    `${formatCount(lost)} of ${formatCount(expected)} messages to subscribers were lost in round ${round} of ${id}: ${why}. The delivery times exclude them.`,
  ];
}

function describeImbalance(id: string, round: RoundResult): string[] {
  const fault = findImbalance(round);
  return fault === null
    ? []
    : [`A defect of poolbench, please report it: in round ${round.round} of ${id}, ${fault}.`];
}

function findImbalance(round: RoundResult): string | null {
  const { issued, completed, unfinished, openLoop } = round;
  if (openLoop !== null && (openLoop.unsent < 0 || openLoop.offered !== issued + openLoop.unsent)) {
    const [due, sent, unsent] = [openLoop.offered, issued, openLoop.unsent].map(formatCount);
    return `${due} operations were due, but ${sent} were issued and ${unsent} were not`;
  }
  const accounted = completed + failedOf(round) + unfinished;
  return accounted === issued
    ? null
    : `${formatCount(issued)} operations were issued, but ${formatCount(accounted)} are accounted for (completed + failed + unfinished)`;
}

/** Whether the server ran fewer commands than were answered, so that another server answered some. */
export function answeredElsewhere(rounds: readonly RoundResult[]): boolean {
  const { completed, serverCalls } = countedOf(rounds);
  return serverCalls !== null && serverCalls < completed * 0.99;
}

function describeServerCount(id: string, rounds: readonly RoundResult[]): string[] {
  const { completed, issued, serverCalls } = countedOf(rounds);
  if (serverCalls === null || (serverCalls >= completed * 0.99 && serverCalls <= issued * 1.01)) return [];
  const counted =
    `The server counted ${formatCount(serverCalls)} commands in ${id}, poolbench ${formatCount(completed)} ` +
    `completed of ${formatCount(issued)} issued: `;
  return [
    answeredElsewhere(rounds)
      ? `${counted}another server answered the rest (behind a load balancer or a cache), or the server's count was reset. Throughput and latency are those of all servers together, but CPU and other figures of the server are those of one; use the address of a single server.`
      : `${counted}did another program use the server?`,
  ];
}
