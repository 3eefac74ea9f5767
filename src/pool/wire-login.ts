import type { Address } from './address.ts';
import { failureCode } from './errors.ts';

/** Sends one request and waits for its reply; rejects with the server's words. */
type Ask = (...args: string[]) => Promise<void>;

/**
 * Logs in, names the connection and selects its database, in the protocol that the address asks for: RESP3 where the
 * server knows it, if it asks for none.
 */
export async function logIn(
  ask: Ask,
  { username, password, database, protocol }: Address,
  name: string,
): Promise<void> {
  const auth = password === undefined ? [] : ['AUTH', username ?? 'default', password];
  const greeted = protocol !== 2 && (await greet(['HELLO', '3', ...auth, 'SETNAME', name]));
  if (!greeted) {
    if (password !== undefined) await ask('AUTH', ...(username === undefined ? [] : [username]), password);
    // A user may lack the right to it, and work all the same: HELLO asks for none.
    await ask('CLIENT', 'SETNAME', name).catch((error: unknown) => {
      if (failureCode(error) !== 'NOPERM') throw error;
    });
  }
  if (database !== 0) await ask('SELECT', String(database));

  async function greet(hello: readonly string[]): Promise<boolean> {
    try {
      await ask(...hello);
      return true;
    } catch (error) {
      if (protocol === 3 || !knowsNoHello(error)) throw error;
      return false;
    }
  }
}

/** Servers before RESP3 know no HELLO, or not its options. Any other refusal is a reason not to go on. */
export function knowsNoHello(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return /^(NOPROTO|ERR (unknown (sub)?command|syntax error))/i.test(message);
}
