import type { Connection } from './connection.ts';
import type { Probe } from './presets.ts';

/** Looks at a connection before it is handed out; one that fails is closed or lost. */
export function probeHealth(connection: Connection, probe: Probe): Promise<boolean> {
  return probe === 'ping' ? pinged(connection) : polled(connection);
}

/** The document's check: a look at the socket after a turn of the event loop, in which a lost one has shown itself. */
function polled(connection: Connection): Promise<boolean> {
  return new Promise(resolve => {
    setImmediate(() => resolve(connection.alive));
  });
}

async function pinged(connection: Connection): Promise<boolean> {
  try {
    await connection.ping();
    return true;
  } catch {
    // A server that refuses the PING has answered it: one that cannot save its data refuses every one.
    if (connection.alive) return true;
    connection.close();
    return false;
  }
}

/**
 * Closes connections that owe a reply for `timeoutMs`: one look in a while for all of them, instead of a timer for
 * every command. A batch's time starts with the first look that finds it, so that none is given up early. Replies
 * come in order: a connection on which something is in flight and nothing settles owes its oldest batch, and all behind.
 * One that is made of others is looked at part by part, so that a node of a cluster that hangs is given up alone.
 */
export function closeStalled(connections: Iterable<Connection>, nowMs: number, timeoutMs: number): void {
  for (const connection of connections) {
    const { parts } = connection;
    if (parts !== undefined) closeStalled(parts, nowMs, timeoutMs);
    else if (connection.sent === connection.settled) connection.sweptSettled = -1;
    else if (connection.settled !== connection.sweptSettled) {
      connection.sweptSettled = connection.settled;
      connection.stalledSinceMs = nowMs;
    } else if (nowMs - connection.stalledSinceMs >= timeoutMs) connection.close('TIMEOUT');
  }
}
