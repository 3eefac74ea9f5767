import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, constants, mkdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { asError } from '../errors.ts';
import { findProgram, type Program } from './server-process.ts';
import type { ReleaseArchive } from './servers.ts';
import { run, type Unpacking, unpackIntoCache } from './unpacked-program.ts';
import { withoutPassword } from './url.ts';

/** Bounds of a download. */
interface DownloadLimits {
  /** Time limit for connecting. Short, so that a machine without this network soon tries other ways. */
  readonly connectMs: number;
  /** Max time without data. */
  readonly silentMs: number;
  /** Time limit for everything, including unpacking. */
  readonly totalMs: number;
  readonly maxBytes: number;
}

const usualLimits: DownloadLimits = {
  connectMs: 3000,
  silentMs: 10_000,
  totalMs: 180_000,
  maxBytes: 128 << 20,
};

const maxRedirects = 5;

/**
 * Fetches a release over HTTPS and unpacks it into the user's cache folder.
 *
 * @param release.archive undefined: there is none for this machine
 * @param options.ca certificates of the trusted authorities, instead of the system's
 * @returns as {@link unpackIntoCache}
 */
export function unpackRelease(
  release: Pick<Unpacking, 'name' | 'cache' | 'folder'> & { readonly archive: ReleaseArchive | undefined },
  options: {
    readonly say: (line: string) => void;
    readonly runs: (program: Program) => Promise<boolean>;
    readonly ca?: string;
    readonly limits?: DownloadLimits;
  },
): Promise<Program | { reason: string }> {
  const { archive, ...place } = release;
  const { ca, limits = usualLimits, ...use } = options;
  if (archive === undefined) {
    const machine = `${process.platform} ${process.arch}`;
    return Promise.resolve({ reason: `no release of ${release.name} with a known checksum for ${machine}` });
  }
  const { url, program } = archive;
  const unpacking: Unpacking = {
    ...place,
    timeLimitMs: limits.totalMs,
    async programIn(root) {
      const path = join(root, program);
      return await access(path, constants.X_OK).then(
        () => ({ path, env: {} }),
        () => undefined,
      );
    },
  };
  return unpackIntoCache(unpacking, {
    ...use,
    what: `${release.folder} from ${withoutPassword(url)}`,
    async whyNot() {
      if (!URL.canParse(url) || new URL(url).protocol !== 'https:')
        return `expected an https:// URL of the release archive, found ${withoutPassword(url)}`;
      return (await findProgram('tar')) === undefined ? 'no tar on PATH' : undefined;
    },
    async unpack(root, work, signal) {
      const file = join(work, 'archive.tar.gz');
      await download(archive, file, { ca, limits, signal });
      await mkdir(root);
      // -o: they belong to this user, as root, too.
      await run('tar', ['-x', '-o', '-z', '-f', file, '-C', root], { signal });
    },
  });
}

interface DownloadOptions {
  readonly ca: string | undefined;
  readonly limits: DownloadLimits;
  readonly signal: AbortSignal;
}

/**
 * Writes the archive into a file. @throws Error if it is incomplete, exceeds the limits, or is not the expected one
 */
async function download(
  { url, sha256 }: ReleaseArchive,
  file: string,
  options: DownloadOptions,
): Promise<void> {
  const { limits, signal } = options;
  const response = await open(new URL(url), options);
  const hash = createHash('sha256');
  let bytes = 0;
  async function* checked(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > limits.maxBytes) throw new Error(`it is larger than ${limits.maxBytes} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  }
  try {
    await pipeline(response, checked, createWriteStream(file), { signal });
  } catch (cause) {
    throw new Error(`the download ended after ${bytes} bytes: ${asError(cause).message}`, { cause });
  }
  const found = hash.digest('hex');
  if (found !== sha256) throw new Error(`expected the SHA-256 ${sha256}, found ${found}`);
}

/** The response that has the archive, after redirects. */
async function open(url: URL, options: DownloadOptions, redirects = 0): Promise<IncomingMessage> {
  if (url.protocol !== 'https:') throw new Error(`expected a redirect to https://, found ${url.protocol}//`);
  const response = await request(url, options);
  const { statusCode = 0, headers } = response;
  if (statusCode === 200) return response;
  response.destroy();
  if (statusCode < 300 || statusCode > 399 || headers.location === undefined)
    throw new Error(`${url.host} answered ${statusCode}`);
  if (redirects === maxRedirects)
    throw new Error(`more than ${maxRedirects} redirects, the last to ${url.host}`);
  return await open(new URL(headers.location, url), options, redirects + 1);
}

function request(url: URL, { ca, limits, signal }: DownloadOptions): Promise<IncomingMessage> {
  const { connectMs, silentMs } = limits;
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | undefined;
    const asked = get(url, { ca, signal, timeout: silentMs }, answer => {
      response = answer;
      resolve(answer);
    });
    const late = setTimeout(
      () => asked.destroy(new Error(`no connection to ${url.host} within ${connectMs / 1000} s`)),
      connectMs,
    );
    const connected = () => clearTimeout(late);
    asked.on('socket', socket => {
      if (socket.connecting) socket.once('secureConnect', connected);
      else connected();
    });
    asked.on('timeout', () =>
      (response ?? asked).destroy(new Error(`${url.host} sent nothing for ${silentMs / 1000} s`)),
    );
    asked.on('error', error => {
      connected();
      reject(error);
    });
  });
}
