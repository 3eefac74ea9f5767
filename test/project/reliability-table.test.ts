import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { expectedRows, rowsOf } from '../support/faults/reliability-rows.ts';

test('docs/reliability.md has a row for every fault of the suite, and no other (npm run reliability)', async () => {
  const written = await readFile(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
  expect(rowsOf(written)).toEqual(expectedRows());
});
