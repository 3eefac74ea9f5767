import type { Result } from '../../aggregate/result.ts';
import type { LoadEnvironment } from '../../aggregate/stats/limit-figures.ts';
import { toOneLine } from '../../aggregate/text/format.ts';
import { describeServer, describeTarget, unverifiedBanner } from '../../aggregate/text/target-words.ts';
import type { Address } from '../../pool/client/address.ts';
import { mastersOf, readSlotRanges } from '../../pool/client/cluster/slot-ranges.ts';
import { PoolbenchError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { isLoopback, isOwnAddress } from '../local-addresses.ts';
import { connectCluster } from './cluster-control.ts';
import { type Control, connectControl } from './control.ts';
import {
  expectServer,
  type Identity,
  identifyServer,
  ioThreadsSpin,
  spokenProtocol,
  takesNames,
} from './server-info.ts';

import { type DeclaredServer, howToInstall } from './servers.ts';
import { firstThatStarts, type Started } from './start-server.ts';
import { readTrust } from './tls.ts';
import { parseAddress, shownAddress, withoutPassword } from './url.ts';

/** The server under test: as declared in the config, and as detected. */
export interface Target {
  /** The URL is without its password. */
  readonly declared: { readonly server: DeclaredServer; readonly url: string };
  /** `protocol` is the RESP version that the load speaks; `masters` those of the cluster, null for a server alone. */
  readonly detected: Identity & { readonly protocol: 2 | 3; readonly masters: number | null };
  /** As text: `running at redis://…`, `binary /usr/bin/redis-server, started on 127.0.0.1:6379`, … */
  readonly foundBy: string;
  /** Whether a server other than the declared one answers; every output must show this. */
  readonly standIn: boolean;
  /** Of a stand-in: why it is not the declared server, as lines. */
  readonly standInReasons?: readonly string[];
  /** Whether any server that answers is trusted: TLS without a check of the certificate. */
  readonly unverified: boolean;
  /** With the IP address that answered, instead of a host name. */
  readonly address: Address;
  readonly control: Control;
  /** Whether it shares this machine's cores with poolbench. */
  readonly local: boolean;
  /** Caveats of the results. */
  readonly notes: readonly string[];
  /** Closes the control connection and stops the server if we started it. May be called again. */
  stop(): Promise<void>;
}

export interface ResolveOptions {
  readonly server: DeclaredServer;
  readonly url: string;
  /** The address that the URL and the keys beside it define; that of the URL unless given. */
  readonly address?: Address;
  /** The URL names a node of a cluster, which is then the target. Nothing is started in its place. */
  readonly cluster?: boolean;
  /** Threads with which a started server serves clients. A server that runs already is then an error. */
  readonly threads?: number | undefined;
  /** Start on a free port even if the URL's own port is free: another side of the run may have the same URL. */
  readonly onFreePort?: boolean;
  readonly standInAllowed: boolean;
  /**
   * Whether a server is started if nothing listens at the URL. Not for a URL that the user gave for this run: the
   * figures of a new, empty server would be mistaken for those of the named one. @default true
   */
  readonly mayStart?: boolean;
  /** Prints the search for and start of servers, line by line. */
  readonly say: (line: string) => void;
  /** Bounds connecting and every request of the control connection. @default 5000 */
  readonly timeoutMs?: number;
}

/** The control connection waits as long as the load does, and no shorter than this. */
const minTimeoutMs = 5000;

/**
 * The target that an experiment declares, with the first of its numbers of server threads.
 *
 * @throws PoolbenchError as `resolveTarget` and `targetAddress`
 */
export async function findTarget(
  experiment: Pick<Experiment, 'target' | 'timeoutMs'>,
  options: Pick<ResolveOptions, 'standInAllowed' | 'mayStart' | 'onFreePort' | 'say'>,
): Promise<Target> {
  const { server, url, threads, cluster } = experiment.target;
  return resolveTarget({
    server,
    url,
    address: await targetAddress(experiment.target),
    cluster,
    threads: threads[0],
    timeoutMs: Math.max(minTimeoutMs, experiment.timeoutMs),
    ...options,
  });
}

/**
 * Finds the target: running at the URL; else, for a plain loopback URL at which nothing listens, started here from a
 * binary on PATH, a Docker image, or the distribution's package or the release archive; else a stand-in by the same steps;
 * else the embedded server. A server that answers but refuses is an error, not a reason to stand in. For "any" only the
 * embedded server is a stand-in.
 * @throws Error for a URL that cannot be read; PoolbenchError TARGET_UNREACHABLE, TARGET_REFUSED_LOGIN,
 *   TARGET_TOO_SMALL, or TARGET_NOT_AVAILABLE if a stand-in would be needed and is not allowed, or if threads are asked
 *   for and a server runs already
 */
export async function resolveTarget(options: ResolveOptions): Promise<Target> {
  const { server, threads, say, cluster = false, timeoutMs = minTimeoutMs } = options;
  const { address = parseAddress(options.url) } = options;
  const url = withoutPassword(options.url);
  const running = cluster
    ? await connectCluster(address, { timeoutMs })
    : await connectIfRunning(address, options);
  if (running !== undefined && threads !== undefined) {
    running.close();
    throw notAvailable(
      `expected a server that poolbench starts, as target.threads can only be set on such a server, found one running at ${url}; stop it or leave out target.threads`,
    );
  }
  if (running !== undefined)
    return inspectTarget(options, url, { control: running, foundBy: formatRunning(running, url), tried: [] });

  const wanted = server === 'any' ? 'server' : server;
  say(`nothing listens at ${shownAddress(address)}; looking for a ${wanted} to start`);
  const port = options.onFreePort === true ? undefined : address.port;
  const { started, tried } = await firstThatStarts(server, { ...options, port });
  if (started === undefined) {
    throw notAvailable(
      `expected ${formatDeclared(server)} at ${url}, or one that can be started here, and found none:\n` +
        `${tried.map(asItem).join('\n')}\n` +
        `Install it (${howToInstall(server)}), or leave out --no-stand-in.`,
    );
  }
  const { foundBy } = started;
  try {
    const { host, port } = started.server;
    const control = await connectControl({ ...address, host, port }, { timeoutMs });
    return await inspectTarget(options, url, { control, foundBy, tried, started });
  } catch (error) {
    await started.server.stop();
    throw error;
  }
}

/** Codes of a connection attempt to loopback. ENETUNREACH: this machine has no loopback address of that IP version. */
const nothingListens = ['ECONNREFUSED', 'ENETUNREACH'];

/**
 * The control connection, or undefined if nothing listens and we may start a server: only for a plain TCP URL of this
 * machine. Other refusals, and URLs with TLS, a password, a socket or Sentinels, are left to the user to fix.
 */
async function connectIfRunning(
  address: Address,
  { mayStart = true, timeoutMs = minTimeoutMs }: Pick<ResolveOptions, 'mayStart' | 'timeoutMs'>,
): Promise<Control | undefined> {
  try {
    return await connectControl(address, { timeoutMs });
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const absent =
      error instanceof Error &&
      cause instanceof Error &&
      'code' in cause &&
      nothingListens.includes(String(cause.code));
    const { path, tls, password, sentinel, host } = address;
    const plain = path === undefined && !tls && password === undefined && sentinel === undefined;
    if (!absent || !plain || !isLoopback(host)) throw error;
    if (mayStart) return undefined;
    throw new PoolbenchError(
      'TARGET_UNREACHABLE',
      `${error.message}. poolbench starts no server at a URL that --url, POOLBENCH_URL or a URL argument gives. To start an empty server there, add --start`,
      { cause },
    );
  }
}

/** Asks the server what it is. @throws PoolbenchError if it is not what the options ask for; the control is then closed */
async function inspectTarget(
  { server, threads, standInAllowed }: ResolveOptions,
  url: string,
  found: { control: Control; foundBy: string; tried: readonly string[]; started?: Started },
): Promise<Target> {
  const { control, foundBy, tried, started } = found;
  try {
    const nodes = await control.findNodes();
    // The figures of one master of a cluster are taken for all.
    const node = nodes[0] ?? control;
    await expectServer(node);
    const identity = await identifyServer(node);
    if (identity.cluster && control.cluster === undefined) await refuseOneOfMany(control, url);
    const detected = {
      ...identity,
      protocol: await spokenProtocol(node),
      masters: control.cluster === undefined ? null : nodes.length,
    };
    const standIn = server === 'any' ? detected.server === 'embedded' : detected.server !== server;
    const what = describeServer(detected);
    const isTold = detected.server !== 'unknown' || node.infoRefusal === undefined;
    if (standIn && !standInAllowed) {
      throw notAvailable(
        `expected ${formatDeclared(server)} at ${url}, found ${what} (${foundBy}); correct target.server or the URL, or leave out --no-stand-in`,
      );
    }
    const notes = standIn ? [formatStandIn(server, what, isTold)] : [];
    const standInReasons = tried.length === 0 ? [`${what} is ${foundBy}`] : tried;
    if (node.infoRefusal !== undefined) notes.push(formatHidden(url, node.infoRefusal));
    if (threads !== undefined && threads !== detected.threads) {
      const reported = detected.threads ?? 'no number';
      notes.push(`${what} was started with ${threads} server threads, but reports ${reported}`);
    }
    return {
      declared: { server, url },
      detected,
      foundBy,
      standIn,
      ...(standIn ? { standInReasons } : {}),
      unverified: isUnverified(control.address),
      // The load logs in only with commands that were answered here: a proxy may close the connection on others.
      address: {
        ...control.answering,
        ...(detected.protocol === 2 ? { protocol: 2 } : {}),
        ...((await takesNames(node)) ? {} : { unnamed: true }),
      },
      control,
      local: started !== undefined || nodes.every(node => isLocal(node.server)),
      notes,
      async stop() {
        control.close();
        await started?.server.stop();
      },
    };
  } catch (error) {
    control.close();
    throw error;
  }
}

/**
 * A node of a cluster refuses the keys of other nodes. A node that is alone in its cluster, or does not report this, is
 * accepted.
 */
async function refuseOneOfMany(control: Control, url: string): Promise<void> {
  const [outcome] = await control.pipeline([['CLUSTER', 'SLOTS']]);
  if (outcome === undefined || 'error' in outcome) return;
  const masters = mastersOf(readSlotRanges(outcome.value, control.answering)).length;
  if (masters < 2) return;
  throw notAvailable(
    `expected a standalone server at ${url}, found a node of a cluster with ${masters} masters, which refuses the keys of the others (MOVED); set target.cluster to true`,
  );
}

/** How a running server was found. */
function formatRunning({ address, server }: Control, url: string): string {
  if (address.sentinel === undefined) return `running at ${url}`;
  return `running at ${shownAddress(server)}, named as master "${address.sentinel.master}" by a Sentinel (${url})`;
}

const anyServer = 'Redis, Valkey or Dragonfly';

/** Why little is known about the server. */
function formatHidden(url: string, refusal: string): string {
  return `the server at ${url} refuses INFO (${toOneLine(refusal)}), like a proxy such as Envoy or twemproxy, or a managed service: its version, threads, limits, CPU time and own counts are unknown, several servers may be behind it, and the figures include everything in between`;
}

function formatStandIn(server: DeclaredServer, what: string, isTold: boolean): string {
  if (!isTold)
    return `stand-in: ${what} answers, so it is not known to be ${server}, and claims about ${server} are not tested; if you know what it is, set target.server to any`;
  return server === 'any'
    ? `stand-in: ${what} answers, because no server under test was found; these figures say nothing about ${anyServer}`
    : `stand-in: ${what} answers instead of ${server}; these figures say nothing about ${server}, and claims about it are not tested`;
}

function formatDeclared(server: DeclaredServer): string {
  return server === 'any' ? anyServer : server;
}

function notAvailable(message: string): PoolbenchError {
  return new PoolbenchError('TARGET_NOT_AVAILABLE', message);
}

/** A socket without TLS shows no certificate, so nobody expects that one is checked. */
export function isUnverified({ tls, trust }: Address): boolean {
  return tls && trust?.rejectUnauthorized === false;
}

/** Whether the server is on this machine. */
export function isLocal({ path, host }: Address): boolean {
  return path !== undefined || isOwnAddress(host);
}

/**
 * What a user must know about a target before any load, as lines: that another server stands in, and why; that its
 * certificate is not checked.
 */
export function describeAlerts(target: Target): string[] {
  const { declared, detected, address, standIn, standInReasons = [] } = target;
  const unverified = unverifiedBanner({ target });
  const what = `${describeServer(detected)} at ${shownAddress(address)}`;
  return [
    ...(standIn ? [`STAND-IN: ${what} stands in for ${formatDeclared(declared.server)}, because:`] : []),
    ...standInReasons.map(asItem),
    ...(unverified === null ? [] : [unverified]),
  ];
}

const asItem = (text: string) => `  - ${text}`;

/** The server that answers, as text, before any load. */
export function describeFoundTarget(target: Target): string {
  const { declared } = target;
  return `Target: ${toOneLine(describeTarget(target))}, declared ${declared.server} at ${declared.url}\n`;
}

/** The target as results hold it: plain data without a password. */
export function shownTarget({
  declared,
  detected,
  foundBy,
  standIn,
  standInReasons,
  unverified,
  local,
}: Target): Result['target'] {
  const { server, version, threads, persistence, protocol, masters } = detected;
  const shown = { server, version, threads, persistence, protocol, masters };
  const reason = standInReasons === undefined ? {} : { standInReason: standInReasons.join('; ') };
  return { declared, detected: shown, foundBy, standIn, ...reason, unverified, local };
}

/** Where the load runs, on a machine with this many cores. */
export function environmentOf(
  { local, detected }: Pick<Result['target'], 'local' | 'detected'>,
  cores: number,
): LoadEnvironment {
  const { threads, masters = null } = detected;
  // The busiest master counts by its main thread; all of them together have so many.
  return {
    cores,
    local,
    serverThreads: masters === null ? threads : masters * (threads ?? 1),
    ioThreadsSpin: ioThreadsSpin(detected),
  };
}

function placesOf(natMap: Experiment['target']['natMap']): NonNullable<Address['natMap']> {
  return Object.fromEntries(
    Object.entries(natMap).map(([announced, reached]) => {
      const { host, port } = parseAddress(`redis://${reached}`);
      return [announced, { host, port }];
    }),
  );
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
  natMap,
}: Experiment['target']): Promise<Address> {
  const { trust, faults } = await readTrust(tls);
  if (faults.length > 0)
    throw new PoolbenchError('CONFIG_INVALID', faults.map(({ text }) => text).join('\n'));
  const common = {
    ...(Object.keys(trust).length === 0 ? {} : { trust }),
    ...(protocol === null ? {} : { protocol }),
    ...(Object.keys(natMap).length === 0 ? {} : { natMap: placesOf(natMap) }),
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
