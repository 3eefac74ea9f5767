import type { Address } from '../../pool/address.ts';
import type { Experiment } from '../config/experiment.ts';
import { PoolbenchError } from '../errors.ts';
import { readTrust } from './tls-files.ts';
import { parseAddress } from './url.ts';

/** Where Sentinels listen, unless the URL says otherwise. */
const sentinelPort = 26379;

/**
 * The address that the keys of `target` make together: the URL, the files of TLS, the protocol, the Sentinels.
 *
 * @throws PoolbenchError CONFIG_INVALID for files that cannot be used
 */
export async function targetAddress({
  url,
  tls,
  protocol,
  sentinel,
}: Experiment['target']): Promise<Address> {
  const { trust, faults } = await readTrust(tls);
  if (faults.length > 0)
    throw new PoolbenchError('CONFIG_INVALID', faults.map(({ text }) => text).join('\n'));
  const common = {
    ...(Object.keys(trust).length === 0 ? {} : { trust }),
    ...(protocol === null ? {} : { protocol }),
  };
  const { master, others, username, password } = sentinel;
  if (master === null) return { ...parseAddress(url), ...common };
  return {
    ...parseAddress(url, sentinelPort),
    ...common,
    sentinel: {
      master,
      others: others.map(other => {
        const { host, port } = parseAddress(`redis://${other}`, sentinelPort);
        return { host, port };
      }),
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
    },
  };
}
