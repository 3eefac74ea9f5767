import { expect, onTestFinished, test } from 'vitest';
import { createSuites } from './support/ledger.ts';
import { startRedis, startValkey } from './support/servers.ts';

test('what is resumed must be of the target that was begun with, and measured in the same way', async () => {
  const [redis, valkey] = await Promise.all([startRedis(), startValkey()]);
  onTestFinished(async () => {
    await Promise.all([redis.stop(), valkey.stop()]);
  });
  const suites = await createSuites({ C1: 'first' });
  expect((await suites.run([redis.url])).code).toBe(0);
  const folder = await suites.ledgerFolder();
  const before = await suites.ledger();
  const resume = (target: string, ...more: string[]) => suites.run([target, '--resume', folder, ...more]);

  const other = await resume(valkey.url);
  expect(other.code, other.stderr).toBe(2);
  expect(other.stderr).toMatch(
    `expected the target of the ledger, any at ${redis.url}, found any at ${valkey.url}`,
  );

  // Another server at the same place.
  await redis.stop();
  const successor = await startValkey({ port: redis.port });
  onTestFinished(() => successor.stop());
  const changed = await resume(redis.url);
  expect(changed.code, changed.stderr).toBe(2);
  expect(changed.stderr).toMatch(/redis 7\S+ with 1 thread, .*valkey \d/);

  const longer = await resume(redis.url, '--rounds', '3');
  expect(longer.code, longer.stderr).toBe(2);
  expect(longer.stderr).toMatch(/--rounds.*--resume/);

  const none = await suites.run([redis.url, '--resume', suites.folder]);
  expect(none.code, none.stderr).toBe(2);
  expect(none.stderr).toMatch(/ledger\.json/);
  expect(await suites.ledger()).toEqual(before);
});
