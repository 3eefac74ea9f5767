import type { Scenario } from './scenarios.ts';

/**
 * Scenarios as they are shuffled: each alone, but those of a list of rates that goes up and down stay together, in this
 * order. What the target kept of the last rate would else be that of any.
 */
export function groupLadders(scenarios: readonly Scenario[]): Scenario[][] {
  const blocks: Scenario[][] = [];
  const ladders = new Map<string, Scenario[]>();
  for (const scenario of scenarios) {
    const { arrival, ...rest } = scenario;
    const key =
      arrival.kind === 'closed' || arrival.leg === undefined
        ? scenario.id
        : JSON.stringify({ ...rest, ...arrival, id: '', rate: 0, leg: '' });
    const ladder = ladders.get(key) ?? [];
    if (ladder.length === 0) blocks.push(ladder);
    ladders.set(key, ladder);
    ladder.push(scenario);
  }
  for (const block of blocks) block.sort((a, b) => placeOf(a) - placeOf(b));
  return blocks;
}

/** Grows with the rate on the way up, all of it below 0, and falls with it on the way down. */
function placeOf({ arrival }: Scenario): number {
  if (arrival.kind === 'closed') return 0;
  return arrival.leg === 'up' ? -1 / arrival.rate : 1 / arrival.rate;
}
