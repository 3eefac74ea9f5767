import fc from 'fast-check';
import { test } from 'vitest';
import { fuzzTargets } from '../support/fuzz/targets.ts';

/** The same inputs in every run; `npm run fuzz` tries others, for minutes. */
const seed = 20_261_126;
/** Of what takes microseconds, and of what takes a connection or a file each. */
const inputs = { quick: 200, slow: 40 };

for (const { name, open } of fuzzTargets) {
  test(`${name} (seed ${seed})`, async () => {
    const { property, close } = await open();
    try {
      await fc.assert(property, { seed, numRuns: property.isAsync() ? inputs.slow : inputs.quick });
    } finally {
      await close();
    }
  });
}
