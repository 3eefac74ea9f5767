import type { Failures } from './failures.ts';

/**
 * What fails in a script and belongs to no session: a promise that it does not await, and what its callbacks and timers
 * throw. The process has only one handler for all scripts of the thread, because each must leave alone what is another's.
 */

const noted = new Set<Failures>();

/**
 * From now on notes what fails in a script and belongs to no session. An exception that is no script's is a defect, and ends
 * the thread.
 *
 * @returns a function that ends this
 */
export function noteStrays(failures: Failures): () => void {
  if (noted.size === 0) {
    process.on('unhandledRejection', noteRejection);
    process.on('uncaughtException', noteException);
  }
  noted.add(failures);
  return () => {
    noted.delete(failures);
    if (noted.size === 0) stopNoting();
  };
}

const scriptsOf = (error: unknown) => [...noted].filter(failures => failures.areFrom(error));

/** If its stack does not say whose it is, it can be that of each. */
function noteRejection(error: unknown): void {
  const scripts = scriptsOf(error);
  for (const failures of scripts.length > 0 ? scripts : noted) failures.note('UNHANDLED', error);
}

function noteException(error: unknown): void {
  const scripts = scriptsOf(error);
  for (const failures of scripts) failures.note('UNHANDLED', error);
  if (scripts.length > 0) return;
  stopNoting();
  setImmediate(() => {
    throw error;
  });
}

function stopNoting(): void {
  process.off('unhandledRejection', noteRejection);
  process.off('uncaughtException', noteException);
}
