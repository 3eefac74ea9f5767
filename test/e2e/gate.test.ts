import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { unhurried } from '../support/experiment.ts';
import { delayedVersus } from '../support/gate.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { buildResult, buildRound, buildScenario } from '../support/result-builder.ts';
import { readComparison, readSide } from '../support/session.ts';

/**
 * An open loop: a closed one would have a control on each side, and threads that are warmed for seconds. With more workers than
 * operations in a window: what a late thread leaves unsent makes a median a lower bound, which decides nothing.
 */
const scenarios = [{ client: 'wire', workers: 8, ...unhurried }];

test('a server that is slower fails the build with 98, as soon as that is decided', async () => {
  const { code, stdout, stderr, folder } = await delayedVersus('response.p50 > +5%', [5, 45], {
    // It ends as soon as it is decided: only a busy machine needs so many.
    rounds: { atLeast: 6, atMost: 30 },
    scenarios,
  });
  expect(code, stderr).toBe(98);
  const { gates } = await readComparison(folder);
  expect(gates).toMatchObject([
    { condition: 'response.p50 > +5%', side: 'new', outcome: 'beyond', runs: null },
  ]);
  expect(gates[0]?.ratio?.low).toBeGreaterThan(1.05);
  for (const name of ['old', 'new'])
    expect(await readSide(folder, name)).toMatchObject({ complete: true, ended: 'decided' });
  expect(stderr).toMatch(/^poolbench: GATE FAILED: response\.p50 > \+5%/m);
  expect(stdout).toContain('GATE FAILED');
  expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toContain('failures="1"');

  const again = (base: string, other: string) =>
    runPoolbench(['compare', join(folder, base), join(folder, other), '--fail-if', 'response.p50 > +5%']);
  expect((await again('old', 'new')).code).toBe(98);
  expect((await again('new', 'old')).code).toBe(0);
});

test('equal servers pass', async () => {
  // So slow that what a busy machine adds is little of it.
  const { code, stderr, folder } = await delayedVersus('response.p50 > +200%', [20, 20], {
    rounds: { atLeast: 6, atMost: 7 },
    scenarios,
  });
  expect(code, stderr).toBe(0);
  // A busy machine may leave it open.
  expect((await readComparison(folder)).gates).toMatchObject([
    { outcome: expect.stringMatching(/^(within|cannot tell)$/) },
  ]);
});

test('two runs that were made apart decide nothing, and the exit code is 0', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const files = ['old', 'new'].map(name => join(folder, `${name}.json`));
  const result = buildResult([buildScenario({}, [buildRound(1, 20_000)])]);
  for (const file of files) await writeFile(file, JSON.stringify(result));
  const { code, stderr } = await runPoolbench(['compare', ...files, '--fail-if', 'response.p50 > +5%']);
  expect(code).toBe(0);
  expect(stderr).toMatch(/GATE CANNOT TELL.*at least 6 runs.*found 1/);
});
