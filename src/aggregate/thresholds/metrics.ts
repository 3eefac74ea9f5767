import type { OpenLoopResult, ScenarioResult, SummaryResult } from '../result.ts';
import { formatMs, formatPercent, formatRate } from '../text/format.ts';

/** What a threshold can be set on, in the unit of result.json. */
export interface Metric {
  readonly kind: Kind;
  /** The median over the rounds, or the share of all of them; null where nothing was measured. */
  readonly value: (scenario: ScenarioResult) => number | null;
  /** Whether there is no such figure in a closed loop. */
  readonly ofOpenLoop?: boolean;
}

/** How values of a metric are written: in a condition, and for a reader. */
export interface Kind {
  /** By what a number of a condition is multiplied, for each unit that it can have; '' for none. */
  readonly units: Readonly<Record<string, number>>;
  /** The largest number that makes sense, in the unit of result.json. */
  readonly most: number;
  readonly example: string;
  readonly format: (value: number) => string;
  /** To six digits, for a value so close to its limit that three could hide on which side it lies. */
  readonly formatClosely: (value: number) => string;
}

const sixDigits = (value: number) => String(Number(value.toPrecision(6)));

const time: Kind = {
  units: { s: 1000, ms: 1, us: 0.001, µs: 0.001 },
  most: Number.POSITIVE_INFINITY,
  example: '< 5ms',
  format: value => `${formatMs(value)} ms`,
  formatClosely: value => `${sixDigits(value)} ms`,
};
const rate: Kind = {
  units: { '': 1 },
  most: Number.POSITIVE_INFINITY,
  example: '> 50000',
  format: value => `${formatRate(value)} ops/s`,
  formatClosely: value => `${sixDigits(value)} ops/s`,
};
const share: Kind = {
  units: { '%': 0.01, '': 1 },
  most: 1,
  example: '< 0.1%',
  format: formatPercent,
  formatClosely: value => `${sixDigits(value * 100)} %`,
};
const cpuTime: Kind = {
  units: { '': 1, us: 1, µs: 1 },
  most: Number.POSITIVE_INFINITY,
  example: '< 20us',
  format: value => `${formatMs(value)} µs`,
  formatClosely: value => `${sixDigits(value)} µs`,
};

function ofSummary(kind: Kind, figure: (summary: SummaryResult) => number | undefined): Metric {
  return { kind, value: ({ summary }) => (summary === null ? null : (figure(summary) ?? null)) };
}

/** Of all rounds together: what completed of what was due. */
function completedShare({ rounds }: ScenarioResult): number | null {
  const loops = rounds.flatMap(({ openLoop }) => openLoop ?? []);
  const sum = (count: (loop: OpenLoopResult) => number) =>
    loops.reduce((total, loop) => total + count(loop), 0);
  const offered = sum(loop => loop.offered);
  return offered === 0 ? null : sum(loop => loop.completed) / offered;
}

/** All metrics, by the name that a threshold gives them. */
export const metrics: Readonly<Record<string, Metric>> = {
  'response.mean': ofSummary(time, summary => summary.responseMean?.median),
  'response.p50': ofSummary(time, summary => summary.responseP50?.median),
  'response.p95': ofSummary(time, summary => summary.responseP95?.median),
  'response.p99': ofSummary(time, summary => summary.responseP99?.median),
  'response.p999': ofSummary(time, summary => summary.responseP999?.median),
  'service.p50': ofSummary(time, summary => summary.serviceP50?.median),
  'service.p99': ofSummary(time, summary => summary.serviceP99?.median),
  opsPerSecond: ofSummary(rate, summary => summary.opsPerSecond.median),
  failedShare: ofSummary(share, summary => summary.failedShare),
  completedShare: { kind: share, value: completedShare, ofOpenLoop: true },
  clientMicrosPerOp: ofSummary(cpuTime, summary => summary.clientMicrosPerOp?.median),
};
