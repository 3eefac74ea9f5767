import type { Control } from './control.ts';
import { lifeOf } from './server-info.ts';

const maxConnections = 16;
/** The search ends after this many connections in a row that lead to no new server. */
const maxWithoutNews = 3;

/**
 * Looks for other servers behind the address of the target, such as those of a load balancer, with a few fresh connections.
 * None is found in a cluster, whose nodes are known, or if the server does not report which one it is.
 *
 * @returns a connection to each, which is to be closed
 */
export async function findOtherServers(target: Control): Promise<Control[]> {
  if (target.cluster !== undefined) return [];
  const life = await lifeOf(target).catch(() => undefined);
  if (life === undefined) return [];
  const seen = new Set([life]);
  const others: Control[] = [];
  let withoutNews = 0;
  for (let opened = 0; opened < maxConnections && withoutNews < maxWithoutNews; ) {
    // At once: a server can take seconds for a login, and an interrupted run waits for this.
    const fresh = Array.from({ length: Math.min(maxWithoutNews, maxConnections - opened) }, () =>
      target.another(),
    );
    opened += fresh.length;
    const lives = await Promise.all(fresh.map(control => lifeOf(control).catch(() => undefined)));
    for (const [index, control] of fresh.entries()) {
      const found = lives[index];
      if (found === undefined) control.close();
      else if (seen.has(found)) {
        withoutNews++;
        await leave(control);
      } else {
        seen.add(found);
        others.push(control);
        withoutNews = 0;
      }
    }
    // Refused or silent: another connection would not help.
    if (lives.includes(undefined)) break;
  }
  return others;
}

/** Closes a connection with QUIT, so that the server does not count it as a client any more. */
export async function leave(control: Control): Promise<void> {
  await control.call('QUIT').catch(() => {});
  control.close();
}
