import { sumOf } from '../../aggregate/stats/statistics.ts';
import type { ThreadSample } from '../../workers/contract.ts';
import { scriptCommands } from '../../workers/workload/command-rules.ts';
import {
  countedNames,
  type ParsedCommand,
  parseCommand,
  serverCountsApart,
  withoutSubcommand,
} from '../../workers/workload/command-templates.ts';
import { type WorkloadConfig, workloadTask } from '../experiment/workload.ts';

/** Which of the server's command counts belong to one load if several run at the same time. */

/** Commands of a load; none if it is a script. */
export function commandsOf(workload: WorkloadConfig): ParsedCommand[] {
  return workloadTask(workload).commands.map(({ command }) => parseCommand(command));
}

/** Whether the server's count of the commands of these loads equals the number of their operations. */
export function areCounted(workloads: readonly WorkloadConfig[]): boolean {
  const commands = workloads.map(commandsOf);
  const all = commands.flat();
  return (
    commands.every(({ length }) => length > 0) &&
    serverCountsApart(
      all,
      workloads.flatMap(({ functions }) => functions),
    ) &&
    // poolbench itself sends INFO while it measures.
    all.every(({ statName }) => statName !== 'info')
  );
}

/**
 * The server's count of the commands of these loads, without the warm-up; null if it need not equal their operations.
 *
 * @param samples of all their threads
 * @param serverCalls the server's count of commands by their names in commandstats; null: not known
 */
export function callsOf(
  workloads: readonly WorkloadConfig[],
  samples: readonly ThreadSample[],
  serverCalls: (names: readonly string[]) => number | null,
): number | null {
  if (!areCounted(workloads)) return null;
  const calls = serverCalls(workloads.flatMap(commandsOf).map(({ statName }) => statName));
  const warmupCalls = sumOf(
    samples.flatMap(({ loads }) => loads),
    ({ warmupCompleted }) => warmupCompleted,
  );
  return calls === null ? null : calls - warmupCalls;
}

/** Names of all commands that the server counts for a load, including those within scripts. Null: not known. */
export function namesOf(
  workload: WorkloadConfig,
  samples: readonly ThreadSample[],
): ReadonlySet<string> | null {
  if (workload.script === null) return countedNames(commandsOf(workload), workload.functions);
  const sent = samples
    .flatMap(({ loads }) => loads)
    .flatMap(({ script }) => Object.keys(script?.sent ?? {}).map(withoutSubcommand));
  return sent.some(name => scriptCommands.has(name)) ? null : new Set(sent);
}

/** Whether no other load sends commands that the server counts under the names of a load. */
export function areApart(
  own: ReadonlySet<string> | null,
  others: readonly (ReadonlySet<string> | null)[],
): boolean {
  return others.every(other => own !== null && other !== null && [...own].every(name => !other.has(name)));
}
