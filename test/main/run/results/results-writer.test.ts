import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ResultsWriter, stampOf } from '../../../../src/main/run/results/results-writer.ts';

async function makeWriter() {
  const folder = await mkdtemp(join(tmpdir(), 'writer-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'result.json');
  const writer = new ResultsWriter(folder, await stampOf(file));
  const write = (text: string) => writer.write([{ path: 'result.json', render: () => text }]);
  return { file, write };
}

test('the version of another command stays, and nothing more is written', async () => {
  const { file, write } = await makeWriter();
  expect(await write('1')).toMatchObject({ paths: ['result.json'], error: undefined });
  await writeFile(file, 'other');
  for (const text of ['2', '3']) {
    expect(await write(text)).toMatchObject({ paths: [], error: { code: 'RESULTS_NOT_WRITABLE' } });
  }
  expect(await readFile(file, 'utf8')).toBe('other');
});

test('a file with another time and another inode, but its own text, is its own version', async () => {
  const { file, write } = await makeWriter();
  await write('1');
  await utimes(file, 1, 1);
  expect(await write('2')).toMatchObject({ error: undefined });
  await rm(file);
  await writeFile(file, '2');
  expect(await write('3')).toMatchObject({ error: undefined });
  expect(await readFile(file, 'utf8')).toBe('3');
});
