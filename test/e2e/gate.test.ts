import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createExperiment } from '../support/experiment.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startProxy } from '../support/proxy.ts';
import { ofTest, startRedis } from '../support/servers.ts';
import { readComparison, readSide } from '../support/session.ts';

const base = {
  scenarios: [{ client: 'wire', workers: 4 }],
  workload: { keys: 10 },
  rounds: { atLeast: 6, atMost: 20 },
  seconds: 0.15,
};

/** A versus of two servers of their own, the replies of each held back for so long. */
async function versus(condition: string, delaysMs: readonly [number, number]) {
  const [old, other] = await Promise.all(
    delaysMs.map(async delayMs => {
      const proxy = await startProxy((await ofTest(startRedis())).port);
      proxy.delayMs = delayMs;
      return proxy;
    }),
  );
  const urlOf = (proxy: typeof old) => `redis://127.0.0.1:${proxy?.port}/0`;
  const experiment = await createExperiment(urlOf(old), { ...base, name: 'old' });
  const { configPath } = await createExperiment(urlOf(other), { ...base, name: 'new' });
  const outcome = await runPoolbench([
    ...['versus', experiment.configPath, configPath, '--fail-if', condition],
    ...['--out', join(experiment.folder, 'results')],
  ]);
  const folder = await experiment.resultsFolder();
  return { ...outcome, folder, comparison: await readComparison(folder) };
}

test('a server that is 10 % slower fails the build with 98, as soon as that is decided', async () => {
  const { code, stdout, stderr, folder, comparison } = await versus('response.p50 > +3%', [20, 22]);
  expect(code, stderr).toBe(98);
  expect(comparison.gates).toMatchObject([
    { condition: 'response.p50 > +3%', side: 'new', outcome: 'beyond', runs: null },
  ]);
  expect(comparison.gates[0]?.ratio?.low).toBeGreaterThan(1.03);
  for (const name of ['old', 'new'])
    expect(await readSide(folder, name)).toMatchObject({ complete: true, ended: 'decided' });
  expect(stderr).toMatch(/^poolbench: GATE FAILED: response\.p50 > \+3%/m);
  expect(stdout).toContain('GATE FAILED');
  expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toContain('failures="1"');

  const sides = ['old', 'new'].map(name => join(folder, name));
  const again = (condition: string) => runPoolbench(['compare', ...sides, '--fail-if', condition]);
  expect((await again('response.p50 > +3%')).code).toBe(98);
  expect((await again('response.p50 > +90%')).code).toBe(0);
});

test('equal servers pass', async () => {
  const { code, stderr, comparison } = await versus('response.p50 > +50%', [5, 5]);
  expect(code, stderr).toBe(0);
  expect(comparison.gates).toMatchObject([{ outcome: 'within' }]);
});

test('two runs that were made apart decide nothing, and the exit code is 0', async () => {
  const server = await ofTest(startRedis());
  const run = async (name: string) => {
    const experiment = await createExperiment(server.url, { name });
    expect((await experiment.run()).code).toBe(0);
    return experiment.resultsFolder();
  };
  const folders = [await run('old'), await run('new')];
  const { code, stderr } = await runPoolbench(['compare', ...folders, '--fail-if', 'response.p50 > +5%']);
  expect(code).toBe(0);
  expect(stderr).toMatch(/GATE CANNOT TELL.*at least 6 runs.*found 1/);
});
