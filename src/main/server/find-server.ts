import { execFile } from 'node:child_process';
import { programIn, unpackDebianPackages, userCache } from './debian-package.ts';
import { findProgram, type Program } from './server-process.ts';
import { type StartableServer, serverFacts } from './servers.ts';

/** A server program that runs here. */
export interface FoundBinary extends Program {
  readonly from: 'PATH' | 'package';
  /** What `--version` printed, shortened to the number. */
  readonly version: string;
}

/** Why there is none. */
export interface NotFound {
  readonly reason: string;
}

const unpackLimitMs = 120_000;

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
  const { program } = serverFacts(server);
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
  const { program, packages } = serverFacts(server);
  if (packages === null) return { reason: `${server} has no Debian package` };
  const unpacked = await unpackDebianPackages(
    {
      name: program,
      packages,
      cache: userCache('servers'),
      folder: server,
      timeLimitMs: unpackLimitMs,
      programIn: root => programIn(root, ['usr', 'bin', program]),
    },
    { say, runs: async binary => (await programVersion(binary)) !== undefined },
  );
  if ('reason' in unpacked) return unpacked;
  return { ...unpacked, from: 'package', version: (await programVersion(unpacked)) ?? 'unknown' };
}

/** The number in what `--version` prints, or "unknown"; undefined if the program does not run. */
function programVersion(binary: Program): Promise<string | undefined> {
  return new Promise(resolve => {
    const env = { ...process.env, ...binary.env };
    execFile(binary.path, ['--version'], { env, timeout: 5000 }, (error, stdout) => {
      // "Redis server v=7.0.15 sha=…", "Valkey server v=8.0.1 …", "dragonfly v1.40.1-…"
      resolve(error === null ? (/\bv=?(\d[\w.]*)/.exec(stdout)?.[1] ?? 'unknown') : undefined);
    });
  });
}
