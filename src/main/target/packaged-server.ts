import { programIn, unpackDebianPackages, userCache } from './debian-package.ts';
import type { ServerBinary } from './server-process.ts';

export type PackagedServer = 'redis' | 'valkey';

const timeLimitMs = 120_000;

/** The tools package is named because the server's program is a link into it, and an installed one is not fetched. */
const packages: Record<PackagedServer, readonly string[]> = {
  redis: ['redis-server', 'redis-tools'],
  valkey: ['valkey-server', 'valkey-tools'],
};

/** Where unpacked servers are kept. */
function serverCache(): string {
  return userCache('servers');
}

/**
 * Unpacks the distribution's package of a server into the user's cache folder: see `unpackDebianPackages`.
 * @returns the program and its environment, or the reason why there is none; never throws
 */
export function unpackDebianPackage(
  server: PackagedServer,
  options: { say: (line: string) => void; runs: (binary: ServerBinary) => Promise<boolean> },
): Promise<ServerBinary | { reason: string }> {
  return unpackDebianPackages(
    {
      name: `${server}-server`,
      packages: packages[server],
      cache: serverCache(),
      folder: server,
      timeLimitMs,
      programIn: root => programIn(root, ['usr', 'bin', `${server}-server`]),
    },
    options,
  );
}
