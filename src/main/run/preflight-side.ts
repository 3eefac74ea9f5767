import { formatPlural } from '../../aggregate/text/format.ts';
import { maxRecords } from '../../workers/workload/keys.ts';
import { describeEnvironment } from '../environment.ts';
import type { PlannedSide } from '../experiment/plan.ts';
import { connectionsNeeded, processNeeds, type Scenario } from '../experiment/scenarios.ts';
import { sizesOf } from '../experiment/value-variants.ts';
import { workloadTask } from '../experiment/workload.ts';
import { dataSize } from '../server/data-set.ts';
import type { Target } from '../server/find-target.ts';
import { type PreflightOptions, preflight } from '../server/preflight.ts';
import { requireCommands } from '../server/required-commands.ts';

/**
 * Asks the target of a side whether it can take what is planned, before any load.
 *
 * @returns warnings
 * @throws PoolbenchError TARGET_NOT_AVAILABLE, TARGET_TOO_SMALL, TARGET_IN_USE, TARGET_LOST
 */
export async function preflightSide(
  { experiment, scenarios }: PlannedSide,
  target: Target,
  options: PreflightOptions,
): Promise<string[]> {
  const workload = workloadTask(experiment.workload);
  const needs = {
    connections: connectionsNeeded(scenarios),
    ...processNeeds(scenarios),
    // An element of a key takes about as much as a small key.
    keys: Math.max(maxRecords(workload), dataSize(workload).elements),
    valueBytes: sizesOf(workload.values).mean,
  };
  await requireCommands(target.control, workload.commands);
  const warnings = await preflight(target, needs, options);
  return [...warnings, ...warnOfMissingCores(scenarios, target, describeEnvironment().cores)];
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
