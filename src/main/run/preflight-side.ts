import { formatPlural } from '../../aggregate/text/format.ts';
import { maxRecords } from '../../workers/workload/key-ranges.ts';
import type { PlannedSide } from '../experiment/plan.ts';
import { connectionsNeeded, type Scenario } from '../experiment/scenarios.ts';
import { sizesOf } from '../experiment/value-variants.ts';
import { workloadTask } from '../experiment/workload.ts';
import { preflight } from '../server/preflight.ts';
import type { Target } from '../server/resolve.ts';
import { describeEnvironment } from './environment.ts';

/**
 * Asks the target of a side whether it can take what is planned, before any load.
 *
 * @param options.force takes a database that holds keys of others, too
 * @returns warnings
 * @throws PoolbenchError TARGET_TOO_SMALL, TARGET_IN_USE, TARGET_LOST
 */
export async function preflightSide(
  { experiment, scenarios }: PlannedSide,
  target: Target,
  options: { readonly force: boolean },
): Promise<string[]> {
  const workload = workloadTask(experiment.workload);
  const needs = {
    connections: connectionsNeeded(scenarios),
    keys: maxRecords(workload),
    valueBytes: sizesOf(workload.values).mean,
  };
  const warnings = await preflight(target, needs, options);
  return [...warnings, ...warnOfMissingCores(scenarios, target, describeEnvironment().cores)];
}

/** What is asked of the target here: whether it shares this machine's cores, and how many threads it works with. */
interface Neighbour {
  readonly local: boolean;
  /** Null, taken as 1, where it does not tell. */
  readonly detected: { readonly threads: number | null };
}

/**
 * An open loop that has to share its core comes late to arrivals. A warning where its threads and a local server leave
 * none of `cores` free; none where they do, or where there is no open loop.
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
      `${formatPlural(cores, 'core')} free, so whatever else runs here makes it late (its lag tells how much)`,
  ];
}
