import { labelArrival } from '../../aggregate/arrival.ts';
import type { SearchConditions } from '../../aggregate/search/conditions.ts';
import type { SearchRange } from '../../aggregate/search/next-rate.ts';
import type { Experiment } from '../config/experiment.ts';
import { PoolbenchError } from '../errors.ts';
import { expandScenarios, type Scenario } from '../plan/scenarios.ts';

/** With fewer operations in a repeat a p99 is their maximum, and a share is coarse. */
const fewestOperations = 100;
/** The range of `arrival.rate` in a config. */
const lowestRate = 0.1;
const highestRate = 10_000_000;

/** What is searched, and how. */
export interface SearchPlan {
  readonly experiment: Experiment;
  readonly conditions: SearchConditions;
  readonly range: SearchRange;
  /** The scenario at its first rate. */
  readonly scenario: Scenario;
  /** The same at another rate. */
  readonly at: (rate: number) => Scenario;
}

/**
 * Reads from a config what to search.
 *
 * @param source its name in messages
 * @throws PoolbenchError CONFIG_INVALID with every fault that keeps it from being searched
 */
export function planSearch(experiment: Experiment, source: string): SearchPlan {
  const { search, seconds, target } = experiment;
  const scenarios = expandScenarios(experiment.scenarios);
  const [scenario] = scenarios;
  const faults: string[] = [];
  if (search === null)
    faults.push('search: missing; expected what a rate must meet, such as { "responseP99Ms": 5 }');
  if (scenarios.length > 1) faults.push(`scenarios: expected one scenario, found ${scenarios.length}`);
  if (target.threads.length > 1)
    faults.push(`target.threads: expected one number at most, found ${target.threads.length}`);
  const arrival = scenario?.arrival;
  if (arrival?.kind !== 'constant' && arrival?.kind !== 'poisson') {
    faults.push(
      `scenarios[0].arrival.kind: expected "constant" or "poisson", with the rate to start at, found "${arrival?.kind}"`,
    );
  } else if (arrival.rate < lowestRateOf(seconds)) {
    faults.push(
      `scenarios[0].arrival.rate: expected at least ${lowestRateOf(seconds)} (${fewestOperations} operations in the ${seconds} s of a repeat), found ${arrival.rate}`,
    );
  }
  if (faults.length > 0 || search === null || scenario === undefined || arrival === undefined) {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    throw new PoolbenchError(
      'CONFIG_INVALID',
      `${source} is no config to search with, ${count}:\n${faults.map(fault => `  ${fault}`).join('\n')}\nconfigs/README.md explains every key.`,
    );
  }
  const { precision, ...conditions } = search;
  const start = arrival.kind === 'closed' ? lowestRate : arrival.rate;
  return {
    experiment,
    conditions,
    range: {
      start,
      lowest: lowestRateOf(seconds),
      highest: highestRate,
      precision,
    },
    scenario,
    at: rate => atRate(scenario, rate),
  };
}

/** The least rate, in four digits, that has enough operations in a repeat. */
function lowestRateOf(seconds: number): number {
  const least = fewestOperations / seconds;
  const rounded = Number(least.toPrecision(4));
  return Math.max(lowestRate, rounded < least ? Number((least * 1.001).toPrecision(4)) : rounded);
}

function atRate(scenario: Scenario, rate: number): Scenario {
  const { arrival, id } = scenario;
  if (arrival.kind === 'closed') return scenario;
  const changed = { ...arrival, rate };
  return { ...scenario, arrival: changed, id: id.replace(labelArrival(arrival), labelArrival(changed)) };
}
