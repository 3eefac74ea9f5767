import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { firstLine } from '../errors.ts';
import { findProgram, type Program } from './server-process.ts';

/** A program that is kept in the user's cache. */
export interface Unpacking {
  /** As text. */
  readonly name: string;
  /** The folder of the user's cache that holds such programs; each has one of its own in it. */
  readonly cache: string;
  readonly folder: string;
  readonly timeLimitMs: number;
  /** The program in a folder that it was unpacked into; undefined if it is not there. */
  readonly programIn: (root: string) => Promise<Program | undefined>;
}

/** How it is fetched. */
interface Source {
  /** What is fetched, as text for the announcement: "redis-server from the distribution". */
  readonly what: string;
  /** Why that cannot be done on this machine, if that is known beforehand. */
  readonly whyNot: () => Promise<string | undefined>;
  /** Fetches and unpacks it into `root`, which does not exist; `work` has room for everything else. */
  readonly unpack: (root: string, work: string, signal: AbortSignal) => Promise<void>;
  /** Called before anything is fetched. */
  readonly say: (line: string) => void;
  /** Whether a program starts here. */
  readonly runs: (program: Program) => Promise<boolean>;
}

/** Where what poolbench unpacks for itself is kept. */
export function userCache(folder: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'poolbench', folder);
}

/**
 * Unpacks a program into the user's cache folder: no root, nothing installed. An earlier copy is used again. Two at a
 * time, or one that is interrupted, never leave half a program: it is renamed into place when complete.
 *
 * @returns the program and its environment, or the reason why there is none; never throws
 */
export async function unpackIntoCache(
  { name, cache, folder, timeLimitMs, programIn }: Unpacking,
  { what, whyNot, unpack, say, runs }: Source,
): Promise<Program | { reason: string }> {
  const home = join(cache, folder);
  let work: string;
  try {
    const kept = await programIn(home);
    if (kept !== undefined && (await runs(kept))) return kept;
    const reason = await whyNot();
    if (reason !== undefined) return { reason };
    await mkdir(cache, { recursive: true });
    work = await mkdtemp(join(cache, `.${folder}-`));
  } catch (error) {
    return { reason: `the cache folder ${cache} cannot be used (${firstLine(error)})` };
  }
  const ending = new AbortController();
  const deadline = ending.signal;
  const timer = setTimeout(() => ending.abort(), timeLimitMs);
  // When poolbench is ended meanwhile, neither a child process nor half a program stays.
  const leave = () => {
    ending.abort();
    rmSync(work, { recursive: true, force: true });
  };
  process.once('exit', leave);
  try {
    say(`fetching ${what}, unpacked into ${home}; nothing is installed`);
    const root = join(work, 'root');
    await unpack(root, work, deadline);
    const unpacked = await programIn(root);
    if (unpacked === undefined) return { reason: `it holds no ${name}` };
    const missing = await missingLibraries(unpacked);
    if (missing.length > 0) {
      return { reason: `the unpacked ${name} lacks ${missing.join(', ')} on this system` };
    }
    if (!(await runs(unpacked))) return { reason: `the unpacked ${name} does not run` };
    await takePlace(root, home, async () => {
      const other = await programIn(home);
      return other !== undefined && (await runs(other));
    });
    return (await programIn(home)) ?? { reason: `${home} was removed meanwhile` };
  } catch (error) {
    const late = deadline.aborted ? ` (not done within ${timeLimitMs / 1000} s)` : '';
    return { reason: `it could not be fetched${late}: ${firstLine(error)}` };
  } finally {
    process.off('exit', leave);
    clearTimeout(timer);
    await rm(work, { recursive: true, force: true });
  }
}

async function missingLibraries(program: Program): Promise<string[]> {
  if ((await findProgram('ldd')) === undefined) return [];
  // A static program has none, at which ldd fails.
  const output = await run('ldd', [program.path], { env: program.env }).catch(() => '');
  return [...output.matchAll(/^\s*(\S+) => not found/gm)].map(match => match[1] ?? '');
}

/**
 * Renames a complete folder into place. If another process was faster, its copy stays; a broken one is
 * removed.
 */
async function takePlace(root: string, home: string, keptRuns: () => Promise<boolean>): Promise<void> {
  try {
    await rename(root, home);
  } catch {
    if (await keptRuns()) return;
    // Moved away in one step, so that nobody sees half of it removed.
    await rename(home, join(dirname(root), 'broken'));
    await rename(root, home);
  }
}

/** Runs a program to its end. @returns what it wrote @throws Error with the first line of its error output that is an error */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive', ...options.env };
  return new Promise((resolve, reject) => {
    execFile(command, args, { ...options, env, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else {
        const said = stderr.split('\n').find(line => line.startsWith('E: ')) ?? stderr.trim();
        reject(new Error(said === '' ? error.message : said, { cause: error }));
      }
    });
  });
}
