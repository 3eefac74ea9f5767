import { expect, test } from 'vitest';
import { neighbourCores } from '../../../src/aggregate/stats/interference.ts';
import { buildResult, buildRound } from '../../support/result-builder.ts';

test('neighbours are counted on the whole machine, of which poolbench may use a part', () => {
  const { environment, target } = buildResult([]);
  const on = (cpus: number | null) =>
    neighbourCores(buildRound(1, 1000), {
      environment: { ...environment, cores: 6, cpus },
      target: { ...target, local: false },
    });
  // A fifth of the machine is busy, and poolbench used one core.
  expect(on(8)).toBeCloseTo(0.6);
  expect(on(null)).toBeCloseTo(0.2);
});
