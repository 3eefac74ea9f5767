import { formatPlural } from '../../aggregate/text/format.ts';
import { whyNoRing } from '../../pool/client/ring-socket.ts';
import { maxRecords } from '../../workers/workload/keys.ts';
import { describeEnvironment } from '../environment.ts';
import { PoolbenchError } from '../errors.ts';
import { expectConnections, findClients, type UsedClient } from '../experiment/clients.ts';
import type { PlannedSide } from '../experiment/plan.ts';
import { connectionsNeeded, processNeeds, type Scenario } from '../experiment/scenarios.ts';
import { sizesOf } from '../experiment/value-variants.ts';
import { workloadTask } from '../experiment/workload.ts';
import { dataSize } from '../server/data-set.ts';
import type { Target } from '../server/find-target.ts';
import { type PreflightOptions, preflight } from '../server/preflight.ts';
import { requireCommands } from '../server/required-commands.ts';

/** What is known of a side before its load. */
interface Preflight {
  readonly warnings: readonly string[];
  /** The clients of its scenarios by their names. */
  readonly clients: ReadonlyMap<string, UsedClient>;
}

/**
 * Looks whether the clients of a side can be used, and asks its target whether it can take what is planned, before any
 * load.
 *
 * @param options.elsewhere the load runs on agents, which know their own limits
 * @throws PoolbenchError CLIENT_NOT_USABLE, TARGET_NOT_AVAILABLE, TARGET_TOO_SMALL, TARGET_IN_USE, TARGET_LOST
 */
export async function preflightSide(
  side: PlannedSide,
  target: Target,
  options: PreflightOptions & { readonly elsewhere?: boolean },
): Promise<Preflight> {
  const { elsewhere = false } = options;
  const { experiment, scenarios } = side;
  const clients = await findClients(side);
  expectSuitable([...clients.values()], target);
  if (scenarios.some(({ transport }) => transport === 'io_uring')) expectRing(target, elsewhere);
  const workload = workloadTask(experiment.workload);
  const needs = {
    connections: connectionsNeeded(scenarios),
    ...(elsewhere ? { sockets: 1, threads: 0 } : processNeeds(scenarios)),
    // An element of a key takes about as much as a small key.
    keys: Math.max(maxRecords(workload), dataSize(workload).elements),
    valueBytes: sizesOf(workload.values).mean,
  };
  await requireCommands(target.control, workload.commands);
  const warnings = await preflight(target, needs, options);
  // After it, as it looks for connections of others.
  await expectConnections(clients.values(), side, target.address);
  if (elsewhere) return { warnings, clients };
  const cores = warnOfMissingCores(scenarios, target, describeEnvironment().cores);
  return { warnings: [...warnings, ...cores], clients };
}

/** @throws PoolbenchError CLIENT_NOT_USABLE if a client cannot load such a target */
function expectSuitable(clients: readonly UsedClient[], { control, address }: Target): void {
  for (const { client, file } of clients) {
    if (file === undefined) continue;
    const reason =
      control.cluster !== undefined
        ? 'a cluster, which only ioredis and wire can load'
        : client === 'iovalkey' && address.protocol === 3
          ? 'RESP3 (protocol=3 of the URL), which iovalkey does not support'
          : client === 'valkey-glide' && address.path !== undefined
            ? 'a unix socket, which valkey-glide does not support'
            : undefined;
    if (reason !== undefined)
      throw new PoolbenchError(
        'CLIENT_NOT_USABLE',
        `expected a target that every client can load, found ${reason}: remove ${client} from the config, or use another target`,
      );
  }
}

/** @throws PoolbenchError CLIENT_NOT_USABLE if wire cannot use io_uring. Agents report it themselves. */
function expectRing({ address }: Target, elsewhere: boolean): void {
  const reason = address.tls ? 'the target has TLS' : elsewhere ? undefined : whyNoRing();
  if (reason !== undefined)
    throw new PoolbenchError(
      'CLIENT_NOT_USABLE',
      `expected that wire can use io_uring, but ${reason}. Remove the transport from the config to measure without it`,
    );
}

/** The target as a user of cores: whether it has those of this machine, and how many threads it works with. */
interface Neighbour {
  readonly local: boolean;
  /** Null, taken as 1, if that is not known. */
  readonly detected: { readonly threads: number | null };
}

/**
 * Warns of an open loop whose threads and a local server leave none of `cores` free: it would come late to arrivals.
 */
export function warnOfMissingCores(
  scenarios: readonly Scenario[],
  { local, detected }: Neighbour,
  cores: number,
): string[] {
  const threads = Math.max(
    0,
    ...scenarios.filter(({ arrival }) => arrival.kind !== 'closed').map(scenario => scenario.threads),
  );
  const serverThreads = local ? (detected.threads ?? 1) : 0;
  if (threads === 0 || threads + serverThreads < cores) return [];
  const server = local ? ` and ${formatPlural(serverThreads, 'thread')} of the server` : '';
  return [
    `an open loop keeps a core for each of its threads: ${formatPlural(threads, 'thread')}${server} leave none of ` +
      `${formatPlural(cores, 'core')} free, so whatever else runs here makes it late (its lag shows how much)`,
  ];
}
