import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { connectObserver } from './support/observed-server.ts';
import { startRedis } from './support/servers.ts';

const cli = fileURLToPath(new URL('../dist/main/cli.js', import.meta.url));

/** Runs poolbench with all of its output going into `head -n 1`, which closes the pipe; its exit code goes to a file. */
const intoHead = '("$@" 2>&1; echo $? > "$0") | head -n 1';

test('a reader that has seen enough ends neither a run nor its tidying up', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url);
  const codeFile = join(experiment.folder, 'code');
  const through = async (...args: string[]) => {
    const command = [process.execPath, cli, ...args];
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', intoHead, codeFile, ...command]);
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toHaveLength(2);
    expect(await readFile(codeFile, 'utf8')).toBe('0\n');
    return stdout;
  };
  expect(await through('--help')).toMatch(/^poolbench: does another pool/);
  expect(await through('check', experiment.configPath)).toMatch(/^Target: redis/);
  const out = join(experiment.folder, 'results');
  expect(await through(experiment.configPath, '--out', out)).toMatch(/^Target: redis/);
  expect((await experiment.result()).complete).toBe(true);
  expect(await (await connectObserver(server.url)).dbsize()).toBe(0);
});
