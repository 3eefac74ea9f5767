import { p99 } from '../measures.ts';
import { pairByRound } from '../pairs.ts';
import type { Interval, OpenLoopResult, ScenarioResult } from '../result.ts';
import { armKey } from '../scenario.ts';
import { groupBySetting } from '../setting.ts';
import { median } from '../statistics.ts';
import {
  formatCount,
  formatInterval,
  formatMs,
  formatPlural,
  formatRate,
  formatShare,
  nothing,
} from '../text/format.ts';
import { isLowerBound } from '../warnings.ts';

/** Scenarios that differ in their rates only: a curve of latency against load. */
export interface LoadTable {
  readonly heading: string;
  /** Rates ascending; of one rate, the way up comes first. */
  readonly scenarios: readonly ScenarioResult[];
}

export const isOpen = ({ arrival }: ScenarioResult) => arrival.kind !== 'closed';

/** The open loops of a run, a table for each setting and each number of workers and pools. */
export function loadTables(scenarios: readonly ScenarioResult[]): LoadTable[] {
  return groupBySetting(scenarios.filter(isOpen)).flatMap(({ heading, scenarios: ofSetting }) => {
    const tables = new Map<string, ScenarioResult[]>();
    for (const scenario of ofSetting) {
      const { workers, pools, threads, connections } = scenario;
      const on = threads === pools ? '' : ` in ${formatPlural(threads, 'thread')}`;
      const size = `${formatPlural(workers, 'worker')} on ${formatPlural(pools, 'pool')}${on}`;
      const key = `${heading}, ${size}, ${formatPlural(connections, 'connection')}, times in ms`;
      tables.set(key, [...(tables.get(key) ?? []), scenario]);
    }
    return [...tables].map(([key, ofTable]) => ({ heading: key, scenarios: ofTable.toSorted(byRate) }));
  });
}

function byRate(a: ScenarioResult, b: ScenarioResult): number {
  const down = ({ arrival }: ScenarioResult) => (arrival.leg === 'down' ? 1 : 0);
  return rateOf(a) - rateOf(b) || down(a) - down(b);
}

const rateOf = ({ arrival }: ScenarioResult) => arrival.rate ?? 0;

/** A column of a table of load, for one scenario. Medians over the rounds; a dash where there is none. */
export const loadCells = {
  /** "5.00k", on a way up or down "5.00k up". */
  rate: ({ arrival }: ScenarioResult) =>
    [formatRate(arrival.rate ?? 0), ...(arrival.leg === undefined ? [] : [arrival.leg])].join(' '),
  offered: ofLoops(({ offered }, seconds) => (seconds > 0 ? offered / seconds : 0), formatRate),
  shortfall: ofLoops(({ offered, shortfall }) => (offered > 0 ? shortfall / offered : 0), formatShare),
  backlog: ofLoops(({ largestBacklog }) => largestBacklog, formatBacklog),
  /** None where no arrival found a worker free. */
  lagP99: ofLoops(({ lag }) => (lag.count === 0 ? null : lag.p99), formatMs),
  spun: ofLoops(({ spinShare }) => spinShare, formatShare),
} as const;

/** Whole as far as a narrow column has room for it. */
function formatBacklog(operations: number): string {
  return operations < 1000 ? formatCount(Math.round(operations)) : formatRate(operations);
}

function ofLoops(
  figure: (loop: OpenLoopResult, seconds: number) => number | null,
  format: (figure: number) => string,
): (scenario: ScenarioResult) => string {
  return ({ rounds }) => {
    const figures = rounds.flatMap(({ openLoop, seconds }) =>
      openLoop === null ? [] : (figure(openLoop, seconds) ?? []),
    );
    return figures.length === 0 ? nothing : format(median(figures));
  };
}

/** A latency, with a mark where it is a lower bound: what was never sent would have been slower. */
export function formatLatency(
  { rounds }: ScenarioResult,
  latency: Interval | null | undefined,
  intervals = true,
): string {
  if (latency === null || latency === undefined) return nothing;
  const bound = isLowerBound(rounds) ? '≥' : '';
  return bound + (intervals ? formatInterval(latency, formatMs) : formatMs(latency.median));
}

/** One rate on the way up and on the way down. */
export interface Hysteresis {
  readonly rate: number;
  readonly up: ScenarioResult;
  readonly down: ScenarioResult;
  /** down / up of the response p99, paired by round; null without a common round. */
  readonly ratio: Interval | null;
}

/** But for when their work is due. */
const isEqualArm = (a: ScenarioResult, b: ScenarioResult) =>
  armKey(a, ['arrival']) === armKey(b, ['arrival']);

/** The rates of a table that were measured on both ways, ascending. */
export function hysteresisOf({ scenarios }: LoadTable): Hysteresis[] {
  return scenarios.flatMap(up => {
    const down = scenarios.find(
      other => other.arrival.leg === 'down' && rateOf(other) === rateOf(up) && isEqualArm(other, up),
    );
    if (up.arrival.leg !== 'up' || down === undefined) return [];
    return [{ rate: rateOf(up), up, down, ratio: pairByRound(up, down, p99.figure).ratio }];
  });
}
