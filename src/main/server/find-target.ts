import type { Result } from '../../aggregate/result.ts';
import type { LoadEnvironment } from '../../aggregate/stats/limited-by.ts';
import { toOneLine } from '../../aggregate/text/format.ts';
import { describeTarget } from '../../aggregate/text/target-words.ts';
import type { Address } from '../../pool/client/address.ts';
import { PoolbenchError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { controlTimeoutMs, type ResolveOptions, resolveTarget, type Target } from './resolve.ts';
import { readTrust } from './tls.ts';
import { parseAddress } from './url.ts';

/**
 * The target that an experiment declares, with one number of server threads at most.
 *
 * @throws PoolbenchError as `resolveTarget` and `targetAddress`
 */
export async function findTarget(
  experiment: Pick<Experiment, 'target' | 'timeoutMs'>,
  options: Pick<ResolveOptions, 'standInAllowed' | 'urlTyped' | 'onFreePort' | 'say'>,
): Promise<Target> {
  const { server, url, threads, cluster } = experiment.target;
  return resolveTarget({
    server,
    url,
    address: await targetAddress(experiment.target),
    cluster,
    threads: threads[0],
    timeoutMs: controlTimeoutMs(experiment),
    ...options,
  });
}

/** What answers, for a reader, before any load. */
export function describeFoundTarget(target: Target): string {
  const { declared } = target;
  return `Target: ${toOneLine(describeTarget(target))}, declared ${declared.server} at ${declared.url}\n`;
}

/** What results tell of their target: plain data without a password. */
export function shownTarget({
  declared,
  detected,
  foundBy,
  standIn,
  unverified,
  local,
}: Target): Result['target'] {
  const { server, version, threads, persistence, protocol, masters } = detected;
  const shown = { server, version, threads, persistence, protocol, masters };
  return { declared, detected: shown, foundBy, standIn, unverified, local };
}

/** Where the load runs, on a machine of so many cores. */
export function surroundingsOf({ local, detected }: Target, cores: number): LoadEnvironment {
  const { threads, masters } = detected;
  // The busiest master counts by its main thread; all of them together have so many.
  return { cores, local, serverThreads: masters === null ? threads : masters * (threads ?? 1) };
}

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
