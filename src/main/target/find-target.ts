import type { Experiment } from '../config/experiment.ts';
import { controlTimeoutMs, type ResolveOptions, resolveTarget, type Target } from './resolve.ts';
import { targetAddress } from './target-address.ts';

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
