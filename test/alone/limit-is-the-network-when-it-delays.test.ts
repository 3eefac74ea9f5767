import { expect, test } from 'vitest';
import { measureLimit, startFirstInLine } from '../support/limit.ts';
import { startProxy } from '../support/proxy.ts';

test('the network limits when every round trip takes long and nothing is busy', async context => {
  const { port } = await startFirstInLine(context);
  const proxy = await startProxy(port);
  proxy.delayMs = 50;
  const config = { scenarios: [{ client: 'wire', workers: 2 }] };
  expect(await measureLimit(context, `redis://127.0.0.1:${proxy.port}`, config)).toMatch(
    /^network: .* ms a batch, a PING before the load .* ms: the time is round trips; /,
  );
});
