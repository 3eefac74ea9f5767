import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectControl } from '../../src/main/server/control.ts';
import { loopback, patient } from '../support/connections.ts';
import { createExperiment, type TestExperiment, unhurried } from '../support/experiment.ts';
import { startSlowly } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

let redis: TestServer;
let valkey: TestServer;

beforeAll(async () => {
  redis = await shareServer();
  valkey = await shareServer('valkey');
});

async function keysLeft(server: TestServer): Promise<number> {
  const control = await connectControl(loopback(server.port), patient);
  try {
    return Number(await control.call('DBSIZE'));
  } finally {
    control.close();
  }
}

/** An experiment whose script, beside its config, is this text. */
async function createScripted(
  url: string,
  text: string,
  { workload, ...config }: Readonly<Record<string, unknown>> = {},
): Promise<TestExperiment> {
  const experiment = await createExperiment(url, {
    scenarios: [{ workers: 4, ...unhurried }],
    seconds: 0.2,
    ...config,
    workload: { keys: 200, script: './session.mjs', ...(workload as object) },
  });
  await writeFile(join(experiment.folder, 'session.mjs'), text);
  return experiment;
}

describe('a run of a script', () => {
  test('has its sessions as operations, its steps in result and report, begins each measurement without keys, and leaves none', async () => {
    const experiment = await createScripted(
      valkey.url,
      `export default async ({ client, key, step, think }) => {
        const name = key();
        const times = await step('write', () => client.incr(name));
        if (times > 1) throw Object.assign(new Error('it was there'), { code: 'OLD' });
        await think(2);
        await step('read', () => client.get(name));
      };`,
      // Each key once at most.
      { workload: { keys: 5000, keyChoice: { kind: 'sequential' } }, rounds: 2 },
    );
    expect(await experiment.run()).toMatchObject({ code: 0 });
    const { scenarios, config, warnings, files } = await experiment.result();
    expect(config.workload).toMatchObject({ script: join(experiment.folder, 'session.mjs') });
    const text = await readFile(join(experiment.folder, 'session.mjs'));
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(files).toEqual([{ key: 'workload.script', file: 'session.mjs', sha256 }]);
    const rounds = scenarios[0]?.rounds ?? [];
    expect(rounds).toHaveLength(2);
    for (const { issued, completed, script, ...round } of rounds) {
      expect(completed).toBeGreaterThan(0);
      expect(round).toMatchObject({ failed: {}, serverCalls: null, unfinished: 0 });
      expect(issued).toBe(completed);
      expect(script).toMatchObject({
        commands: 2 * completed,
        steps: [
          { name: 'write', completed, failed: 0 },
          { name: 'read', completed, failed: 0 },
        ],
        messages: {},
      });
      expect(script?.counted?.server).toBe(script?.counted?.sent);
      expect(script?.counted?.sent).toBeGreaterThan(0);
    }
    expect(warnings.filter(line => /counted/.test(line))).toEqual([]);
    const report = await readFile(join(await experiment.resultsFolder(), 'report.md'), 'utf8');
    expect(report).toMatch(/\| *write *\|/);
    expect(await keysLeft(valkey)).toBe(0);
  });

  test('in which sessions fail says why', async () => {
    const experiment = await createScripted(
      redis.url,
      `export default async ({ client }) => { await client.get('other'); };`,
    );
    const { code, stdout } = await experiment.run();
    expect(code).toBe(1);
    expect(stdout).toContain('FOREIGN_KEY');
    const { scenarios } = await experiment.result();
    expect(Object.keys(scenarios[0]?.rounds[0]?.failed ?? {})).toEqual(['FOREIGN_KEY']);
  });
});

describe('a script that cannot be used ends a run before a server is looked for', () => {
  test.each([
    ['has no function', 'export default 42;', /its default export is not a function/],
    ['has a fault of syntax', 'export default async () => {\n  const a = ;\n};', /SyntaxError.*\(line 2\)/],
    ['fails as it is loaded', `throw new Error('no database')`, /no database/],
    ['imports what is not there', `import './none.mjs';`, /none\.mjs/],
  ])('if it %s', async (_, text, reason) => {
    const experiment = await createScripted('redis://127.0.0.1:1', text);
    const { code, stderr } = await experiment.run();
    expect(code).toBe(2);
    expect(stderr).toMatch(reason);
    expect(stderr).toContain('session.mjs');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr).not.toContain('127.0.0.1:1');
  });

  test.each([
    ['is not there', './none.mjs', /found \S+none\.mjs: no such file$/m],
    ['is a folder', '.', /found \S+: a folder$/m],
  ])('if it %s', async (_, script, reason) => {
    const experiment = await createExperiment('redis://127.0.0.1:1', {
      workload: { script },
      scenarios: [{ workers: 4 }],
    });
    expect(await experiment.run()).toMatchObject({ code: 2, stderr: expect.stringMatching(reason) });
  });

  test('if the load is on agents, which run no code of others', async () => {
    const experiment = await createScripted('redis://127.0.0.1:1', 'export default async () => {};');
    const { code, stderr } = await experiment.run(['--agents', '1', '--control', 'redis://127.0.0.1:2']);
    expect(code).toBe(2);
    expect(stderr).toContain('--agents');
    expect(stderr).toContain('session.mjs');
  });
});

describe('examples', async () => {
  const folder = fileURLToPath(new URL('../../configs/examples/', import.meta.url));
  const names = (await readdir(`${folder}scripts`)).map(file => file.replace(/\.mjs$/, ''));

  test.each(names)(
    '%s runs without a failed session, and its commands are those that the server counts',
    async name => {
      const text = await readFile(join(folder, `${name}.json`), 'utf8');
      // Most are closed loops of 50 workers, which would take all of the CPU.
      const config = text.replace('"workers": 50', '"workers": 4').replace('./scripts/', `${folder}scripts/`);
      const experiment = await createExperiment('');
      await writeFile(experiment.configPath, config);
      // Without a warm-up a window cannot be missed on a busy machine.
      const flags = ['--rounds', '1', '--seconds', '0.2', '--warmup', '0'];
      const { code, stdout, stderr } = await experiment.run([
        '--url',
        await startSlowly(redis.port),
        ...flags,
      ]);
      expect(code, `${stderr}${stdout}`).toBe(0);
      const { scenarios } = await experiment.result();
      for (const { rounds } of scenarios) {
        const [round] = rounds;
        expect(round?.completed).toBeGreaterThan(0);
        expect(round?.failed).toEqual({});
        expect(round?.script?.steps.length).toBeGreaterThan(0);
        const { sent = 0, server = 0 } = round?.script?.counted ?? {};
        expect(sent).toBeGreaterThan(0);
        expect(server).toBe(sent);
      }
      expect(await keysLeft(redis)).toBe(0);
    },
  );
});
