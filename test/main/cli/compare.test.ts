import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { comparisonSchema } from '../../../src/aggregate/comparison/schema.ts';
import type { Result } from '../../../src/aggregate/result.ts';
import { compare as compareCommand } from '../../../src/main/cli/compare.ts';
import { rejection } from '../../support/connections.ts';
import { runPoolbench } from '../../support/poolbench.ts';
import { buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

const config = { workload: { keys: 100, valueBytes: 32 }, rounds: 6, seconds: 1, warmupSeconds: 0.25 };

function build(name: string, changes: Partial<Result> = {}, workers = 10): Result {
  const rounds = [1, 2, 3, 4, 5, 6].map(round => buildRound(round, 20_000));
  return buildResult([buildScenario({ workers }, rounds)], { name, config, claims: [], ...changes });
}

/** Each in a folder of its own, as runs leave them. */
async function write(...results: readonly unknown[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return Promise.all(
    results.map(async (result, index) => {
      const path = join(folder, `run-${index}`);
      await mkdir(path);
      await writeFile(
        join(path, 'result.json'),
        typeof result === 'string' ? result : JSON.stringify(result),
      );
      return path;
    }),
  );
}

const compare = (...args: string[]) => runPoolbench(['compare', ...args]);

test('runs of one workload are compared, from their folders and from their files', async () => {
  const paths = await write(build('redis'), build('valkey'), build('valkey'));
  const { code, stdout, stderr } = await compare(...paths);
  expect(code, stderr).toBe(0);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^valkey and valkey-2 against redis\n/);
  expect(stdout).toMatch(/×1\.00 \[1\.00, 1\.00\]/);
  const json = await compare(...paths.map(path => join(path, 'result.json')), '--json');
  expect(json.code).toBe(0);
  const comparison = comparisonSchema.parse(JSON.parse(json.stdout));
  expect(comparison.sides.map(({ name }) => name)).toEqual(['redis', 'valkey', 'valkey-2']);
});

test('the faults of all results are shown at once', async () => {
  const paths = await write('{', build('redis'), 'oops');
  const refused = await compare(...paths, 'nowhere');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(
    /run-0\S* expected [^\n]*\n\S*run-2\S* expected [^\n]*\nnowhere: expected [^\n]*\n$/,
  );
});

test('unequal workloads are refused, unless forced', async () => {
  const other = { ...config, workload: { keys: 100, valueBytes: 64 } };
  const paths = await write(build('redis'), build('valkey', { config: other }));
  const refused = await compare(...paths);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(/^poolbench: .*valueBytes 32 in redis and 64 in valkey; .*--force.*\n$/);
  const forced = await compare(...paths, '--force');
  expect(forced.code, forced.stderr).toBe(0);
  expect(forced.stdout).toMatch(/not ok +workload: redis: \{"keys":100,"valueBytes":32\}/);
});

test('runs without a common scenario are refused, unless forced', async () => {
  const paths = await write(build('redis'), build('valkey', {}, 11));
  expect(await rejection(compareCommand(paths, {}))).toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/none in valkey/),
  });
  const forced = await compare(...paths, '--force');
  expect(forced.code, forced.stderr).toBe(0);
  expect(forced.stdout).toContain('valkey: no scenario');
});

test('what is no result is refused by name', async () => {
  const [good = '', bad = '', deep = ''] = await write(build('redis'), '{"schemaVersion": 1}', 'not JSON');
  for (const path of [bad, deep, join(good, 'missing')]) {
    const refused = await rejection(compareCommand([good, path], { force: true }));
    expect(refused).toMatchObject({ exitCode: 2, message: expect.stringMatching(/^.*: expected /) });
    expect(refused.message).toContain(path);
  }
});
