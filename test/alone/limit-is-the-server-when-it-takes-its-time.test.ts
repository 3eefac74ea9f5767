import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { measureLimit, startFirstInLine } from '../support/limit.ts';
import { connectObserver } from '../support/observed-server.ts';

test('the server limits when it holds writes back without using a core', async context => {
  const { url } = await startFirstInLine(context);
  const other = await connectObserver(url);
  // As a slow disk does, and unlike DEBUG SLEEP, this lets a PING pass.
  const holdWritesBack = async () => {
    while (other.status === 'ready') {
      await other.call('CLIENT', 'PAUSE', '1000', 'WRITE');
      await sleep(60);
      await other.call('CLIENT', 'UNPAUSE');
    }
  };
  holdWritesBack().catch(() => {});
  const config = { workload: { keys: 20, readShare: 0 }, scenarios: [{ client: 'wire', workers: 4 }] };
  expect(await measureLimit(context, url, config)).toMatch(
    /^server: .* ms a batch, a PING before the load .* ms, server main thread 0\.\d\d of a core: it took its time without using a core/,
  );
});
