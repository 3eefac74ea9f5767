import { expect, test } from 'vitest';
import { measureLimit, startFirstInLine } from '../support/limit.ts';

test('nothing limits when one worker and the server wait for each other on one machine', async context => {
  const { url } = await startFirstInLine(context);
  const config = { scenarios: [{ client: 'wire', workers: 1 }] };
  expect(await measureLimit(context, url, config)).toMatch(
    /^none: thread 0\.\d\d of a core, .* busy, server main thread 0\.\d\d of a core: (neither|nothing) was /,
  );
});
