import { CircuitBreaker, type ConnectGate } from './circuit-breaker.ts';
import type { Connect } from './connection.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { Pool } from './pool.ts';
import type { PoolOptions } from './presets.ts';
import { SharedPool } from './shared-pool.ts';

/**
 * The pool that the strategies ask for. It opens its first connections with `warm()` or `acquire()`.
 *
 * @param gate keeps it from connecting again and again while the server is down; another one is for measuring what that is worth
 * @throws RangeError when `max` is below 1.
 */
export function openPool(
  options: PoolOptions,
  connect: Connect,
  gate: ConnectGate = new CircuitBreaker(undefined, options.random),
): ConnectionPool {
  return options.strategies.acquisition === 'shared'
    ? new SharedPool(options, connect, gate)
    : new Pool(options, connect, gate);
}
