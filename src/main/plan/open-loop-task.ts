import type { OpenLoopTask } from '../../workers/contract.ts';
import type { Scenario } from './scenarios.ts';

/** The part that a thread has in a scenario's arrivals; null in a closed loop. */
export function openLoopOf(
  { arrival, pipeline, pools, poolsPerThread }: Scenario,
  thread: number,
): OpenLoopTask | null {
  if (arrival.kind === 'closed') return null;
  const { kind, rate } = arrival;
  const size = kind === 'burst' ? arrival.size : pipeline;
  return { arrivals: { kind, rate, size }, pools, firstPool: thread * poolsPerThread };
}
