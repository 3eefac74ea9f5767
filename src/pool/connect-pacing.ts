import type { Connect } from './connection.ts';
import type { ConnectPacing } from './presets.ts';

/**
 * Longest wait of a jittered connect: 100 connects come at two a millisecond, which a server accepts as they come,
 * and nobody waits longer than a worker does before it asks again after a failure.
 */
export const jitterMs = 50;

/**
 * Spreads a burst of connects: `parallel` leaves it as it is, `serial` connects one after another in the order asked
 * for (one that fails does not stop the next), `jittered` lets each wait for up to `jitterMs` first.
 * `random` draws from [0, 1).
 */
export function paced(connect: Connect, pacing: ConnectPacing, random: () => number): Connect {
  if (pacing === 'serial') return inTurn(connect);
  if (pacing === 'jittered') return () => sleep(random() * jitterMs).then(connect);
  return connect;
}

function inTurn(connect: Connect): Connect {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const turn = last.then(connect);
    last = turn.catch(() => {});
    return turn;
  };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}
