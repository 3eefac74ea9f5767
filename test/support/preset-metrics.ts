import type { PoolMetrics } from '../../src/aggregate/result.ts';
import type { Scenario } from '../../src/main/experiment/scenarios.ts';
import { presets } from '../../src/pool/presets.ts';

/** What a pool tells of a round of 20,000 acquisitions, if its strategies are what its preset says. */
export function usualMetrics({ preset, workers, connections }: Scenario): Partial<PoolMetrics> {
  const { acquisition, health } = presets[preset];
  const cached = health === 'cached';
  const locked = acquisition === 'mutex' && workers > 1;
  return {
    acquisitions: 20_000,
    lockWaits: locked ? 19_000 : 0,
    lockWaitMs: locked ? 4000 : 0,
    healthChecksRun: cached ? connections : 20_000,
    healthChecksSkipped: cached ? 20_000 - connections : 0,
    healthCheckMs: cached ? 0.02 * connections : 400,
  };
}
