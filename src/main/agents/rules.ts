import { formatPlural } from '../../aggregate/text/format.ts';
import { type Address, shownNode } from '../../pool/client/address.ts';
import { whyNoRing } from '../../pool/client/ring-socket.ts';
import { PoolbenchError } from '../errors.ts';
import { bytesInFlight, maxBytesInFlight } from '../experiment/workload-misfits.ts';
import { openFilesLimit } from '../open-files.ts';
import { neededFiles } from '../server/preflight.ts';
import { readTrust } from '../server/tls.ts';
import { parseAddress } from '../server/url.ts';
import type { AgentTask, Prepare, Subject } from './messages.ts';

/** What an agent allows: only load on the targets that its user named. */
export interface Rules {
  /** `host:port`, in small letters. */
  readonly targets: ReadonlySet<string>;
  readonly maxThreads: number;
  /** What its own environment says of the login and TLS. */
  readonly secrets: Secrets;
}

type Secrets = Pick<Address, 'username' | 'password' | 'trust'> & {
  readonly sentinel: { readonly username?: string; readonly password?: string };
};

/** A refusal, as the coordinator's user reads it. */
export class Refusal extends Error {}

/**
 * Reads the list of `--allow-target`.
 *
 * @throws PoolbenchError USAGE
 */
export function readTargets(typed: string): ReadonlySet<string> {
  const targets = typed.split(',').map(target => {
    const trimmed = target.trim();
    try {
      if (!/^(\[[^\]]+\]|[^:/@?#\s]+):\d+$/.test(trimmed)) throw new Error('it is not host:port');
      return shownNode(parseAddress(`redis://${trimmed}`)).toLowerCase();
    } catch {
      throw new PoolbenchError(
        'USAGE',
        `--allow-target: expected host:port of each server that this agent may load, such as redis.internal:6379, found ${trimmed || 'nothing'}`,
      );
    }
  });
  return new Set(targets);
}

/** @throws PoolbenchError CONFIG_INVALID for files that cannot be used */
export async function readSecrets(environment: NodeJS.ProcessEnv): Promise<Secrets> {
  const of = (name: string) => environment[`POOLBENCH_TARGET_${name}`] || undefined;
  const files = { ca: of('CA') ?? null, cert: of('CERT') ?? null, key: of('KEY') ?? null };
  const { trust, faults } = await readTrust({ ...files, servername: null, rejectUnauthorized: true });
  if (faults.length > 0)
    throw new PoolbenchError(
      'CONFIG_INVALID',
      faults
        .map(({ key, text }) => text.replace(`target.tls.${key}`, `POOLBENCH_TARGET_${key.toUpperCase()}`))
        .join('\n'),
    );
  const login = (username: string | undefined, password: string | undefined) => ({
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  });
  const sentinel = (name: string) => environment[`POOLBENCH_SENTINEL_${name}`] || undefined;
  return {
    ...login(of('USERNAME'), of('PASSWORD')),
    trust,
    sentinel: login(sentinel('USERNAME'), sentinel('PASSWORD')),
  };
}

/** The address of the load without secrets: each agent takes those from its own environment. */
export function withoutLogin({ address, cluster }: Subject): Subject {
  return {
    address: bare(address),
    ...(cluster === undefined ? {} : { cluster: cluster.map(bare) }),
  };
}

function bare({ password: _, trust, sentinel, ...rest }: Address): Address {
  const { password: __, ...asked } = sentinel ?? { master: '', others: [] };
  return {
    ...rest,
    ...(sentinel === undefined ? {} : { sentinel: asked }),
    ...(trust?.servername === undefined ? {} : { trust: { servername: trust.servername } }),
  };
}

/** @throws Refusal of a target that is not on the list */
export function withLogin(subject: Subject, rules: Rules): Subject {
  const { address, cluster } = subject;
  for (const each of [address, ...(cluster ?? [])])
    for (const place of [each, ...(each.sentinel?.others ?? []), ...Object.values(each.natMap ?? {})]) {
      const where = shownNode(place).toLowerCase();
      if (!rules.targets.has(where))
        throw new Refusal(
          `it may load only ${[...rules.targets].join(', ')}; start it with --allow-target ${where}`,
        );
    }
  const add = (bare: Address): Address => {
    const { username, password, trust, sentinel } = rules.secrets;
    return {
      ...bare,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(bare.tls ? { trust: { ...trust, ...bare.trust } } : {}),
      ...(bare.sentinel === undefined ? {} : { sentinel: { ...bare.sentinel, ...sentinel } }),
    };
  };
  return { address: add(address), ...(cluster === undefined ? {} : { cluster: cluster.map(add) }) };
}

/** @throws Refusal of a turn that exceeds the limits of this agent, or of its process, or needs io_uring that it does not have */
export function expectWithinLimits(
  { threads, tasks, placement, workload }: Prepare,
  { maxThreads }: Rules,
): void {
  if (threads > maxThreads)
    throw new Refusal(
      `it allows ${formatPlural(maxThreads, 'thread')}, but the run needs ${threads} on each agent; start it with --threads ${threads}, or use more agents`,
    );
  const distinct = new Set(placement);
  if (
    placement.length !== tasks.length ||
    distinct.size !== tasks.length ||
    placement.some(thread => thread >= threads)
  )
    throw new Refusal('the measurement does not have a thread for each task');
  const noRing = tasks.some(({ transport }) => transport === 'io_uring') ? whyNoRing() : undefined;
  if (noRing !== undefined) throw new Refusal(`wire cannot use io_uring on it: ${noRing}`);
  const requests = tasks.reduce((sum, task) => sum + requestsInFlight(task), 0);
  const inFlight = bytesInFlight(requests, workload.values);
  if (inFlight > maxBytesInFlight)
    throw new Refusal(
      `the measurement keeps ${inFlight} bytes of requests in memory, but the agent allows ${maxBytesInFlight}; use a smaller pipeline or smaller values`,
    );
  const { subscribers = 0 } = workload;
  const sockets = tasks
    .flatMap(({ pools }) => pools)
    .reduce((sum, { connections }) => sum + connections, subscribers);
  const [limit, needed] = [openFilesLimit(), neededFiles({ sockets, threads })];
  if (limit < needed)
    throw new Refusal(`it may open ${limit} files, but needs ${needed}; raise its limit (ulimit -n)`);
}

function requestsInFlight({ pools }: AgentTask): number {
  return pools
    .flatMap(({ groups }) => groups)
    .reduce((sum, { workers, pipeline }) => sum + workers * pipeline, 0);
}
