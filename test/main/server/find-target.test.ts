import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import {
  describeAlerts,
  type ResolveOptions,
  resolveTarget,
  shownTarget,
  type Target,
} from '../../../src/main/server/find-target.ts';
import { freePort } from '../../../src/main/server/server-process.ts';
import { type DeclaredServer, serverFacts } from '../../../src/main/server/servers.ts';
import { bareMachine } from '../../support/bare-machine.ts';
import { ownPort } from '../../support/ports.ts';
import {
  shareServer,
  startRedis,
  startRedisWithTls,
  startValkey,
  type TestServer,
} from '../../support/servers.ts';

describe('target is found started or stood in for', () => {
  let folder: string;
  let bin: string;
  let cache: string;
  let said: string[];

  /** A machine without servers: PATH holds a few tools, and the cache folder is empty. */
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    bin = join(folder, 'bin');
    cache = join(folder, 'cache');
    said = [];
    await mkdir(bin);
    vi.stubEnv('PATH', [bin, inject('tools')].join(delimiter));
    vi.stubEnv('XDG_CACHE_HOME', cache);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  async function resolve(
    options: Partial<ResolveOptions> & { server: ResolveOptions['server'] },
  ): Promise<Target> {
    const target = await resolveTarget({
      url: `redis://localhost:${await ownPort()}/0`,
      standInAllowed: true,
      say: line => said.push(line),
      ...options,
    });
    onTestFinished(() => target.stop());
    return target;
  }

  /** The server's program under another name and place, as a script. */
  async function install(server: 'redis' | 'valkey', path: string, before = ''): Promise<void> {
    const { path: program, env } = inject('servers')[server];
    const variables = Object.entries(env).map(([name, value]) => `${name}='${value}'; export ${name}`);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, `#!/bin/sh\n${variables.join('\n')}\n${before}\nexec '${program}' "$@"\n`);
    await chmod(path, 0o755);
  }

  async function running(starting: Promise<TestServer>): Promise<TestServer> {
    const server = await starting;
    onTestFinished(() => server.stop());
    return server;
  }

  test('a server that runs at the URL is taken as it is, and left running', async () => {
    const server = await running(startValkey({ args: ['--requirepass', 's3cret'] }));
    const url = `redis://:s3cret@127.0.0.1:${server.port}/2`;
    const target = await resolve({ server: 'valkey', url });
    expect(target).toMatchObject({
      declared: { server: 'valkey', url: `redis://127.0.0.1:${server.port}/2` },
      detected: { server: 'valkey' },
      foundBy: `running at redis://127.0.0.1:${server.port}/2`,
      standIn: false,
      local: true,
      notes: [],
      address: { password: 's3cret', database: 2 },
    });
    await target.stop();
    const again = await resolve({ server: 'valkey', url });
    expect(again.detected.server).toBe('valkey');
  });

  test('clients are given the IP address of a host name', async () => {
    const server = await shareServer();
    const target = await resolve({ server: 'redis', url: `redis://localhost:${server.port}` });
    expect(target.address).toMatchObject({ host: '127.0.0.1', port: server.port });
    expect(target.foundBy).toBe(`running at redis://localhost:${server.port}`);
  });

  test('a server of another kind at the URL is a stand-in, or an error', async () => {
    const server = await shareServer();
    const target = await resolve({ server: 'dragonfly', url: server.url });
    expect(target).toMatchObject({ standIn: true, detected: { server: 'redis' } });
    expect(target.notes.join()).toMatch(/redis 7\S* .*dragonfly/);
    await expect(
      resolve({ server: 'dragonfly', url: server.url, standInAllowed: false }),
    ).rejects.toMatchObject({
      code: 'TARGET_NOT_AVAILABLE',
      message: expect.stringMatching(/dragonfly at .*redis/),
    });
  });

  test("a binary on PATH is started on the URL's own port, in memory only, and stopped", async () => {
    await install('valkey', join(bin, 'valkey-server'));
    const port = await ownPort();
    const target = await resolve({ server: 'valkey', url: `redis://localhost:${port}/3` });
    expect(target).toMatchObject({
      detected: { server: 'valkey', persistence: [] },
      foundBy: `binary ${join(bin, 'valkey-server')}, started on 127.0.0.1:${port}`,
      standIn: false,
      address: { host: '127.0.0.1', port, database: 3 },
    });
    await target.stop();
    // The port is free again: the next one starts there, too.
    expect((await resolve({ server: 'valkey', url: `redis://localhost:${port}` })).address.port).toBe(port);
  });

  test('a Docker image is run on the loopback, and its container removed', async () => {
    const log = join(folder, 'docker.log');
    await install('redis', join(folder, 'image', 'redis-server'));
    await writeFile(
      join(bin, 'docker'),
      `#!/bin/sh
echo "$@" >> '${log}'
case $1 in
  info) echo 27.0.1 ;;
  run)
    while [ "$1" != -p ]; do shift; done
    port=\${2#127.0.0.1:}; port=\${port%:6379}
    shift 4
    exec '${join(folder, 'image', 'redis-server')}' "$@" --port "$port" --bind 127.0.0.1 ;;
esac
`,
    );
    await chmod(join(bin, 'docker'), 0o755);
    await expect(resolve({ server: 'valkey', standInAllowed: false })).rejects.toThrow(/found redis/);
    await rm(log);

    const target = await resolve({ server: 'redis' });
    expect(target).toMatchObject({ standIn: false, detected: { server: 'redis' } });
    expect(target.foundBy).toMatch(/^Docker image redis:7, started on 127\.0\.0\.1:\d+$/);
    await target.stop();
    const calls = await readFile(log, 'utf8');
    const name = /--name (poolbench-redis-\w+) -p 127\.0\.0\.1:\d+:6379 redis:7/.exec(calls)?.[1];
    expect(calls).toMatch(`rm -f ${name}`);
  });

  test("the distribution's package that was unpacked before is started", async () => {
    const program = join(cache, 'poolbench', 'servers', 'redis', 'usr', 'bin', 'redis-server');
    await install('redis', program);
    const target = await resolve({ server: 'redis' });
    expect(target).toMatchObject({ standIn: false, detected: { server: 'redis' } });
    expect(target.foundBy).toMatch(/^distribution package, unpacked privately, started on 127\.0\.0\.1:\d+$/);
    expect(said).toContain(`redis: ${target.foundBy}`);
    expect(said.join('\n')).not.toMatch('fetching');
  });

  test('a release archive of Dragonfly that was unpacked before is started with the flags of Dragonfly', async context => {
    const { unpacked } = serverFacts('dragonfly');
    if (unpacked.from !== 'release archive') throw new Error('Dragonfly has no release archive');
    const archive = unpacked.archives[`${process.platform}-${process.arch}`];
    if (archive === undefined) return context.skip(`no release for ${process.platform} ${process.arch}`);
    const kept = join(cache, 'poolbench', 'servers', `dragonfly-${unpacked.version}`, archive.program);
    const log = join(folder, 'flags');
    // A Redis that understands them.
    await install(
      'redis',
      kept,
      `[ "$1" = --version ] && echo "dragonfly v1.2.3" && exit
echo "$@" > '${log}'
for word in "$@"; do
  case $word in --bind=*|--port=*|--dir=*) set -- "$@" "\${word%%=*}" "\${word#*=}" ;; esac
  shift
done`,
    );
    const target = await resolve({ server: 'dragonfly' });
    const { port } = target.address;
    expect(target.foundBy).toBe(`release archive, unpacked privately, started on 127.0.0.1:${port}`);
    expect(await readFile(log, 'utf8')).toMatch(
      new RegExp(
        `^--bind=127.0.0.1 --port=${port} --dir=\\S+ --dbfilename= --version_check=false --logtostderr\n$`,
      ),
    );
    expect(said.join('\n')).not.toMatch('fetching');
  });

  test('another server stands in, with a warning', async () => {
    await install('valkey', join(bin, 'valkey-server'));
    const target = await resolve({ server: 'dragonfly' });
    expect(target).toMatchObject({
      declared: { server: 'dragonfly' },
      detected: { server: 'valkey' },
      standIn: true,
      local: true,
    });
    expect(target.notes[0]).toMatch(/^stand-in: valkey \S+ .*dragonfly/);
    const place = `127.0.0.1:${target.address.port}`;
    expect(describeAlerts(target)).toEqual([
      expect.stringMatching(new RegExp(`^STAND-IN: valkey \\d\\S+ at ${place} .*dragonfly`)),
      expect.stringMatching(/^ {2}- dragonfly: binary on PATH: .*dragonfly/),
      '  - dragonfly: Docker image: no docker on PATH',
      expect.stringMatching(/^ {2}- dragonfly: release archive: .*tar/),
      expect.stringMatching(/^ {2}- redis: binary on PATH: .*redis-server/),
    ]);
    const { standInReason } = shownTarget(target);
    expect(standInReason?.split('; ')).toHaveLength(4);
    expect(standInReason).toContain('dragonfly: Docker image: no docker on PATH');
  });

  test('a binary that does not start is passed over, with its last words', async () => {
    await writeFile(
      join(bin, 'dragonfly'),
      '#!/bin/sh\n[ "$1" = --version ] && echo "dragonfly v1.0.0" && exit\necho "no io_uring here"; exit 1\n',
    );
    await chmod(join(bin, 'dragonfly'), 0o755);
    await install('redis', join(bin, 'redis-server'));
    const target = await resolve({ server: 'dragonfly' });
    expect(target).toMatchObject({ standIn: true, detected: { server: 'redis' } });
    expect(target.standInReasons).toContain('dragonfly: binary on PATH: it ended at once: no io_uring here');
  });

  test('a reason that holds for several servers is given once', async () => {
    const env = await bareMachine(join(folder, 'bare'));
    vi.stubEnv('PATH', env.PATH ?? '');
    const target = await resolve({ server: 'dragonfly' });
    expect(target).toMatchObject({ standIn: true, detected: { server: 'embedded' } });
    const reasons = target.standInReasons ?? [];
    expect(reasons.filter(reason => reason.includes('Docker daemon'))).toEqual([
      'dragonfly, redis, valkey: Docker image: no Docker engine answers: Cannot connect to the Docker daemon',
    ]);
    expect(reasons.filter(reason => reason.includes('no network'))).toEqual([
      expect.stringMatching(/^redis, valkey: distribution package: /),
    ]);
    expect(new Set(reasons).size).toBe(reasons.length);
  });

  test('if no server is available, the embedded one stands in', async () => {
    const target = await resolve({ server: 'redis' });
    expect(target).toMatchObject({ standIn: true, detected: { server: 'embedded' } });
    expect(target.foundBy).toMatch(/^embedded server, started on 127\.0\.0\.1:\d+$/);
    expect(target.standInReasons).toContain(
      'redis, valkey: distribution package: no apt-get here: not Debian or Ubuntu',
    );
    expect(existsSync(join(cache, 'poolbench'))).toBe(false);
  });

  test('an embedded server that cannot be started is one more step that led nowhere', async () => {
    const { execPath } = process;
    onTestFinished(() => {
      process.execPath = execPath;
    });
    process.execPath = join(folder, 'no-such-node');
    await expect(resolve({ server: 'redis' })).rejects.toMatchObject({
      code: 'TARGET_NOT_AVAILABLE',
      message: expect.stringMatching(/- embedded server: spawn .*no-such-node ENOENT/),
    });
  });

  test('without a stand-in the error names every step, and what to install', async () => {
    const error: unknown = await resolve({ server: 'dragonfly', standInAllowed: false }).catch(
      thrown => thrown,
    );
    expect(error).toMatchObject({ code: 'TARGET_NOT_AVAILABLE', exitCode: 3 });
    for (const part of [
      'no dragonfly on PATH',
      'no docker on PATH',
      'dragonfly: release archive: no tar on PATH',
      'docker run -d -p 6382:6379',
      '--no-stand-in',
    ]) {
      expect(String(error)).toContain(part);
    }
  });

  test('nothing is started for a server elsewhere, with TLS, with a password, or on a socket', async () => {
    await install('redis', join(bin, 'redis-server'));
    const port = await ownPort();
    for (const url of [
      'redis://no-such-host.invalid:6379',
      `rediss://localhost:${port}`,
      `redis://:s3cret@localhost:${port}`,
      `unix://${join(folder, 'redis.sock')}`,
    ]) {
      const error: unknown = await resolve({ server: 'redis', url }).catch(thrown => thrown);
      expect(error, url).toMatchObject({ code: 'TARGET_UNREACHABLE', exitCode: 3 });
      expect(String(error)).not.toContain('s3cret');
    }
    expect(said).toEqual([]);
  });

  test('a server that refuses is an error, not a reason to stand in', async () => {
    await install('redis', join(bin, 'redis-server'));
    const locked = await running(startRedis({ args: ['--requirepass', 's3cret'] }));
    await expect(resolve({ server: 'redis', url: locked.url })).rejects.toMatchObject({
      code: 'TARGET_REFUSED_LOGIN',
    });
    const tls = await running(startRedisWithTls());
    await expect(
      resolve({ server: 'redis', url: `redis://localhost:${tls.port}`, timeoutMs: 1000 }),
    ).rejects.toThrow(/use rediss:/);
    expect(said).toEqual([]);
  });

  test('a server that was started is stopped when its database index is out of range', async () => {
    await install('redis', join(bin, 'redis-server'));
    const port = await ownPort();
    await expect(resolve({ server: 'redis', url: `redis://localhost:${port}/99` })).rejects.toThrow(
      /database 99/,
    );
    expect(await freePort(port)).toBe(port);
  });
});

