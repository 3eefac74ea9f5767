import { readdir, readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { startRedis } from './support/servers.ts';

const password = 'l1sted-s3cret';

/** Command lines of all processes, as everybody on the machine may see them. */
async function commandLines(): Promise<string> {
  const processes = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const lines = processes.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).join('\n').replaceAll('\0', ' ');
}

test.runIf(process.platform === 'linux')('a password in --url', async () => {
  const server = await startRedis({ args: ['--user', 'bench', 'on', `>${password}`, '~*', '&*', '+@all'] });
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, { seconds: 3600 });
  const url = server.url.replace('//', `//bench:${password}@`);
  const running = experiment.start([`--url=${url}`], { ownProcess: true });
  await running.said('Plan:');
  const seen = await commandLines();
  running.kill('SIGINT');
  expect((await running.outcome).code).toBe(130);
  // The test has told it to the server itself.
  const others = seen.split('\n').filter(line => !line.includes('--user bench'));
  expect(others.join('\n')).toContain(`--url=redis://bench@127.0.0.1:${server.port}`);
  expect(others.join('\n')).not.toContain(password);
});
