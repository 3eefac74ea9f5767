import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { foundInstead } from '../found-instead.ts';
import type { SessionScript } from './session.ts';

/**
 * The function that a script exports.
 *
 * @throws Error whose message is the reason why it cannot be used, in one line
 */
export async function loadScript(file: string): Promise<SessionScript<unknown>> {
  let script: unknown;
  try {
    ({ default: script } = (await import(pathToFileURL(file).href)) as { default?: unknown });
  } catch (cause) {
    throw new Error(reasonOfImport(cause, file), { cause });
  }
  if (typeof script !== 'function') throw new Error('its default export is not a function');
  return script as SessionScript<unknown>;
}

/** Why a user's module could not be imported, in one line, with the line of a syntax error. */
export function reasonOfImport(cause: unknown, file: string): string {
  try {
    readFileSync(file);
  } catch (error) {
    return foundInstead(error);
  }
  if (!(cause instanceof Error)) return String(cause);
  const line = cause instanceof SyntaxError ? lineOfFault(file) : undefined;
  const message = cause.message.replace(/\s+/g, ' ').trim();
  // Of poolbench's own errors the class says nothing.
  const kind = cause.name === 'Error' ? '' : `${cause.name}: `;
  return `${kind}${message}${line === undefined ? '' : ` (line ${line})`}`;
}

/** Node shows the place of a syntax error only on a terminal. Undefined if it is in an imported file. */
function lineOfFault(file: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
  return /:(\d+)$/m.exec(stderr)?.[1];
}