describe('server threads are given to whatever is started', () => {
  async function makeFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  async function resolveWithThreads(server: DeclaredServer, threads: number): Promise<Target> {
    const target = await resolveTarget({
      server,
      url: `redis://localhost:${await ownPort()}`,
      threads,
      standInAllowed: true,
      say: () => {},
    });
    onTestFinished(() => target.stop());
    return target;
  }

  test('Dragonfly as a binary and in Docker is told, and so is its stand-in', async () => {
    const folder = await makeFolder();
    const [bin, log] = [join(folder, 'bin'), join(folder, 'log')];
    await mkdir(bin);
    const programs = {
      dragonfly: `[ "$1" = --version ] && echo "dragonfly v1.0.0" && exit\necho "binary $@" >> '${log}'; exit 1`,
      docker: `[ "$1" = info ] && echo 27.0.1 && exit\necho "docker $@" >> '${log}'; exit 1`,
    };
    for (const [name, script] of Object.entries(programs)) {
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(bin, name), 0o755);
    }
    vi.stubEnv('PATH', [bin, process.env.PATH].join(delimiter));
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const target = await resolveWithThreads('dragonfly', 2);
    const calls = await readFile(log, 'utf8');
    expect(calls).toMatch(/^binary .*--proactor_threads=2$/m);
    expect(calls).toMatch(/^docker run .*dragonflydb\/dragonfly dragonfly .*--proactor_threads=2$/m);
    expect(target).toMatchObject({ standIn: true, detected: { threads: 2 } });
    expect(target.notes.join('\n')).not.toMatch(/server threads/);
  });

  test('a server that has other threads than it was started with is noted', async () => {
    const env = await bareMachine(await makeFolder());
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const target = await resolveWithThreads('redis', 2);
    expect(target).toMatchObject({ standIn: true, detected: { server: 'embedded', threads: 1 } });
    expect(target.notes.join('\n')).toMatch(/embedded \S+ was started with 2 server threads, but reports 1/);
  });
});
