import type { Address } from './address.ts';

/** Sends one request and waits for its reply; rejects with the server's words. */
type Ask = (...args: string[]) => Promise<void>;

/** Logs in, names the connection and selects its database, in RESP3 where the server knows it. */
export async function logIn(
  ask: Ask,
  { username, password, database }: Address,
  name: string,
): Promise<void> {
  const auth = password === undefined ? [] : ['AUTH', username ?? 'default', password];
  try {
    await ask('HELLO', '3', ...auth, 'SETNAME', name);
  } catch (error) {
    // Servers before RESP3 know no HELLO, or not its options. Any other refusal is the reason.
    const message = error instanceof Error ? error.message : '';
    if (!/^(NOPROTO|ERR (unknown (sub)?command|syntax error))/i.test(message)) throw error;
    if (password !== undefined) await ask('AUTH', ...(username === undefined ? [] : [username]), password);
    await ask('CLIENT', 'SETNAME', name);
  }
  if (database !== 0) await ask('SELECT', String(database));
}
