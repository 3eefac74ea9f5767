import type { Result } from '../result.ts';
import { formatPlural } from './format.ts';

/** Sentences about the target and its clients in every rendering. Foreign text is unchanged. */

/** Alert if another server stood in for the declared one; null if none did. */
export function standInBanner({ target }: Pick<Result, 'target'>): string | null {
  if (!target.standIn) return null;
  const answered = describeServer(target.detected);
  const { server } = target.declared;
  const missing = server === 'any' ? 'a server, as none was found' : server;
  return `STAND-IN: these are figures of ${answered}, which stood in for ${missing}.`;
}

/** Whether the server was already running: `foundBy` is then "running at redis://…". */
export const wasRunning = ({ foundBy }: Pick<Result['target'], 'foundBy'>) =>
  foundBy.startsWith('running at ');

/** "redis 7.0.15". */
export function describeServer({
  server,
  version,
}: Pick<Result['target']['detected'], 'server' | 'version'>): string {
  return server === 'unknown' && version === 'unknown' ? 'an unidentified server' : `${server} ${version}`;
}

/** Alert if anybody could have answered; null if the server was verified. */
export function unverifiedBanner({ target }: { readonly target: Pick<Result['target'], 'unverified'> }) {
  return target.unverified === true
    ? 'NOT VERIFIED: the certificate of the server was not checked, so anybody could have answered in its place (target.tls.rejectUnauthorized is false).'
    : null;
}

/** All alerts about a target, which stand before and after its figures. */
export function targetBanners(result: Pick<Result, 'target'>): string[] {
  return [standInBanner(result), unverifiedBanner(result)].filter(text => text !== null);
}

/** "redis 7.0.15, 1 thread (binary on PATH)". */
export function describeTarget({
  detected,
  foundBy,
}: Pick<Result['target'], 'detected' | 'foundBy'>): string {
  const threads = detected.threads === null ? '' : `, ${formatPlural(detected.threads, 'thread')}`;
  const protocol = detected.protocol === 2 ? ', RESP2' : '';
  const { masters = null } = detected;
  const cluster = masters === null ? '' : `, cluster of ${formatPlural(masters, 'master')}`;
  return `${describeServer(detected)}${threads}${cluster}${protocol} (${foundBy})`;
}

/** "TCP", "TLS" or "unix socket": how the load is connected to a server. */
export function describeSocket({ declared }: Pick<Result['target'], 'declared'>): string {
  const [scheme = ''] = declared.url.toLowerCase().split(':', 1);
  return { rediss: 'TLS', valkeys: 'TLS', unix: 'unix socket' }[scheme] ?? 'TCP';
}

/** "3 masters", or "one server" without a cluster. */
export function describeMasters({ masters }: Pick<Result['target']['detected'], 'masters'>): string {
  return masters == null ? 'one server' : formatPlural(masters, 'master');
}

/** "ioredis 6.0.0, node-redis (redis 6.3.1), wire". */
export function describeClients(clients: NonNullable<Result['clients']>): string {
  return clients
    .map(({ client, package: from, version }) => {
      const release = [from === client ? null : from, version].filter(part => part !== null).join(' ');
      if (release === '') return client;
      return from === client ? `${client} ${release}` : `${client} (${release})`;
    })
    .join(', ');
}

/** "23.5 GiB". */
export function formatMemory(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
