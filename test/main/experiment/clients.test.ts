import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { expectConnections, findClients } from '../../../src/main/experiment/clients.ts';
import { planRun } from '../../../src/main/experiment/plan.ts';
import { readConfig } from '../../../src/main/experiment/read-config.ts';
import { expectSuitable } from '../../../src/main/run/preflight-side.ts';
import type { Target } from '../../../src/main/server/find-target.ts';
import { loopback, rejection } from '../../support/connections.ts';

/** A folder with a config and other files, by their paths. */
async function folderWith(
  scenarios: readonly Readonly<Record<string, unknown>>[],
  files: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ folder: string; config: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-clients-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.json');
  const text = JSON.stringify({
    name: 'a',
    target: { server: 'redis', url: 'redis://h' },
    scenarios,
    ...more,
  });
  for (const [path, content] of Object.entries({ ...files, 'config.json': text })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return { folder, config };
}

async function find(...[scenarios, files, more]: Parameters<typeof folderWith>) {
  const { folder, config } = await folderWith(scenarios, files, more);
  const [side] = planRun([await readConfig(config)]).sides;
  if (side === undefined) throw new Error('expected a side');
  // As where poolbench itself has no such package.
  const found = await findClients(side, { fallback: createRequire(join(folder, 'else', 'x.js')) });
  return { folder, clients: [...found.values()] };
}

const usable = 'export default { multiplexes: true, version: "1.2", open: async () => ({}) };';
const redisPackage = {
  'node_modules/redis/package.json': '{ "name": "redis", "version": "9.8.7", "main": "dist/main.js" }',
  'node_modules/redis/dist/main.js': 'exports.createClient = () => {};',
};

test('a package is taken from the folder of the config, with its version', async () => {
  const { folder, clients } = await find([{ client: ['node-redis', 'wire'] }], redisPackage);
  expect(clients).toEqual([
    {
      client: 'node-redis',
      package: 'redis',
      version: '9.8.7',
      file: join(folder, 'node_modules/redis/dist/main.js'),
    },
    { client: 'wire', package: null, version: null },
  ]);
});

test('clientsFrom names another folder, relative to that of the config', async () => {
  const elsewhere = Object.fromEntries(
    Object.entries(redisPackage).map(([path, content]) => [`v9/${path}`, content]),
  );
  const { clients } = await find([{ client: 'node-redis' }], elsewhere, { clientsFrom: 'v9' });
  expect(clients).toMatchObject([{ client: 'node-redis', version: '9.8.7' }]);
});

test("a user's module tells its version, and ioredis is poolbench's own", async () => {
  const files = { 'mine/client.mjs': usable };
  const { clients } = await find([{ client: ['./mine/client.mjs', 'ioredis'] }], files);
  expect(clients).toMatchObject([
    { client: './mine/client.mjs', package: null, version: '1.2' },
    { client: 'ioredis', package: 'ioredis', version: expect.stringMatching(/^\d+\./) },
  ]);
});

describe('what cannot be used is refused before the load, as a fault of the config', () => {
  const refusals: readonly [string, Parameters<typeof find>, RegExp][] = [
    [
      'all packages that are missing, in one message',
      [[{ client: ['node-redis', 'iovalkey', 'wire'] }]],
      /npm install redis iovalkey/,
    ],
    [
      'a version that is too old',
      [
        [{ client: 'node-redis' }],
        {
          ...redisPackage,
          'node_modules/redis/package.json':
            '{ "name": "redis", "version": "4.7.1", "main": "dist/main.js" }',
        },
      ],
      /redis 4\.7\.1, .* redis >=5/,
    ],
    [
      'a module that is not there',
      [[{ client: './none.mjs' }]],
      /\.\/none\.mjs at \S+none\.mjs cannot: no such file$/,
    ],
    [
      'a module that breaks',
      [[{ client: './a.mjs' }], { 'a.mjs': 'throw new Error("broken inside")' }],
      /broken inside/,
    ],
    [
      'a module with a syntax error, whose line is named',
      [[{ client: './a.mjs' }], { 'a.mjs': 'export default {\n  open( {},\n};' }],
      /\.\/a\.mjs at .* SyntaxError: .* \(line \d\)/,
    ],
    [
      'a module without the contract',
      [[{ client: './a.mjs' }], { 'a.mjs': 'export default { open() {} };' }],
      /multiplexes/,
    ],
    [
      'a shared pool of connections that serve one caller at a time',
      [
        [{ client: './a.mjs', pool: 'shared' }],
        { 'a.mjs': 'export default { multiplexes: false, open() {} };' },
      ],
      /multiplexes, .*\.\/a\.mjs/,
    ],
    [
      'options that poolbench sets itself',
      [[{ client: 'ioredis', clientOptions: { retryStrategy: 1, noDelay: false } }]],
      /found retryStrategy for ioredis/,
    ],
    [
      'such options within others',
      [[{ client: 'node-redis', clientOptions: { socket: { host: 'h' } } }], redisPackage],
      /socket\.host for node-redis/,
    ],
  ];

  test.each(refusals)('%s', async (_, given, message) => {
    const refusal = await find(...given).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'CLIENT_NOT_USABLE', exitCode: 2 });
    expect(String(refusal)).toMatch(message);
  });
});

