import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fillIn, readFindings, root, writeFindings } from '../../bench/findings-docs.ts';

test('the docs show what the kept ledgers say, in every part (npm run findings)', async () => {
  for (const [path, texts] of writeFindings(await readFindings())) {
    const written = await readFile(join(root, path), 'utf8');
    expect(written, path).toBe(fillIn(written, texts));
  }
});

test('servers that several ledgers compare are shown by the newest of them, with its date and version', async () => {
  const findings = await readFindings();
  const dates = findings.flatMap(({ versus }) => versus?.sides[0]?.startedAt.slice(0, 10) ?? []);
  for (const some of [findings, findings.toReversed()]) {
    const text = writeFindings(some).get('docs/tuning.md')?.get('versus');
    expect(text?.match(/(?<=, on )[\d-]+(?= by poolbench \d)/g)).toEqual([dates.toSorted().at(-1)]);
  }
});

test('a finding that a document has no place for is an error, and so is a place without a finding', () => {
  const document = '<!-- findings: one -->\nstale\n<!-- end of findings -->\nby hand';
  expect(fillIn(document, new Map([['one', 'new']]))).toBe(
    '<!-- findings: one -->\n\nnew\n<!-- end of findings -->\nby hand',
  );
  expect(() => fillIn(document, new Map())).toThrow('one');
  expect(() =>
    fillIn(
      document,
      new Map([
        ['one', ''],
        ['two', ''],
      ]),
    ),
  ).toThrow('two');
});
