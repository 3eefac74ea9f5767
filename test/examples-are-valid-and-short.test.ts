import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { estimateSeconds, planRun } from '../src/main/experiment/plan.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';

const names = readdirSync('configs/examples').filter(name => name.endsWith('.json'));

test.each(names)('examples/%s is valid, points to the schema, and takes at most 30 s', async name => {
  const path = `configs/examples/${name}`;
  const text = await readFile(path, 'utf8');
  // Not read as a file: the certificates that tls.json names are made by its reader.
  const experiment = parseConfig(text, path);
  expect(experiment.$schema).toBe('../schema.json');
  expect(`${experiment.name}.json`).toBe(name);
  expect(estimateSeconds(planRun([experiment]))).toBeLessThanOrEqual(30);
});
