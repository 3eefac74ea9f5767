import type { ClusterOptions } from 'ioredis';
import type { Address } from '../address.ts';
import { Cluster, Command } from '../ioredis.ts';
import { placeOf, readRedirect, unknownHost } from './slot-ranges.ts';

// ioredis skips nodes without a host, and thus all nodes of a cluster with unknown endpoints.
Command.setReplyTransformer('cluster', reply => (Array.isArray(reply) ? reply.map(withHosts) : reply));

function withHosts(range: unknown): unknown {
  if (!Array.isArray(range)) return range;
  const [first, last, ...nodes] = range;
  const named = nodes.map(node => (Array.isArray(node) && !node[0] ? [unknownHost, ...node.slice(1)] : node));
  return [first, last, ...named];
}

export type PlacedOptions = Omit<ClusterOptions, 'redisOptions'> & {
  redisOptions: Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;
};

/** ioredis's client for clusters, which connects to nodes at the address from `placeOf`, also after redirections. */
export class PlacedCluster extends Cluster {
  readonly #seed: Address;

  constructor(seeds: readonly Address[], options: PlacedOptions) {
    const seed = seeds[0] as Address;
    const natMap = (key: string) => {
      const colon = key.lastIndexOf(':');
      return placeOf(seed, key.slice(0, colon), Number(key.slice(colon + 1)));
    };
    super(
      seeds.map(({ host, port }) => ({ host, port })),
      { ...options, natMap },
    );
    this.#seed = seed;
  }

  override handleError(...[error, hops, handlers]: Parameters<Cluster['handleError']>): void {
    const redirect = readRedirect(error.message);
    if (redirect === undefined) {
      super.handleError(error, hops, handlers);
      return;
    }
    const { asking, slot } = redirect;
    const { host, port } = placeOf(this.#seed, redirect.host, redirect.port);
    const followed = new Error(`${asking ? 'ASK' : 'MOVED'} ${slot} ${host}:${port}`);
    super.handleError(followed, hops, handlers);
  }
}
