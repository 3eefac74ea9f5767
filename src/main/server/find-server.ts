import { execFile } from 'node:child_process';
import { programIn, unpackDebianPackages, userCache } from './debian-package.ts';
import {
  type DeclaredServer,
  findProgram,
  type ServerBinary,
  type StartableServer,
} from './server-process.ts';

/** A server program that runs here. */
export interface FoundBinary extends ServerBinary {
  readonly from: 'PATH' | 'package';
  /** What `--version` printed, shortened to the number. */
  readonly version: string;
}

/** A step that led nowhere, and why. */
export interface NotFound {
  readonly reason: string;
}

const programs: Record<StartableServer, string> = {
  redis: 'redis-server',
  valkey: 'valkey-server',
  dragonfly: 'dragonfly',
};

/** The server's program: on PATH, else from the distribution's package, unpacked privately. Never throws. */
export async function findServerBinary(
  server: StartableServer,
  say: (line: string) => void,
): Promise<FoundBinary | NotFound> {
  const onPath = await findOnPath(server);
  if (!('reason' in onPath)) return onPath;
  const unpacked = await findInPackage(server, say);
  return 'reason' in unpacked ? { reason: `${onPath.reason}; ${unpacked.reason}` } : unpacked;
}

/** The server's program on PATH, if it runs. */
export async function findOnPath(server: StartableServer): Promise<FoundBinary | NotFound> {
  const program = programs[server];
  const path = await findProgram(program);
  if (path === undefined) return { reason: `no ${program} on PATH` };
  const version = await programVersion({ path, env: {} });
  if (version === undefined) return { reason: `${path} does not run` };
  return { path, env: {}, from: 'PATH', version };
}

/** The server's program from the distribution's package (Debian, Ubuntu), fetched unless it is there already. */
export async function findInPackage(
  server: StartableServer,
  say: (line: string) => void,
): Promise<FoundBinary | NotFound> {
  if (server === 'dragonfly') return { reason: 'Dragonfly has no Debian package' };
  const unpacked = await unpackDebianPackage(server, { say, runs: async binary => isRunnable(binary) });
  if ('reason' in unpacked) return unpacked;
  const version = (await programVersion(unpacked)) ?? 'unknown';
  return { ...unpacked, from: 'package', version };
}

/** How a user gets the server, for Debian and Ubuntu, macOS and Docker. */
export function howToInstall(server: DeclaredServer): string {
  switch (server) {
    case 'any':
    case 'redis':
      return 'Debian/Ubuntu: apt install redis-server · macOS: brew install redis · Docker: docker run -d -p 6379:6379 redis:7';
    case 'valkey':
      return 'Debian/Ubuntu: apt install valkey-server (Debian 12: from bookworm-backports) · macOS: brew install valkey · Docker: docker run -d -p 6381:6379 valkey/valkey:8';
    case 'dragonfly':
      return 'put its release binary on PATH as "dragonfly" · Docker: docker run -d -p 6382:6379 docker.dragonflydb.io/dragonflydb/dragonfly';
  }
}

async function isRunnable(binary: ServerBinary): Promise<boolean> {
  return (await programVersion(binary)) !== undefined;
}

function programVersion(binary: ServerBinary): Promise<string | undefined> {
  return new Promise(resolve => {
    const env = { ...process.env, ...binary.env };
    execFile(binary.path, ['--version'], { env, timeout: 5000 }, (error, stdout) => {
      // "Redis server v=7.0.15 sha=…", "Valkey server v=8.0.1 …", "dragonfly v1.40.1-…"
      resolve(error === null ? (/\bv=?(\d[\w.]*)/.exec(stdout)?.[1] ?? 'unknown') : undefined);
    });
  });
}

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
