import type { RoundResult } from '../../aggregate/result.ts';
import { toOneLine } from '../../aggregate/text/format.ts';
import type { ParsedCommand } from '../../workers/workload/command-templates.ts';
import { replicaCanAnswer } from '../../workers/workload/families.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import type { WorkloadConfig } from '../experiment/workload.ts';
import type { Control } from '../server/control.ts';
import { awaitReplicas } from '../server/replicas.ts';
import { commandsOf } from './load-counts.ts';
import type { Counted, ReadReplicas } from './server-figures.ts';

/** The replicas that the loads of a measurement read from, whether they have caught up, and what they counted. */

interface Reader {
  readonly scenario: Pick<Scenario, 'readFrom'>;
  readonly bench: { readonly experiment: { readonly workload: WorkloadConfig } };
}

/** The current replicas of the target, and the reads that go to them. Undefined if all loads read from primaries. */
export async function findReadReplicas(
  control: Pick<Control, 'findShards'>,
  loads: readonly Reader[],
): Promise<ReadReplicas | undefined> {
  const readers = loads.filter(({ scenario }) => scenario.readFrom !== 'primary');
  if (readers.length === 0) return undefined;
  // A target that does not answer has no figures; the target watch detects that.
  const shards = await control.findShards().catch(() => null);
  const reads = readers
    .flatMap(({ bench }) => commandsOf(bench.experiment.workload))
    .filter(({ name }) => replicaCanAnswer(name));
  return {
    nodes: shards?.flatMap(({ replicas }) => replicas) ?? null,
    reads: new Set(reads.map(({ statName }) => statName)),
  };
}

/**
 * Waits until the replicas have applied what was written before a measurement.
 *
 * @returns a caveat if they have not; otherwise undefined
 */
export async function catchUp(
  control: Pick<Control, 'findShards'>,
  turn: string,
): Promise<string | undefined> {
  const behind = await awaitReplicas(control).catch((cause: Error) => toOneLine(cause.message));
  return behind === undefined
    ? undefined
    : `before ${turn}, replicas had not applied all writes of their primary: ${behind}; reads from them can miss keys or find older values. Use fewer keys, or replicas with a faster network`;
}

/** All reads of a load, and those of replicas, as the servers counted them; null if not known. */
export function readCalls(
  commands: readonly Pick<ParsedCommand, 'statName'>[],
  { reads }: ReadReplicas,
  counted: Counted,
): NonNullable<RoundResult['readCalls']> | null {
  const names = commands.map(({ statName }) => statName).filter(name => reads.has(name));
  const all = counted(of => of.calls(names));
  const ofReplicas = counted(of => of.callsOfReplicas(names));
  return all === null || ofReplicas === null ? null : { all, ofReplicas };
}
