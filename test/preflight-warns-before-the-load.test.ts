import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Control, connectControl } from '../src/main/server/control.ts';
import { claimKeySpace } from '../src/main/server/key-space.ts';
import { preflight } from '../src/main/server/preflight.ts';
import { parseAddress } from '../src/main/server/url.ts';
import { startValkey, type TestServer } from './support/servers.ts';

let server: TestServer;
let control: Control;
const needs = { connections: 10, keys: 1000, valueBytes: 32 };
const careful = { force: false };

beforeAll(async () => {
  server = await startValkey();
  control = await open();
});

afterAll(async () => {
  control?.close();
  await server?.stop();
});

function open(): Promise<Control> {
  return connectControl(parseAddress(`${server.url}/1`), { timeoutMs: 5000 });
}

test('a quiet, empty server gives no warning', async () => {
  expect(await preflight({ control }, needs, careful)).toEqual([]);
});

test('what would disturb the figures is said', async () => {
  const other = await open();
  onTestFinished(() => other.close());
  await claimKeySpace(control, { seed: 3, keys: 1 });
  await control.call('CONFIG', 'SET', 'save', '3600 1', 'appendonly', 'yes', 'maxmemory', '1100kb');
  const warnings = await preflight({ control }, needs, careful);
  await control.call('CONFIG', 'SET', 'save', '', 'appendonly', 'no', 'maxmemory', '0');
  await control.call('DEL', 'poolbench:3:claim');
  const expected = [
    /^1 other client connected/,
    /writes to disk \(append-only file, snapshots \(save 3600 1\)\)/,
    /the keys need about 0\.1 MiB, but of maxmemory 1\.1 MiB .* are used \(policy noeviction\)/,
    /other poolbench runs are there \(poolbench:3:\)/,
  ];
  expect(warnings).toHaveLength(expected.length);
  for (const [index, pattern] of expected.entries()) expect(warnings[index]).toMatch(pattern);
});

test('a server that admits fewer clients than the plan needs is an error with the numbers', async () => {
  await control.call('CONFIG', 'SET', 'maxclients', 20);
  onTestFinished(async () => {
    await control.call('CONFIG', 'SET', 'maxclients', 10_000);
  });
  expect(await preflight({ control }, { ...needs, connections: 19 }, careful)).toEqual([]);
  await expect(preflight({ control }, { ...needs, connections: 20 }, careful)).rejects.toMatchObject({
    code: 'TARGET_TOO_SMALL',
    message: expect.stringMatching(
      /opens 20 connections at once, but the server at \S+ admits 20 clients and has 1, so 19 are free; .*maxclients 37/,
    ),
  });
});

test.runIf(process.platform === 'linux')(
  'too low a limit of open files is an error with the numbers',
  async () => {
    await control.call('CONFIG', 'SET', 'maxclients', 10_000);
    const unlimited = {
      call: control.call.bind(control),
      info: async () => new Map(),
      address: control.address,
    };
    // A server that tells no maxclients leaves the decision to this process's own limit.
    const server = { value: control.server };
    const blind = Object.assign(Object.create(control, { server }), unlimited);
    await expect(
      preflight({ control: blind }, { ...needs, connections: 2 ** 31 }, careful),
    ).rejects.toMatchObject({
      code: 'TARGET_TOO_SMALL',
      message: expect.stringMatching(
        /this process may open \d+ files and has \d+; raise the limit \(ulimit -n \d+\)/,
      ),
    });
  },
);
