import { expect, test } from 'vitest';
import { measureLimit, startFirstInLine } from '../support/limit.ts';

test('the pool limits when forty workers share two connections', async context => {
  const { url } = await startFirstInLine(context);
  const config = { scenarios: [{ client: 'wire', workers: 40, connectionsPerWorker: 0.05 }] };
  expect(await measureLimit(context, url, config)).toMatch(
    /^pool: 9\d % of the response time \(.* ms\) before the connection, up to 3[89] waiting; /,
  );
});
