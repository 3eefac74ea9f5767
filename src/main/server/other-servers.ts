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
  for (let opened = 0; opened < maxConnections && withoutNews < maxWithoutNews; opened++) {
    const control = target.another();
    const found = await lifeOf(control).catch(() => undefined);
    if (found === undefined) {
      // Refused or silent: another connection would not help.
      control.close();
      break;
    }
    if (!seen.has(found)) {
      seen.add(found);
      others.push(control);
      withoutNews = 0;
    } else {
      withoutNews++;
      await leave(control);
    }
  }
  return others;
}

/** Closes a connection with QUIT, so that the server does not count it as a client any more. */
export async function leave(control: Control): Promise<void> {
  await control.call('QUIT').catch(() => {});
  control.close();
}