/** Prepares a run with this module, up to its load. */
async function open(module: string): Promise<void> {
  const { config } = await folderWith([{ client: './mine.mjs' }], { 'mine.mjs': module });
  const [side] = planRun([await readConfig(config)]).sides;
  if (side === undefined) throw new Error('expected a side');
  await expectConnections((await findClients(side)).values(), side, loopback(1));
}

test('a module whose connections lack a function is refused before the load', async () => {
  const module = 'export default { multiplexes: true, open: async () => ({ ping() {}, close() {} }) };';
  expect(await rejection(open(module))).toMatchObject({
    code: 'CLIENT_NOT_USABLE',
    message: './mine.mjs: open() returned no function send',
  });
});

test('a module is checked in a separate thread and neither keeps this process alive nor ends it', async () => {
  const module = (open: string) => `
    globalThis.isLoaded = true;
    setInterval(() => {}, 1000);
    export default { multiplexes: true, open() { ${open} } };`;
  await open(module('throw new Error("no server")'));
  expect(globalThis).not.toHaveProperty('isLoaded');
  expect(await rejection(open(module('process.exit(3)')))).toMatchObject({ code: 'CLIENT_NOT_USABLE' });
});

test.each([
  ['node-redis', { cluster: [] }, {}, /a cluster, .*node-redis .*ioredis and wire can/],
  ['iovalkey', {}, { protocol: 3 }, /RESP3 .*iovalkey/],
  ['valkey-glide', {}, { path: '/s' }, /a unix socket, .*valkey-glide/],
  ['./mine.mjs', { cluster: [] }, {}, /a cluster, .*\.\/mine\.mjs/],
])('%s is refused on a target that it cannot load', (client, control, address, message) => {
  const target = { control, address } as unknown as Target;
  const plain = { control: {}, address: {} } as unknown as Target;
  expect(() => expectSuitable(['wire', 'ioredis'], target)).not.toThrow();
  expect(() => expectSuitable([client], plain)).not.toThrow();
  expect(() => expectSuitable(['wire', client], target)).toThrow(message);
});

describe('in a config', () => {
  let faults: (scenario: Readonly<Record<string, unknown>>) => Promise<string>;

  beforeAll(() => {
    faults = async scenario => {
      const { config } = await folderWith([scenario]);
      return await readConfig(config).then(() => 'none', String);
    };
  });

  test('a client is a name or a path', async () => {
    expect(await faults({ client: ['iovalkey', '/a/b.mjs', '../b.mjs'] })).toBe('none');
    expect(await faults({ client: 'node-redi' })).toMatch(/"node-redis" .*did you mean "node-redis"\?/);
    expect(await faults({ client: 'redis' })).toMatch(/did you mean "node-redis"\?/);
    expect(await faults({ client: 'mine/client.mjs' })).toMatch(
      /or the path of a module, such as "\.\/mine\/client\.mjs", found/,
    );
  });

  test('options are an object', async () => {
    expect(await faults({ clientOptions: [{}, { RESP: 2 }] })).toBe('none');
    expect(await faults({ clientOptions: 'RESP2' })).toMatch(/expected an object with options of the client/);
  });
});
