import { expect, test } from 'vitest';
import { applyOverrides } from '../src/main/experiment/overrides.ts';
import { estimateSeconds } from '../src/main/experiment/plan.ts';
import { readConfig } from '../src/main/experiment/read-config.ts';
import { readPlan } from '../src/main/experiment/read-plan.ts';

const experiment = await readConfig('configs/redis.json');

test('flags replace what the config says, and nothing else', () => {
  const overrides = { url: 'rediss://h:1/2', rounds: '7', seconds: '0.5', warmup: '0', seed: '9' };
  expect(applyOverrides(experiment, overrides)).toEqual({
    ...experiment,
    target: { ...experiment.target, url: 'rediss://h:1/2' },
    rounds: 7,
    seconds: 0.5,
    warmupSeconds: 0,
    seed: 9,
  });
  expect(applyOverrides(experiment, {})).toEqual(experiment);
});

test.each([
  [{ rounds: '0' }, '--rounds: expected a whole number from 1 to 1000, found 0'],
  [{ rounds: '2.5' }, '--rounds: expected a whole number from 1 to 1000, found 2.5'],
  [{ rounds: '' }, '--rounds: expected a whole number from 1 to 1000, found ""'],
  [{ seconds: 'ten' }, '--seconds: expected a number from 0.05 to 3600, found "ten"'],
  [{ seconds: '0x10' }, '--seconds: expected a number from 0.05 to 3600, found "0x10"'],
  [{ warmup: '-1' }, '--warmup: expected a number from 0 to 600, found -1'],
  [{ seed: '4294967296' }, '--seed: expected a whole number from 0 to 4294967295, found 4294967296'],
])('%o is refused', (overrides, message) => {
  expect(() => applyOverrides(experiment, overrides)).toThrow(
    expect.objectContaining({ code: 'USAGE', exitCode: 2, message }),
  );
});

test('all wrong flags are told at once', () => {
  const overrides = { url: 'localhost', rounds: 'x', seconds: '0', quick: true };
  expect(() => applyOverrides(experiment, overrides)).toThrow(/^--url: .*\n--rounds: .*\n--seconds: .*$/);
});

test('--quick cuts what the command line does not name', async () => {
  const quick = await readPlan(['configs/redis.json'], { quick: true, rounds: '4' });
  expect(quick.rounds).toHaveLength(4);
  expect(quick.sides[0]?.experiment.rounds).toBe(4);
  expect(quick.sides[0]?.experiment.seconds).toBeLessThan(experiment.seconds);
  expect(estimateSeconds(quick)).toBeLessThanOrEqual(30);

  const timed = await readPlan(['configs/redis.json'], { quick: true, seconds: '0.7', warmup: '0.1' });
  expect(timed.sides[0]?.experiment).toMatchObject({ rounds: 1, seconds: 0.7, warmupSeconds: 0.1 });
});

test('--quick with values that take longer is refused', async () => {
  await expect(readPlan(['configs/redis.json'], { quick: true, seconds: '10' })).rejects.toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: expect.stringContaining('--quick cannot fit 24 scenarios into 30 s with seconds as given'),
    }),
  );
});
