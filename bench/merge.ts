import { mergeSamples } from '../src/aggregate/stats/merge.ts';
import type { Question } from './question.ts';
import { range } from './report.ts';
import { syntheticContext, syntheticSample } from './synthetic-sample.ts';

const threads = 64;
const scenarios = 20;
const windowSeconds = 1;

/** How long it takes to merge what 64 threads hand back of 20 scenarios. */
export const ask: Question = async ({ report, rounds }) => {
  const samples = Array.from({ length: threads }, (_, thread) =>
    syntheticSample(thread, windowSeconds, thread + 1),
  );
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    for (let scenario = 0; scenario < scenarios; scenario++) mergeSamples(samples, syntheticContext(1));
    seconds.push((performance.now() - startMs) / 1000);
  }
  report.title('Merging');
  report.say(
    `${threads} threads × ${scenarios} scenarios of ${windowSeconds} s: ${range(seconds, 2)} s (goal: under 1 s)\n`,
  );
};
