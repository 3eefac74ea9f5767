import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { estimateSeconds, planRun } from '../src/main/experiment/plan.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';

const readme = await readFile('configs/README.md', 'utf8');

/** Their certificates are made by their reader, so only what is in the configs can be looked at. */
test.each(['tls', 'unix-socket', 'sentinel'])('%s.json is valid, short, and explained', async name => {
  const path = `configs/examples/${name}.json`;
  const text = await readFile(path, 'utf8');
  const experiment = parseConfig(text, path);
  expect(experiment.name).toBe(name);
  expect(experiment.$schema).toBe('../schema.json');
  expect(estimateSeconds(planRun([experiment]))).toBeLessThanOrEqual(30);
  expect(readme).toContain(`\`examples/${name}.json\``);
  // The commands that start its server are of the place that it names.
  const place = /:(\d+)\/|:\/\/(\/[^"?]+)/.exec(experiment.target.url);
  expect(readme).toMatch(new RegExp(`(--tls-port|--unixsocket|port) ${place?.[1] ?? place?.[2]}\\b`));
});
