/**
 * `npm run fuzz [SECONDS [SEED]]`: random and damaged input, for so many seconds (240) over all targets, from a seed that is
 * printed. Ends with 1 at the first input that is not taken as it must be, and shows the smallest one found.
 */
import fc from 'fast-check';
import { fuzzTargets } from '../test/support/fuzz/targets.ts';

const seconds = Number(process.argv[2] ?? 240);
const seed = Number(process.argv[3] ?? Math.trunc(Math.random() * 2 ** 31));
if (!(seconds > 0) || !Number.isSafeInteger(seed))
  throw new Error('Expected npm run fuzz [SECONDS [SEED]], both numbers');
const secondsEach = seconds / fuzzTargets.length;

console.log(`Fuzzing ${fuzzTargets.length} targets for ${secondsEach.toFixed(0)} s each, seed ${seed}`);
let faults = 0;
for (const { name, open } of fuzzTargets) {
  const { property, close } = await open();
  const startMs = performance.now();
  const { failed, numRuns, counterexample, errorInstance } = await fc.check(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: secondsEach * 1000,
    markInterruptAsFailure: false,
  });
  await close();
  const tookSeconds = (performance.now() - startMs) / 1000;
  const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
  console.log(
    `${name}: ${numRuns.toLocaleString('en-US')} inputs in ${tookSeconds.toFixed(0)} s, heap ${heapMb.toFixed(0)} MB, ` +
      `${failed ? `FAILED with ${errorInstance} at ${fc.stringify(counterexample)}` : 'nothing found'}`,
  );
  if (failed) faults++;
}
process.exitCode = faults > 0 ? 1 : 0;
