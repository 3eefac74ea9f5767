import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { measureLimit, startFirstInLine } from '../support/limit.ts';

test('the machine limits when it has half as many cores as threads that want one', async context => {
  const { url } = await startFirstInLine(context);
  const pools = 2 * availableParallelism();
  const config = { scenarios: [{ client: 'wire', pools, workers: pools }] };
  expect(await measureLimit(context, url, config, { busyThreads: true, crowded: true })).toMatch(
    /^machine: threads ready without a core [2-9]\d % of the time, machine \d+ % busy /,
  );
});
