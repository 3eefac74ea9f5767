import { knowsNoHello } from '../../pool/wire-login.ts';
import { PoolbenchError } from '../errors.ts';
import type { Control } from './control.ts';
import { shownAddress } from './url.ts';

/**
 * The RESP version in which the load's connections will speak: asked here as they ask when they log in.
 *
 * @throws PoolbenchError TARGET_NOT_AVAILABLE where the config asks for RESP3 and the server does not know it
 */
export async function spokenProtocol(control: Control): Promise<2 | 3> {
  const { protocol } = control.address;
  if (protocol === 2) return 2;
  const [greeting] = await control.pipeline([
    ['HELLO', 3],
    ['HELLO', 2],
  ]);
  // Any other refusal the load will meet, too, and tell.
  if (greeting === undefined || !('error' in greeting) || !knowsNoHello(greeting.error)) return 3;
  if (protocol === undefined) return 2;
  throw new PoolbenchError(
    'TARGET_NOT_AVAILABLE',
    `expected the server at ${shownAddress(control.server)} to speak RESP3, as target.protocol is 3, found one that does not; set it to 2, or leave it out`,
  );
}

/** @throws PoolbenchError TARGET_UNREACHABLE where a Sentinel answers in the place of a server */
export async function expectServer(control: Control): Promise<void> {
  const mode = await control.info('server').then(
    info => info.get('redis_mode'),
    () => undefined,
  );
  if (mode !== 'sentinel') return;
  throw new PoolbenchError(
    'TARGET_UNREACHABLE',
    `expected a server at ${shownAddress(control.server)}, but a Sentinel answers there; set target.sentinel.master to the name of its master`,
  );
}
