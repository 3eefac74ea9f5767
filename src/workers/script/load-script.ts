import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { SessionScript } from './session.ts';

/**
 * The function that a script exports.
 *
 * @throws Error whose message is the reason why it cannot be used, in one line
 */
export async function loadScript(file: string): Promise<SessionScript<unknown>> {
  if (!existsSync(file)) throw new Error('there is no such file');
  let script: unknown;
  try {
    ({ default: script } = (await import(pathToFileURL(file).href)) as { default?: unknown });
  } catch (cause) {
    throw new Error(reasonOf(cause), { cause });
  }
  if (typeof script !== 'function') throw new Error('its default export is no function');
  return script as SessionScript<unknown>;
}

/** With the place, which the message of a syntax error lacks. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const line = cause instanceof SyntaxError ? /^file:\S+:(\d+)/.exec(cause.stack ?? '')?.[1] : undefined;
  const message = cause.message.replace(/\s+/g, ' ').trim();
  return `${cause.name}: ${message}${line === undefined ? '' : ` (line ${line})`}`;
}
