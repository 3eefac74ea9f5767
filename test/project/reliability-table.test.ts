import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { coveredElsewhere } from '../support/faults/covered-elsewhere.ts';
import { expectedRows, rowsOf } from '../support/faults/reliability-rows.ts';

test('docs/reliability.md has a row for every fault of the suite, and no other (npm run reliability)', async () => {
  const written = await readFile(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
  expect(rowsOf(written)).toEqual(expectedRows());
});

test('every group of tests that a row of that table names is in its file', async () => {
  for (const { test: file, about = '' } of coveredElsewhere) {
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(text, file).toMatch(new RegExp(`^(describe|test)(\\.\\w+)?\\(['"\`]?${about}`, 'm'));
  }
});
