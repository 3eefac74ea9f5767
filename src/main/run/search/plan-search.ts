import { labelArrival, maxRate, minRate } from '../../../aggregate/scenario/arrival.ts';
import type { SearchConditions } from '../../../aggregate/search/conditions.ts';
import { maxSteps, type SearchRange } from '../../../aggregate/search/knee.ts';
import { stepRepeats } from '../../../aggregate/search/step.ts';
import { describeConditions, formatSearchRate } from '../../../aggregate/search/words.ts';
import { formatDuration, formatPlural, formatSeconds } from '../../../aggregate/text/format.ts';
import { wrapText } from '../../../aggregate/text/text-layout.ts';
import { shippedFile } from '../../command-words.ts';
import { PoolbenchError } from '../../errors.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { armsOf, overheadSeconds, type PlannedSide, planRun } from '../../experiment/plan.ts';
import type { Scenario } from '../../experiment/scenarios.ts';

/** With fewer operations in a repeat, a p99 is their maximum, and ratios are coarse. */
const minOperations = 100;

const columns = 80;
/** Repeats of most searches, from simulations with measured noise; a start far from the knee needs more. */
const usualRepeats = { min: 55, max: 110 };

/** What is searched, and how. */
export interface SearchPlan {
  /** The single side of its run. */
  readonly side: PlannedSide;
  readonly conditions: SearchConditions;
  readonly range: SearchRange;
  /** The scenario at its first rate. */
  readonly scenario: Scenario;
  /** The same at another rate. */
  readonly at: (rate: number) => Scenario;
}

/**
 * Plans a search from a config.
 *
 * @param source its name in messages
 * @throws PoolbenchError CONFIG_INVALID with everything that prevents the search
 */
export function planSearch(experiment: Experiment, source: string): SearchPlan {
  const { search, seconds, target } = experiment;
  const [side] = planRun([experiment]).sides;
  const [scenario, ...others] = side === undefined ? [] : armsOf(side);
  const arrival = scenario?.arrival;
  const lowest = minRateOf(seconds);
  const faults: string[] = [];
  if (search === null)
    faults.push('search: missing; expected what a rate must meet, such as { "responseP99Ms": 5 }');
  if (others.length > 0) faults.push(`scenarios: expected one scenario, found ${others.length + 1}`);
  if (target.threads.length > 1)
    faults.push(`target.threads: expected one number at most, found ${target.threads.length}`);
  if (arrival?.kind !== 'constant' && arrival?.kind !== 'poisson') {
    faults.push(
      `scenarios[0].arrival.kind: expected "constant" or "poisson", with the rate to start at, found "${arrival?.kind}"`,
    );
  } else if (arrival.stages !== undefined) {
    faults.push('scenarios[0].arrival.stages: expected the rate to start at in their place');
  } else if (arrival.rate < lowest) {
    faults.push(
      `scenarios[0].arrival.rate: expected at least ${lowest} (${minOperations} operations in the ${formatSeconds(seconds)} of a repeat), found ${arrival.rate}`,
    );
  }
  if (
    faults.length > 0 ||
    search === null ||
    side === undefined ||
    scenario === undefined ||
    scenario.arrival.kind === 'closed'
  ) {
    throw new PoolbenchError(
      'CONFIG_INVALID',
      `${source} cannot be used for a search, ${formatPlural(faults.length, 'fault')}:\n${faults.map(fault => `  ${fault}`).join('\n')}\n${shippedFile('configs/README.md')} explains every key.`,
    );
  }
  const { precision, ...conditions } = search;
  return {
    side,
    conditions,
    range: { start: scenario.arrival.rate, lowest, highest: maxRate, precision },
    scenario,
    at: rate => atRate(scenario, rate),
  };
}

/** Describes the search and its duration. */
export function describeSearch({ side, conditions, range, scenario }: SearchPlan): string {
  const { seconds, warmupSeconds, name } = side.experiment;
  const repeatSeconds = seconds + warmupSeconds + overheadSeconds;
  const usual = [usualRepeats.min, usualRepeats.max].map(count => formatDuration(count * repeatSeconds));
  const max = formatDuration(maxSteps * stepRepeats.atMost * repeatSeconds);
  const lines = [
    `the highest rate with ${describeConditions(conditions)}`,
    `scenario: ${scenario.id}, from ${formatSearchRate(range.start)} on`,
    `each step: ${stepRepeats.atLeast} to ${stepRepeats.atMost} repeats of ${formatSeconds(seconds)}, after ${formatSeconds(warmupSeconds)} of warm-up`,
    `duration: usually ${usual.join(' to ')}, at most ${max} (${maxSteps} steps)`,
  ];
  return `Search: ${name}\n${lines.flatMap(line => wrapText(line, columns, '  ')).join('\n')}\n`;
}

/** The lowest rate, in four digits, that has enough operations in a repeat. */
function minRateOf(seconds: number): number {
  const exact = minOperations / seconds;
  const rounded = Number(exact.toPrecision(4));
  return Math.max(minRate, rounded < exact ? Number((exact * 1.001).toPrecision(4)) : rounded);
}

function atRate(scenario: Scenario, rate: number): Scenario {
  const { arrival, id } = scenario;
  if (arrival.kind === 'closed') return scenario;
  const changed = { ...arrival, rate };
  return { ...scenario, arrival: changed, id: id.replace(labelArrival(arrival), labelArrival(changed)) };
}
