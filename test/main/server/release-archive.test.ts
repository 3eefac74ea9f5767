import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { findUnpacked } from '../../../src/main/server/find-server.ts';
import { unpackRelease } from '../../../src/main/server/release-archive.ts';
import type { ReleaseArchive } from '../../../src/main/server/servers.ts';
import { ownPort } from '../../support/ports.ts';
import { certificates } from '../../support/servers.ts';

const program = 'dragonfly-x86_64';
/** A release, and an archive without the program. */
let release: Buffer;
let other: Buffer;
let ca: string;

beforeAll(async () => {
  ca = await readFile(certificates.ca, 'utf8');
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  const pack = async (name: string) => {
    await writeFile(join(folder, name), '#!/bin/sh\necho "dragonfly v1.2.3"\n');
    await chmod(join(folder, name), 0o755);
    const words = ['-czf', join(folder, 'archive'), '-C', folder, name];
    execFileSync('tar', words, { env: { PATH: inject('usersPath') } });
    return await readFile(join(folder, 'archive'));
  };
  release = await pack(program);
  other = await pack('another');
  await rm(folder, { recursive: true });
});

let cache: string;
let said: string[];

beforeEach(async () => {
  vi.stubEnv('PATH', inject('usersPath'));
  cache = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  said = [];
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true, force: true });
  });
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** An HTTPS server of localhost, until the test ends. @returns its URL, and a count of its requests */
async function serve(answer: Answer): Promise<{ readonly url: string; readonly asked: readonly string[] }> {
  const [cert, key] = await Promise.all([readFile(certificates.certificate), readFile(certificates.key)]);
  const asked: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(request.url ?? '');
    answer(response, request);
  });
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://localhost:${(server.address() as AddressInfo).port}/archive.tar.gz`, asked };
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Longer than anything takes on a busy machine. A test of a limit sets its own. */
const limits = { connectMs: 60_000, silentMs: 60_000, totalMs: 60_000, maxBytes: 1 << 20 };

interface Given {
  readonly expects?: Buffer;
  readonly trusts?: string;
  readonly limits?: Partial<typeof limits>;
}

function unpack(url: string, { expects = release, trusts = ca, limits: given }: Given = {}) {
  const archive: ReleaseArchive = { url, sha256: sha256(expects), program };
  return unpackRelease(
    { name: 'dragonfly', cache, folder: 'dragonfly-1.2.3', archive },
    {
      say: line => said.push(line),
      runs: async ({ path }) => String(execFileSync(path, ['--version'])).includes('v1.2.3'),
      ca: trusts,
      limits: { ...limits, ...given },
    },
  );
}

const whole: Answer = response => response.end(release);

test('a release is announced, fetched, checked, unpacked, and kept for the next time', async () => {
  const { url, asked } = await serve(whole);
  const expected = { path: join(cache, 'dragonfly-1.2.3', program), env: {} };
  expect(await unpack(url)).toEqual(expected);
  expect(said).toEqual([expect.stringContaining(url)]);
  expect(await unpack(url)).toEqual(expected);
  expect(asked).toHaveLength(1);
  expect(await readdir(cache)).toEqual(['dragonfly-1.2.3']);
});

test('redirects are followed over HTTPS only', async () => {
  const { url } = await serve(whole);
  const moved = await serve(response => response.writeHead(302, { location: url }).end());
  expect(await unpack(moved.url)).toMatchObject({ path: join(cache, 'dragonfly-1.2.3', program) });
  await rm(join(cache, 'dragonfly-1.2.3'), { recursive: true });
  const plain = await serve(response => response.writeHead(302, { location: 'http://localhost/' }).end());
  expect(await unpack(plain.url)).toEqual({ reason: expect.stringMatching(/https:.*http:/) });
  const circle = await serve(response => response.writeHead(302, { location: '/' }).end());
  expect(await unpack(circle.url)).toEqual({ reason: expect.stringMatching(/redirects/) });
  expect(circle.asked).toHaveLength(6);
});

test('several at once all get one complete program, and leave nothing else', async () => {
  const { url } = await serve(whole);
  const path = join(cache, 'dragonfly-1.2.3', program);
  for (const found of await Promise.all([1, 2, 3].map(() => unpack(url))))
    expect(found).toMatchObject({ path });
  expect(await readdir(cache)).toEqual(['dragonfly-1.2.3']);
});

