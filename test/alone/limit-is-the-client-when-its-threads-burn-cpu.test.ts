import { expect, test } from 'vitest';
import { measureLimit, startFirstInLine } from '../support/limit.ts';

test('the client limits when its thread has a core all the time, and the late event loop is told', async context => {
  const { url } = await startFirstInLine(context);
  const config = { scenarios: [{ client: 'wire', workers: 1 }] };
  expect(await measureLimit(context, url, config, { busyThreads: true })).toMatch(
    /^client: thread [01]\.\d\d of a core, event loop \d+ % busy, .*event loop \d[\d.]* ms late \(p99\); /,
  );
});
