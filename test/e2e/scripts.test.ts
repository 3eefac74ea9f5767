import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { failedOf } from '../../src/aggregate/stats/metrics.ts';
import { connectControl } from '../../src/main/server/control.ts';
import { loopback } from '../support/connections.ts';
import { createExperiment, type TestExperiment, unhurried } from '../support/experiment.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startRedis, startValkey, type TestServer } from '../support/servers.ts';

let redis: TestServer;
let valkey: TestServer;

beforeAll(async () => {
  [redis, valkey] = await Promise.all([startRedis(), startValkey()]);
});

afterAll(async () => {
  for (const server of [redis, valkey]) await server?.stop();
});

async function keysLeft(server: TestServer): Promise<number> {
  const control = await connectControl(loopback(server.port), { timeoutMs: 2000 });
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
  test('has its sessions as operations, its steps in result and report, and leaves no keys', async () => {
    const experiment = await createScripted(
      valkey.url,
      `export default async ({ client, key, value, step, think }) => {
        await step('write', () => client.set(key(), value()));
        await think(2);
        await step('read', () => client.get(key()));
      };`,
    );
    expect(await experiment.run()).toMatchObject({ code: 0 });
    const { scenarios, config, warnings, files } = await experiment.result();
    const [round] = scenarios[0]?.rounds ?? [];
    expect(config.workload).toMatchObject({ script: join(experiment.folder, 'session.mjs') });
    const text = await readFile(join(experiment.folder, 'session.mjs'));
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(files).toEqual([{ key: 'workload.script', file: 'session.mjs', sha256 }]);
    expect(round?.completed).toBeGreaterThan(0);
    expect(round).toMatchObject({ failed: {}, serverCalls: null, unfinished: 0 });
    expect(round?.issued).toBe(round?.completed);
    expect(round?.script).toMatchObject({
      commands: 2 * (round?.completed ?? 0),
      steps: [
        { name: 'write', completed: round?.completed, failed: 0 },
        { name: 'read', completed: round?.completed, failed: 0 },
      ],
      messages: {},
    });
    expect(round?.script?.counted?.server).toBe(round?.script?.counted?.sent);
    expect(round?.script?.counted?.sent).toBeGreaterThan(0);
    expect(warnings.filter(line => /counted/.test(line))).toEqual([]);
    const report = await readFile(join(await experiment.resultsFolder(), 'report.md'), 'utf8');
    expect(report).toMatch(/\| *write *\|/);
    expect(await keysLeft(valkey)).toBe(0);
  });

  test('begins each measurement without keys', async () => {
    const experiment = await createScripted(
      redis.url,
      `export default async ({ client, key }) => {
        if ((await client.incr(key())) > 1) throw Object.assign(new Error('it was there'), { code: 'OLD' });
      };`,
      {
        // Each key once at most.
        workload: { keys: 5000, keyChoice: { kind: 'sequential' } },
        ...{ rounds: 2, maxFailedShare: 0.5 },
      },
    );
    expect(await experiment.run()).toMatchObject({ code: 0 });
    const { scenarios } = await experiment.result();
    for (const round of scenarios[0]?.rounds ?? []) expect(failedOf(round)).toBe(0);
    expect(scenarios[0]?.rounds).toHaveLength(2);
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

  test('if it is not there', async () => {
    const experiment = await createExperiment('redis://127.0.0.1:1', {
      workload: { script: './none.mjs' },
      scenarios: [{ workers: 4 }],
    });
    expect(await experiment.run()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/none\.mjs.*no such file/),
    });
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
      const out = await mkdtemp(join(tmpdir(), 'poolbench-example-'));
      onTestFinished(() => rm(out, { recursive: true, force: true }));
      // Without a warm-up a window cannot be missed on a busy machine.
      const flags = ['--rounds', '1', '--seconds', '0.2', '--warmup', '0'];
      const args = ['run', join(folder, `${name}.json`), '--url', redis.url, '--out', out, ...flags];
      expect(await runPoolbench(args)).toMatchObject({ code: 0 });
      const [run = ''] = await readdir(out);
      const { scenarios } = resultSchema.parse(
        JSON.parse(await readFile(join(out, run, 'result.json'), 'utf8')),
      );
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
