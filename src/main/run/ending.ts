import type { Address } from '../../pool/address.ts';
import { PoolbenchError } from '../errors.ts';
import { withoutSecrets } from '../target/url.ts';
import { ConnectRefused, ThreadHung } from './threads.ts';

/** What ended the run, for its user; what no user can mend stays as it is, a defect. */
export function asEnding(cause: unknown, address: Address): unknown {
  if (cause instanceof ConnectRefused)
    return new PoolbenchError(
      'THREAD_FAILED',
      `expected every thread to open its connections, but one was refused: ${withoutSecrets(cause.message, address)}`,
      { cause },
    );
  if (cause instanceof ThreadHung)
    return new PoolbenchError(
      'THREAD_FAILED',
      `expected every thread to go on to its end, but ${cause.message}: it goes round in circles over what the server sent, ` +
        'or had no core for all that time; try the other client, or fewer threads',
      { cause },
    );
  if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new PoolbenchError(
      'THREAD_FAILED',
      `expected every thread to find room in its heap, but one ran out of memory: ${cause.message}; ` +
        'give it fewer workers, pools or keys, or a larger heap with NODE_OPTIONS=--max-old-space-size=MB',
      { cause },
    );
  return cause;
}
