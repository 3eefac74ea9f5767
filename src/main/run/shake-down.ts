import { presets } from '../../pool/presets.ts';
import { SharedState } from '../../workers/shared-state.ts';
import type { Scenario } from '../plan/scenarios.ts';
import { type Bench, measure } from './measure.ts';

/** Long enough for V8 to compile the hot path in every thread, and short enough not to be noticed. */
const shakeDownSeconds = 0.2;

/**
 * Drives every path through the code once, on all of its threads, and throws the figures away: without it the first
 * round would measure code that is not compiled yet, and most so in the threads that only scenarios of many pools use.
 */
export async function shakeDown(
  bench: Bench,
  scenarios: readonly Scenario[],
  signal: AbortSignal,
): Promise<void> {
  const experiment = { ...bench.experiment, warmupSeconds: 0, seconds: shakeDownSeconds };
  for (const scenario of widestOfEachPath(scenarios)) {
    if (signal.aborted) return;
    await measure({ ...bench, experiment }, scenario, 0, SharedState.forThreads(scenario.threads));
  }
}

/**
 * The scenario with the most threads of each client, acquisition, health strategy, of single commands or batches, and of
 * closed or open loops; of several open loops the one with the highest rate.
 */
function widestOfEachPath(scenarios: readonly Scenario[]): Scenario[] {
  const widest = new Map<string, Scenario>();
  for (const scenario of scenarios.toSorted((a, b) => rateOf(b) - rateOf(a))) {
    const { acquisition, health } = presets[scenario.preset];
    const { client, autoPipelining } = scenario;
    const batches = scenario.pipeline > 1 || scenario.batch.pool !== 'none';
    const path = [client, acquisition, health, batches, autoPipelining, rateOf(scenario) > 0].join(' ');
    if (scenario.threads > (widest.get(path)?.threads ?? 0)) widest.set(path, scenario);
  }
  return [...widest.values()];
}

/** 0 in a closed loop. */
function rateOf({ arrival }: Scenario): number {
  return arrival.kind === 'closed' ? 0 : arrival.rate;
}
