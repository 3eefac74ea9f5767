import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { replaceFile } from '../src/main/run/results/results-folder.ts';
import { createExperiment } from './support/experiment.ts';
import { connectObserver } from './support/observed-server.ts';
import { startRedis } from './support/servers.ts';

const cli = fileURLToPath(new URL('../dist/main/cli.js', import.meta.url));

test('a file that cannot be written whole leaves the one before it, is said, and ends the run with 2', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: ['wire', 'ioredis'], workers: 4 }],
    rounds: 12,
    seconds: 0.05,
    warmupSeconds: 0,
  });
  // No file may be larger than this many blocks of 512 bytes, which a result of several rounds is: a disk that is full
  // in the middle of a file. Without the trap the system would end whoever tries.
  const limited = `trap '' XFSZ; ulimit -f 100; exec "$@"`;
  const out = join(experiment.folder, 'results');
  const args = [process.execPath, cli, 'run', experiment.configPath, '--out', out];
  const child = spawn('sh', ['-c', limited, 'sh', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  const [code] = await once(child, 'close');

  expect(code, output.stderr).toBe(2);
  expect(output.stderr).toMatch(/^warning: .*: EFBIG/m);
  expect(output.stderr).toMatch(/^poolbench: .*EFBIG/m);
  expect(output.stderr).not.toMatch(/^\s+at |defect/m);
  // Neither result.json nor anything behind it was written in the end.
  expect(output.stderr).not.toMatch(/^Written/m);
  // What was measured is printed all the same.
  expect(output.stdout).toMatch(/e2e against redis/);
  expect(output.stdout).toMatch(/Warning: [^\n]*(\n.*)?results/);
  const folder = await experiment.resultsFolder();
  expect((await readdir(folder)).filter(name => name.endsWith('.part'))).toEqual([]);
  const { complete, scenarios } = await experiment.result();
  expect(complete).toBe(false);
  const [first] = scenarios;
  expect(first?.rounds.length).toBeGreaterThanOrEqual(1);
  expect(first?.rounds.length).toBeLessThan(12);
  for (const { rounds } of scenarios) expect(rounds).toHaveLength(first?.rounds.length ?? 0);
  expect(await (await connectObserver(server.url)).dbsize()).toBe(0);
});

test('what lies where a file is being written is replaced, never written through', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [file, victim] = [join(folder, 'report.md'), join(folder, 'victim')];
  await writeFile(victim, 'precious');
  await symlink(victim, `${file}.part`);
  await replaceFile(file, 'first');
  await writeFile(`${file}.part`, 'half a fi');
  await replaceFile(file, 'second');
  expect(await readFile(file, 'utf8')).toBe('second');
  expect(await readFile(victim, 'utf8')).toBe('precious');
  expect((await readdir(folder)).sort()).toEqual(['report.md', 'victim']);
});
