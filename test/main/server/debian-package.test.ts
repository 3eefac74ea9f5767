import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { privateSources } from '../../../src/main/server/debian-package.ts';
import { findUnpacked } from '../../../src/main/server/find-server.ts';

let folder: string;
let said: string[];
const say = (line: string) => said.push(line);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  said = [];
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  vi.stubEnv('PATH', `${join(folder, 'bin')}${delimiter}${process.env.PATH}`);
  await tool('ldd', 'echo "  libc.so.6 => /lib/libc.so.6"');
  await tool(
    'dpkg',
    `mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"
{ echo '#!/bin/sh'; echo 'echo "Redis server v=7.0.15"'; } > "$3/usr/bin/redis-server" && chmod +x "$3/usr/bin/redis-server"`,
  );
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function tool(name: string, script: string): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'bin', name), 0o755);
}

const answering = `
echo "$@" >> "$0.log"
case " $* " in
  *" -s "*)
    echo "Inst liblzf1 (3.6-3 Debian:12 [amd64])"
    echo "Inst redis-tools [5:7.0.11-1] (5:7.0.15-1 Debian:12 [amd64])"
    echo "Conf redis-tools (5:7.0.15-1 Debian:12 [amd64])" ;;
  *" download "*) echo package > a.deb ;;
esac`;

test('exactly what is missing is fetched, said before, and kept for the next time', async () => {
  await tool('apt-get', answering);
  const home = join(folder, 'cache', 'poolbench', 'servers');
  const expected = {
    path: join(home, 'redis', 'usr', 'bin', 'redis-server'),
    env: { LD_LIBRARY_PATH: expect.stringContaining(join(home, 'redis', 'usr', 'lib', 'x86_64-linux-gnu')) },
    from: 'distribution package',
    version: '7.0.15',
  };
  expect(await findUnpacked('redis', say)).toEqual(expected);
  expect(said.join()).toMatch(/redis-server, redis-tools /);
  const calls = (await readFile(join(folder, 'bin', 'apt-get.log'), 'utf8')).trim().split('\n');
  expect(calls).toHaveLength(2);
  expect(calls[1]).toMatch(/download liblzf1=3\.6-3 redis-tools=5:7\.0\.15-1$/);

  expect(await findUnpacked('redis', say)).toEqual(expected);
  expect(said).toHaveLength(1);
  expect(await readdir(home)).toEqual(['redis']);
});

test('several at once all get one complete server, and leave nothing else', async () => {
  await tool('apt-get', answering);
  const all = await Promise.all([1, 2].map(() => findUnpacked('redis', say)));
  const home = join(folder, 'cache', 'poolbench', 'servers');
  for (const found of all)
    expect(found).toMatchObject({ path: join(home, 'redis', 'usr', 'bin', 'redis-server') });
  expect(await readdir(home)).toEqual(['redis']);
});

test('one that does not run any more is replaced', async () => {
  await tool('apt-get', answering);
  const home = join(folder, 'cache', 'poolbench', 'servers');
  const program = join(home, 'redis', 'usr', 'bin', 'redis-server');
  await mkdir(join(program, '..'), { recursive: true });
  await writeFile(program, 'broken');
  expect(await findUnpacked('redis', say)).toMatchObject({ path: program, version: '7.0.15' });
  expect(await readdir(home)).toEqual(['redis']);
});

test('every failure is a reason, and leaves nothing behind', async () => {
  const home = join(folder, 'cache', 'poolbench', 'servers');
  await tool('apt-get', 'echo "E: Unable to locate package redis-server" >&2; exit 100');
  const unknown = await findUnpacked('redis', say);
  expect(unknown).toMatchObject({ reason: expect.stringMatching(/redis-server/) });

  await tool('apt-get', answering);
  await tool('ldd', 'echo "  libssl.so.3 => not found"');
  expect(await findUnpacked('redis', say)).toEqual({
    reason: 'the unpacked redis-server lacks libssl.so.3 on this system',
  });

  await tool('dpkg', 'exit 1');
  expect(await findUnpacked('redis', say)).toMatchObject({ reason: expect.any(String) });
  expect(await readdir(home)).toEqual([]);

  vi.stubEnv('XDG_CACHE_HOME', '/dev/null');
  expect(await findUnpacked('redis', say)).toMatchObject({
    reason: expect.stringMatching(/\/dev\/null/),
  });
});

test("private sources hold the release's own entries, and the distribution's backports", async () => {
  const parts = join(folder, 'apt', 'sources.list.d');
  await mkdir(parts, { recursive: true });
  await writeFile(join(folder, 'os-release'), 'ID=debian\nVERSION_CODENAME=bookworm\n');
  await writeFile(
    join(folder, 'apt', 'sources.list'),
    '# deb http://a.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://b.example/debian bookworm main contrib # ours\ndeb-src http://b.example/debian bookworm main\ndeb http://b.example/debian trixie main\n',
  );
  await writeFile(
    join(parts, 'debian.sources'),
    'Types: deb deb-src\n# a comment\nURIs: http://c.example/debian\nSuites: bookworm bookworm-updates trixie\nComponents: main\nSigned-By: /k.gpg\n\nEnabled: no\nTypes: deb\nURIs: http://d.example/debian\nSuites: bookworm\nComponents: main\n',
  );
  await writeFile(join(parts, 'other.list'), 'deb http://e.example/linux/debian bookworm stable\n');
  await writeFile(join(parts, 'off.list.disabled'), 'deb http://f.example/debian bookworm main\n');
  expect(await privateSources(folder)).toBe(`Types: deb
URIs: http://b.example/debian
Suites: bookworm bookworm-backports
Components: main contrib
Signed-By: /k.gpg

Types: deb
URIs: http://c.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /k.gpg

Types: deb
URIs: http://e.example/linux/debian
Suites: bookworm
Components: stable
`);
});
