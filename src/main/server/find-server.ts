import { execFile } from 'node:child_process';
import { programIn, unpackDebianPackages } from './debian-package.ts';
import { unpackRelease } from './release-archive.ts';
import { findProgram, type Program } from './server-process.ts';
import { type Release, type ReleaseArchive, type StartableServer, serverFacts } from './servers.ts';
import { userCache } from './unpacked-program.ts';

/** A server program that runs here. */
export interface FoundBinary extends Program {
  readonly from: 'PATH' | 'distribution package' | 'release archive';
  /** What `--version` printed, shortened to the number. */
  readonly version: string;
}

/** Why there is none. */
export interface NotFound {
  readonly reason: string;
}

const unpackLimitMs = 120_000;

/** The server's program: on PATH, else unpacked privately. Never throws. */
export async function findServerBinary(
  server: StartableServer,
  say: (line: string) => void,
): Promise<FoundBinary | NotFound> {
  const onPath = await findOnPath(server);
  if (!('reason' in onPath)) return onPath;
  const unpacked = await findUnpacked(server, say);
  if (!('reason' in unpacked)) return unpacked;
  return { reason: `${onPath.reason}; ${serverFacts(server).unpacked.from}: ${unpacked.reason}` };
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

/** The server's program from the distribution's package or the release archive, fetched unless it is there already. */
export async function findUnpacked(
  server: StartableServer,
  say: (line: string) => void,
): Promise<FoundBinary | NotFound> {
  const { program, unpacked } = serverFacts(server);
  const place = { name: program, cache: userCache('servers') };
  const options = {
    say,
    runs: async (binary: Program) => (await programVersion(binary)) !== undefined,
  };
  const found = await (unpacked.from === 'distribution package'
    ? unpackDebianPackages(
        {
          ...place,
          packages: unpacked.packages,
          folder: server,
          timeLimitMs: unpackLimitMs,
          programIn: root => programIn(root, ['usr', 'bin', program]),
        },
        options,
      )
    : unpackRelease(
        { ...place, folder: `${server}-${unpacked.version}`, archive: archiveOf(unpacked) },
        options,
      ));
  if ('reason' in found) return found;
  return { ...found, from: unpacked.from, version: (await programVersion(found)) ?? 'unknown' };
}

/** The archive for this machine, from the mirror if there is one; undefined if there is none. */
function archiveOf({ archives, mirror }: Release): ReleaseArchive | undefined {
  const archive = archives[`${process.platform}-${process.arch}`];
  return archive && { ...archive, url: process.env[mirror] || archive.url };
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
