import type { ScenarioResult } from '../../result.ts';

/** One pool, single commands in a closed loop, and nothing else going on: what most claims are about. */
export function isPlain(scenario: ScenarioResult): boolean {
  return isOnePool(scenario) && scenario.cutEveryMs === 0 && !scenario.burst;
}

/** The same, whether connections are cut or not, and whether they are asked for in a burst. */
export function isOnePool({ arrival, pools, pipeline, batch, autoPipelining }: ScenarioResult): boolean {
  return (
    arrival.kind === 'closed' && pools === 1 && pipeline === 1 && batch.pool === 'none' && !autoPipelining
  );
}

/** An interrupted run has scenarios without a round. */
export const isMeasured = ({ rounds }: ScenarioResult) => rounds.length > 0;
