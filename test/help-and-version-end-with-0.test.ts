import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runPoolbench } from './support/poolbench.ts';

test('--help prints the usage', async () => {
  const outcome = await runPoolbench(['--help']);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  for (const part of ['poolbench run CONFIG', 'poolbench check CONFIG', '--no-stand-in', '130 interrupted']) {
    expect(outcome.stdout).toContain(part);
  }
});

test('--version prints the version of package.json, and nothing else', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(await runPoolbench(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
});
