import { basename, join } from 'node:path';
import { resultName } from '../../aggregate/report/files/result-files.ts';
import type { Result } from '../../aggregate/result.ts';
import { formatList, formatPlural, toOneLine } from '../../aggregate/text/format.ts';
import { wasRunning } from '../../aggregate/text/target-words.ts';
import { asTypedHere, quote, shownFolder } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { populationsOf } from '../experiment/populations.ts';
import { isConnected } from '../server/claim.ts';
import type { Control } from '../server/control.ts';
import { describeRemoval, findLeftKeys, removeKeySpace } from '../server/key-space.ts';
import { removeLibraries } from '../server/server-scripts.ts';
import { shownAddress } from '../server/url.ts';
import { readRunState } from './results/read-result.ts';
import { stepsName } from './results/results-folder.ts';

/** Claims as a result keeps them. */
export type KeptClaims = NonNullable<Result['keyClaims']>['prefixes'];

/** The command that continues a run and removes the keys that it left, or only these if it cannot be continued. */
function resumeCommand(folder: string): string {
  return asTypedHere('run', '--resume', quote(shownFolder(folder)));
}

/** The `--resume` commands for those of these folders with results in which it has something to do. */
export async function resumeCommands(folders: readonly string[]): Promise<string[]> {
  const states = await Promise.all(folders.map(folder => readRunState(join(folder, resultName))));
  return folders.flatMap((folder, index) => {
    const state = states[index];
    return state && (isContinued(state, folder) || describeLeftKeys(state, folder) !== null)
      ? [resumeCommand(folder)]
      : [];
  });
}

/** Whether `--resume` may continue it, unlike one side of several, and a search. */
function isContinued({ complete, session }: Pick<Result, 'complete' | 'session'>, folder: string): boolean {
  return !complete && session === undefined && basename(folder) !== stepsName;
}

/**
 * Says that a result has claims of keys on a server that was running before it, and how to remove them; null if it has none.
 * The end of a command, `report` and `--resume` use the same words.
 */
export function describeLeftKeys(
  { keyClaims, target, complete, session }: Pick<Result, 'keyClaims' | 'target' | 'complete' | 'session'>,
  folder: string,
): string | null {
  if (keyClaims === undefined || !wasRunning(target)) return null;
  const prefixes = formatList(keyClaims.prefixes.map(({ prefix }) => prefix));
  const left = toOneLine(`Keys may be left on the server at ${target.declared.url}, under ${prefixes}`);
  const too = isContinued({ complete, session }, folder) ? ', and continue the run if possible' : '';
  return `${left}. To remove them${too}: ${resumeCommand(folder)}`;
}

/** Prints this on standard error, even with --quiet: the keys stay until somebody removes them. */
export function printLeftKeys(result: Parameters<typeof describeLeftKeys>[0], folder: string): void {
  const left = describeLeftKeys(result, folder);
  if (left !== null) process.stderr.write(`${left}\n`);
}

/** A run that may have been killed. */
interface LeftRun {
  /** Its result.json, which there may not be yet. */
  readonly file: string;
  readonly control: Control;
}

/** How its keys are removed. */
interface RemovalParts {
  readonly experiment: Experiment;
  /** The name of the connections of `control`. */
  readonly own: string;
  readonly say: (line: string) => void;
  /** Called with each caveat. */
  readonly warn: (line: string) => void;
}

/**
 * Removes the keys and libraries that a run left when it was killed, unless the server does not show whether it has ended.
 *
 * @returns the claims of what stays
 * @throws PoolbenchError TARGET_IN_USE if it has not ended; TARGET_LOST
 */
export async function removeLeftKeys(
  run: LeftRun,
  { experiment, own, say, warn }: RemovalParts,
): Promise<KeptClaims> {
  const { control } = run;
  const workloads = [experiment, ...populationsOf(experiment)].map(({ workload }) => workload);
  const functions = workloads.flatMap(workload => workload.functions);
  const kept: KeptClaims = [];
  for (const claim of await claimsIn(run)) {
    const space = await findLeftKeys(control, claim);
    if (space === null) continue;
    const isEnded = await hasEnded(run, { name: claim.connectionName, own });
    if (space === undefined || !isEnded) {
      kept.push(claim);
      continue;
    }
    for (const line of await removeLibraries(control, claim.libraries ?? [], functions)) warn(line);
    const removal = await removeKeySpace(control, space);
    for (const line of describeRemoval(space, removal)) warn(line);
    if (removal.left > 0) kept.push(claim);
    if (removal.removed > 0)
      say(
        `Removed ${formatPlural(removal.removed, 'key')} under ${space.prefix} that this run left when it was killed.`,
      );
  }
  return kept;
}

/** @throws PoolbenchError TARGET_IN_USE if the server shows that a run has not ended; TARGET_LOST */
export async function expectEnded(run: LeftRun): Promise<void> {
  for (const claim of await claimsIn(run))
    if ((await findLeftKeys(run.control, claim)) !== null)
      await hasEnded(run, { name: claim.connectionName });
}

/** The claims in a result, each with the name of the connections of the command that made it. */
async function claimsIn({ file }: LeftRun) {
  const { keyClaims } = (await readRunState(file)) ?? {};
  const { connectionName, prefixes } = keyClaims ?? { connectionName: '', prefixes: [] };
  return prefixes.map(claim => ({ ...claim, connectionName: claim.connectionName ?? connectionName }));
}

/** Whether it is known to have ended. @throws PoolbenchError TARGET_IN_USE if it has not; TARGET_LOST */
async function hasEnded(
  { file, control }: LeftRun,
  names: { readonly name: string; readonly own?: string },
): Promise<boolean> {
  const connected = await isConnected(control, names);
  if (connected === true)
    throw new PoolbenchError(
      'TARGET_IN_USE',
      `expected the run that wrote ${file} to have ended, found that it is still connected to the server at ${shownAddress(control.server)}; wait until it ends, or stop it. If its machine is gone, end its connection: CLIENT LIST shows it by the name ${names.name}`,
    );
  return connected === false;
}
