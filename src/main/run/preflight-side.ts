import { type Ability, clientsWith, hasAbility } from '../../aggregate/scenario/clients.ts';
import { sumOf } from '../../aggregate/stats/statistics.ts';
import { formatList, formatPlural } from '../../aggregate/text/format.ts';
import { whyNoRing } from '../../pool/client/ring-socket.ts';
import type { WorkloadTask } from '../../workers/contract.ts';
import { maxRecords } from '../../workers/workload/keys.ts';
import { usableCores } from '../environment.ts';
import { PoolbenchError } from '../errors.ts';
import { allLoads, expectConnections, type UsedClients } from '../experiment/clients.ts';
import type { PlannedSide } from '../experiment/plan.ts';
import { type Extent, extentsOf, populationsOf } from '../experiment/populations.ts';
import { connectionsNeeded, processNeeds, type Scenario } from '../experiment/scenarios.ts';
import { sizesOf } from '../experiment/value-variants.ts';
import { workloadTask } from '../experiment/workload.ts';
import { dataSize } from '../server/data-set.ts';
import type { Target } from '../server/find-target.ts';
import { type PreflightOptions, preflight } from '../server/preflight.ts';
import { requireCommands } from '../server/required-commands.ts';

/** A side whose clients have been found. */
export interface LoadableSide extends PlannedSide {
  readonly clients: UsedClients;
}

/**
 * Checks whether the clients of a side can load its target, and whether the target can take what is planned, before any
 * load.
 *
 * @param options.elsewhere the load runs on agents, which check their own limits
 * @returns caveats of the results
 * @throws PoolbenchError CLIENT_NOT_USABLE, TARGET_NOT_AVAILABLE, TARGET_TOO_SMALL, TARGET_IN_USE, TARGET_LOST
 */
export async function preflightSide(
  side: LoadableSide,
  target: Target,
  options: PreflightOptions & { readonly elsewhere?: boolean },
): Promise<string[]> {
  const { elsewhere = false } = options;
  const { experiment, clients } = side;
  expectSuitable(clients.keys(), target);
  const extents = extentsOf(side);
  const populations = populationsOf(experiment);
  const workloads = [experiment, ...populations].map(({ workload }) => workloadTask(workload));
  const loads = allLoads(side);
  if (loads.some(usesRing)) expectRing(target, elsewhere);
  // An element of a key takes about as much memory as a small key.
  const elementsOf = (workload: WorkloadTask) => Math.max(maxRecords(workload), dataSize(workload).elements);
  const keys = sumOf(workloads, elementsOf);
  const subscribers = sumOf(workloads, workload => workload.subscribers ?? 0);
  const { sockets, threads } = elsewhere ? { sockets: 1, threads: 0 } : processNeeds(extents);
  const needs = {
    connections: connectionsNeeded(extents) + subscribers,
    readsReplicas: loads.some(({ readFrom }) => readFrom !== 'primary'),
    sockets: sockets + (elsewhere ? 0 : subscribers),
    threads,
    keys,
    valueBytes: sumOf(workloads, workload => elementsOf(workload) * sizesOf(workload.values).mean) / keys,
  };
  await requireCommands(
    target.control,
    workloads.flatMap(({ commands }) => commands),
  );
  const warnings = [...warnOfEqualTransports(loads, target), ...(await preflight(target, needs, options))];
  // After that, because it looks for connections of other clients.
  await expectConnections(clients.values(), side, target.address);
  if (elsewhere) return warnings;
  return [...warnings, ...warnOfMissingCores(extents, target, usableCores())];
}

/** What a target can require of its clients: the ability, its text, and whether the target requires it. */
const demands: readonly (readonly [Ability, string, (target: Target) => boolean])[] = [
  ['cluster', 'a cluster', ({ control }) => control.cluster !== undefined],
  ['RESP3', 'RESP3 (protocol=3 of the URL)', ({ address }) => address.protocol === 3],
  ['unix socket', 'a unix socket', ({ address }) => address.path !== undefined],
];

/** @throws PoolbenchError CLIENT_NOT_USABLE if a client cannot load such a target */
export function expectSuitable(clients: Iterable<string>, target: Target): void {
  const asked = demands.filter(([, , isAsked]) => isAsked(target));
  for (const client of clients) {
    const [ability, found] = asked.find(([needed]) => !hasAbility(client, needed)) ?? [];
    if (ability !== undefined)
      throw new PoolbenchError(
        'CLIENT_NOT_USABLE',
        `expected a target that every client can load, found ${found}, which ${client} cannot load (${formatList(clientsWith(ability))} can): remove it from the config, or use another target`,
      );
  }
}

const usesRing = ({ transport }: Scenario) => transport === 'io_uring';

/**
 * @param elsewhere the load runs on agents, which report themselves whether they have io_uring
 * @throws PoolbenchError CLIENT_NOT_USABLE if wire cannot use io_uring
 */
function expectRing(target: Target, elsewhere: boolean): void {
  const reason = whyNotOverRing(target, elsewhere);
  if (reason !== undefined)
    throw new PoolbenchError(
      'CLIENT_NOT_USABLE',
      `expected that wire can use io_uring, but ${reason}. To measure without it, remove io_uring from "transport"`,
    );
}

/** Why wire cannot reach the target over io_uring, and what to do; undefined if it can. */
function whyNotOverRing({ address }: Target, elsewhere: boolean): string | undefined {
  if (address.tls) return 'the target has TLS, which this transport does not support';
  return elsewhere ? undefined : whyNoRing();
}

const transportsOf = (loads: readonly Scenario[]) =>
  new Set(loads.filter(({ client }) => client === 'wire').map(({ transport }) => transport));

/** Whether wire could use io_uring, as text, for a side that compares only other transports; otherwise empty. */
export function describeRing(side: PlannedSide, target: Target): string {
  const used = transportsOf(allLoads(side));
  if (used.size < 2 || used.has('io_uring')) return '';
  const reason = whyNotOverRing(target, false);
  return reason === undefined
    ? 'wire can use io_uring here: "transport": "io_uring"'
    : `wire cannot use io_uring here, and this config does not need it: ${reason}`;
}

function warnOfEqualTransports(loads: readonly Scenario[], { address }: Target): string[] {
  const used = transportsOf(loads);
  return address.tls && used.has('direct') && used.has('stream')
    ? ['with TLS the transport direct uses the stream, so direct and stream measure the same']
    : [];
}

/** The target's use of cores: whether it runs on this machine, and its number of threads. */
interface Neighbour {
  readonly local: boolean;
  /** Null if not known; then 1 is assumed. */
  readonly detected: { readonly threads: number | null };
}

/** Warns of open loops whose threads, with a local server, leave none of `cores` free: arrivals would be late. */
export function warnOfMissingCores(
  extents: readonly Pick<Extent, 'openThreads'>[],
  { local, detected }: Neighbour,
  cores: number,
): string[] {
  const threads = Math.max(0, ...extents.map(({ openThreads }) => openThreads));
  const serverThreads = local ? (detected.threads ?? 1) : 0;
  if (threads === 0 || threads + serverThreads < cores) return [];
  const server = local ? ` and ${formatPlural(serverThreads, 'thread')} of the server` : '';
  return [
    `an open loop needs a core for each of its threads: ${formatPlural(threads, 'thread')}${server} leave none of ` +
      `${formatPlural(cores, 'core')} free, so any other program makes it late (see its lag)`,
  ];
}
