import type { Connect } from './connection.ts';
import { Pool } from './pool.ts';
import { SharedPool } from './shared-pool.ts';
import type { PoolOptions, WorkerPool } from './worker-pool.ts';

/**
 * The pool that the strategies ask for. It opens its first connections with `warm()` or `acquire()`.
 *
 * @throws RangeError when `max` is below 1.
 */
export function openPool(options: PoolOptions, connect: Connect): WorkerPool {
  return options.strategies.acquisition === 'shared'
    ? new SharedPool(options, connect)
    : new Pool(options, connect);
}
