import { expect, test } from 'vitest';
import { delayedVersus } from '../support/gate.ts';
import { readComparison } from '../support/session.ts';

test('a server whose replies take 10 % longer fails the build', async () => {
  const { code, stderr, folder } = await delayedVersus('response.p50 > +3%', [30, 33]);
  expect((await readComparison(folder)).gates).toMatchObject([{ outcome: 'beyond' }]);
  expect(code, stderr).toBe(98);
});
