import { fileURLToPath } from 'node:url';
import { medianInterval } from '../src/aggregate/stats/sign-test.ts';
import { answer, childArgument, runInChild } from './child.ts';
import { type ArmOptions, drivePoolbench, type WindowFigures } from './load-arm.ts';

interface Loads {
  readonly load: ArmOptions;
  readonly builtIn: ArmOptions;
  readonly pairs: number;
}

/** What both measured, one after the other. */
interface LoadPair {
  readonly load: WindowFigures;
  readonly builtIn: WindowFigures;
}

/** For windows of this length a single pair says little; the median of many does. */
export const pairedWindow = { connections: 50, seconds: 0.6 } as const;

/**
 * Drives a load and the built-in one in turn, in one process of their own, so that both run the same compiled code on the
 * same machine's mood.
 */
export function measurePairs(loads: Loads): Promise<LoadPair[]> {
  return runInChild<LoadPair[]>(fileURLToPath(import.meta.url), loads);
}

/** "1.012 [0.998, 1.020]": the median over the pairs, with its interval. */
export function describeRatio(pairs: readonly LoadPair[], ratioOf: (pair: LoadPair) => number): string {
  const { median, low, high } = medianInterval(pairs.map(ratioOf));
  return `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

const child = childArgument<Loads>(import.meta.url);
if (child !== undefined) {
  // Not counted: V8 compiles.
  await drivePoolbench(child.load);
  await drivePoolbench(child.builtIn);
  const measured: LoadPair[] = [];
  for (let pair = 0; pair < child.pairs; pair++) {
    // Who comes first changes from pair to pair.
    const builtInFirst = pair % 2 === 1 ? await drivePoolbench(child.builtIn) : undefined;
    const load = await drivePoolbench(child.load);
    measured.push({ load, builtIn: builtInFirst ?? (await drivePoolbench(child.builtIn)) });
  }
  answer(measured);
}
