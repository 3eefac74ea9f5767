import { expect, test } from 'vitest';
import { measureLimit, startFirstInLine } from '../support/limit.ts';
import { connectObserver } from '../support/observed-server.ts';

test('the server limits when its main thread is busy with the script of another client', async context => {
  const { url } = await startFirstInLine(context);
  const other = await connectObserver(url);
  const keepBusy = async () => {
    // Two at a time: the server must find the next one when it has done with one.
    while (other.status === 'ready')
      await Promise.all([0, 1].map(() => other.eval('for i = 1, 1e6 do end', 0))).catch(() => {});
  };
  void keepBusy();
  const config = { scenarios: [{ client: 'wire', workers: 4 }] };
  expect(await measureLimit(context, url, config)).toMatch(
    /^server: server main thread [01]\.\d\d of a core; /,
  );
});
