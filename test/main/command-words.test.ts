import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseCommandLine } from '../../src/main/cli/command-line.ts';
import { shippedFile } from '../../src/main/command-words.ts';
import { parseConfig } from '../../src/main/experiment/read-config.ts';

/** The message of an error. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('Expected a refusal');
}

test('in poolbench’s own folder, files that come with it are named as in the docs', () => {
  expect(shippedFile('configs/smoke.json')).toBe('configs/smoke.json');
  expect(refusal(() => parseCommandLine([]))).toMatch(/\nTry: .*configs\/smoke\.json, or .* --help$/);
});

test('in a folder without them, messages name only what works there', async () => {
  const before = process.cwd();
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-empty-'));
  process.chdir(folder);
  onTestFinished(async () => {
    process.chdir(before);
    await rm(folder, { recursive: true });
  });
  const wrongOption = refusal(() => parseCommandLine([]));
  expect(wrongOption).toMatch(/\nTry: .* init, or .* --help$/);
  expect(wrongOption).not.toContain('smoke.json');
  const messages = [
    refusal(() => parseConfig('{}', 'x.json')),
    refusal(() => parseCommandLine(['x.json', '--fail-if', 'response.p99 > +5%'])),
    refusal(() => parseCommandLine(['search', 'redis://h'])),
  ];
  for (const message of messages) {
    const [file = ''] = /[^\s()]*configs\/\S+\.(?:md|json)/.exec(message) ?? [];
    expect([file, existsSync(file)]).toEqual([file, true]);
  }
});
