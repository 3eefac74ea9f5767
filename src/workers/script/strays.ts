import type { Failures } from './failures.ts';

/**
 * Errors of a script outside its sessions: rejections of promises that it does not await, and exceptions in its callbacks and
 * timers. One handler serves all scripts of the thread, because each error must be noted only for the script that caused it.
 */

const noted = new Set<Failures>();

/**
 * From now on notes the errors of a script outside its sessions. An exception that comes from no script is a defect of
 * poolbench, and ends the thread.
 *
 * @returns a function that stops this
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

/** If the stack does not show which script caused a rejection, it is noted for all of them. */
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
