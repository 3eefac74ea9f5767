import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { renderJsonSchema } from '../src/main/experiment/json-schema.ts';

test('configs/schema.json is what the code would write (npm run schema)', async () => {
  const written = await readFile(new URL('../configs/schema.json', import.meta.url), 'utf8');
  expect(written).toBe(renderJsonSchema());
});
