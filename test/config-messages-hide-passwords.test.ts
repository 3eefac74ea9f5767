import { expect, test } from 'vitest';
import { applyOverrides } from '../src/main/experiment/overrides.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';

const secret = 's3cret';

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('Expected a refusal');
}

const scenarios = [{}];
const urls = [
  `redis://user:${secret}@host:0`,
  `redis://user:${secret}@host/db`,
  `redis://user:${secret}`.concat('@x@host:port'),
  `redis:/user:${secret}@host`,
  `http://:${secret}@host`,
  `user:${secret}@host`,
  `unix://user:${secret}@relative.sock`,
  `redis://host?password=${secret}`,
];

test.each(urls)('%s', url => {
  const config = { name: 'a', target: { server: 'redis', url }, scenarios };
  expect(messageOf(() => parseConfig(JSON.stringify(config), 'a.json'))).not.toContain(secret);

  const misplaced = {
    name: url,
    target: url,
    scenarios: [{ workers: [url], pool: { url } }],
    workload: [url],
  };
  expect(messageOf(() => parseConfig(JSON.stringify(misplaced), 'a.json'))).not.toContain(secret);

  const key = JSON.stringify(url);
  const repeated = `{ ${key}: 1, ${key}: 2, // ${url}\n }`;
  expect(messageOf(() => parseConfig(repeated, 'a.json'))).toContain('given twice');
  expect(messageOf(() => parseConfig(repeated, 'a.json'))).not.toContain(secret);

  const broken = JSON.stringify(config).replace('"scenarios"', 'scenarios');
  expect(messageOf(() => parseConfig(broken, 'a.json'))).not.toContain(secret);

  const good = parseConfig(
    '{"name":"a","target":{"server":"redis","url":"redis://h"},"scenarios":[{}]}',
    'a.json',
  );
  expect(messageOf(() => applyOverrides(good, { url }))).not.toContain(secret);
});