const cutOff: Answer = response => response.write(release.subarray(0, 50), () => response.destroy());

const failures: readonly (readonly [what: string, answer: Answer, given: () => Given, reason: RegExp])[] = [
  ['another archive', response => response.end(other), () => ({}), /SHA-256/],
  [
    'half an archive whose length was announced',
    (response, request) => {
      response.setHeader('content-length', release.length);
      cutOff(response, request);
    },
    () => ({}),
    /after 50 bytes/,
  ],
  ['half an archive', cutOff, () => ({}), /after 50 bytes/],
  [
    'half an archive that seems complete',
    response => response.end(release.subarray(0, 50)),
    () => ({}),
    /SHA-256/,
  ],
  [
    'a server that falls silent',
    response => response.write(release.subarray(0, 50)),
    () => ({ limits: { silentMs: 100 } }),
    /after 50 bytes: .*nothing for 0\.1 s/,
  ],
  ['a server that does not answer', () => {}, () => ({ limits: { silentMs: 100 } }), /nothing for 0\.1 s/],
  [
    'an archive that trickles in',
    response => {
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    },
    () => ({ limits: { totalMs: 300 } }),
    /not done within 0\.3 s/,
  ],
  ['one that is too large', whole, () => ({ limits: { maxBytes: 60 } }), /larger than 60 bytes/],
  ['no such file', response => response.writeHead(404).end('none'), () => ({}), /answered 404/],
  ['a certificate of an unknown authority', whole, () => ({ trusts: '' }), /certificate/],
  [
    'an archive without the program',
    response => response.end(other),
    () => ({ expects: other }),
    /holds no dragonfly/,
  ],
  [
    'no archive',
    response => response.end('text'),
    () => ({ expects: Buffer.from('text') }),
    /could not be fetched/,
  ],
];

test.each(failures)(
  '%s is a reason to go on without, and leaves nothing behind',
  async (_, answer, given, reason) => {
    const { url } = await serve(answer);
    expect(await unpack(url, given())).toEqual({ reason: expect.stringMatching(reason) });
    expect(await readdir(cache)).toEqual([]);
  },
);

describe('without a network', () => {
  test('a refusal is known at once, and a connection that does not stand is not waited for', async () => {
    const refused = await unpack(`https://127.0.0.1:${await ownPort()}/a`);
    expect(refused).toEqual({ reason: expect.stringMatching(/ECONNREFUSED/) });
    // It accepts, and says nothing.
    const silent = createTcpServer();
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      silent.close();
    });
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/a`;
    expect(await unpack(url, { limits: { connectMs: 100 } })).toEqual({
      reason: expect.stringMatching(/no connection .*0\.1 s/),
    });
  });

  test('nothing is asked for that could not be used', async () => {
    const { url, asked } = await serve(whole);
    expect(await unpack(url.replace('https', 'http'))).toEqual({ reason: expect.stringMatching(/https:/) });
    expect(await unpack('nowhere')).toEqual({ reason: expect.stringMatching(/https:.*nowhere/) });
    const unknown = { name: 'dragonfly', cache, folder: 'dragonfly-1.2.3', archive: undefined };
    const found = await unpackRelease(unknown, { say: () => {}, runs: async () => true });
    expect(found).toEqual({ reason: expect.stringMatching(/checksum/) });
    vi.stubEnv('PATH', inject('tools'));
    expect(await unpack(url)).toEqual({ reason: 'no tar on PATH' });
    expect(asked).toEqual([]);
    expect(said).toEqual([]);
  });
});

test.runIf(process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch))(
  'a mirror is asked instead of the real place, for the same checksum, and its login is not shown',
  async () => {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    const port = await ownPort();
    vi.stubEnv('POOLBENCH_DRAGONFLY_URL', `https://me:s3cret@127.0.0.1:${port}/dragonfly.tar.gz`);
    const found = await findUnpacked('dragonfly', line => said.push(line));
    expect(found).toEqual({ reason: expect.stringContaining(`127.0.0.1:${port}`) });
    expect(said).toEqual([expect.stringContaining(`@127.0.0.1:${port}/dragonfly.tar.gz`)]);
    expect(JSON.stringify([found, said])).not.toContain('s3cret');
    expect(await readdir(join(cache, 'poolbench', 'servers'))).toEqual([]);
  },
);
