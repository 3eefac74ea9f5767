import type { Result } from '../../aggregate/result.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { PoolbenchError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { populationsOf } from '../experiment/populations.ts';
import { isConnected } from '../server/claim.ts';
import type { Control } from '../server/control.ts';
import { describeRemoval, findLeftKeys, removeKeySpace } from '../server/key-space.ts';
import { removeLibraries } from '../server/server-scripts.ts';
import { shownAddress } from '../server/url.ts';
import { readKeyClaims } from './results/read-result.ts';

/** Claims as a result keeps them. */
export type KeptClaims = NonNullable<Result['keyClaims']>['prefixes'];

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
  const { connectionName, prefixes } = (await readKeyClaims(file)) ?? { connectionName: '', prefixes: [] };
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
