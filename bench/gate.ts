import { chancesOf, type Gate, outcomeOf } from '../src/aggregate/gates/gate.ts';
import { metrics } from '../src/aggregate/stats/metrics.ts';
import { RoundSeries } from '../src/aggregate/stats/round-series.ts';
import { ratioToRuns } from '../src/aggregate/stats/run-spread.ts';
import { lookRounds, type RoundsRange } from '../src/aggregate/stats/sign-test.ts';
import { median, seededRandom } from '../src/aggregate/stats/statistics.ts';
import { logRatiosBesideOtherWork, logRatiosOnAQuietMachine } from '../test/support/measured-noise.ts';
import { normalNoise } from '../test/support/normal-noise.ts';
import { measureGates } from './live-gate.ts';
import type { Question } from './question.ts';

/** Log ratios of rounds, or logarithms of what runs deviate by. */
type Draw = () => number;

/** Rounds of equal arms as they were measured, drawn with replacement; moved so that their median is a ratio of 1. */
const resampled = (measured: readonly number[]) => {
  const middle = median(measured);
  return (random: () => number): Draw =>
    () =>
      (measured[Math.floor(random() * measured.length)] ?? 0) - middle;
};

export const measuredNoises = {
  'two cores without other work': resampled(logRatiosOnAQuietMachine),
  'two cores beside other work': resampled(logRatiosBesideOtherWork.flat()),
} as const;

export const gateOf = (percent: number): Gate => ({
  condition: `response.p50 > +${percent}%`,
  metric: metrics['response.p50'],
  fails: 'above',
  threshold: 1 + percent / 100,
});

interface Simulated {
  readonly outcome: ReturnType<typeof outcomeOf>;
  readonly rounds: number;
}

/** A `versus` with so many scenarios, of which each has the same true ratio, from its first round to its last look. */
function simulateVersus(
  gate: Gate,
  { draw, ratio, scenarios, rounds }: VersusDesign & { readonly draw: Draw },
): Simulated {
  const measured = Array.from({ length: scenarios }, (): [number, number][] => []);
  let round = 0;
  for (const look of lookRounds(rounds)) {
    for (; round < look; round++) for (const one of measured) one.push([round, ratio * Math.exp(draw())]);
    const outcomes = measured.map(figures =>
      outcomeOf(gate, new RoundSeries(figures, rounds).interval(chancesOf(gate, scenarios))),
    );
    if (outcomes.includes('beyond')) return { outcome: 'beyond', rounds: look };
    if (outcomes.every(outcome => outcome === 'within')) return { outcome: 'within', rounds: look };
  }
  return { outcome: 'cannot tell', rounds: round };
}

interface VersusDesign {
  /** The true ratio of the two sides. */
  readonly ratio: number;
  readonly scenarios: number;
  readonly rounds: RoundsRange;
}

/** How often, as fractions of all simulated, and after how many rounds. */
export interface Rates {
  readonly beyond: number;
  readonly within: number;
  readonly medianRounds: number;
}

function ratesOf(simulated: readonly Simulated[]): Rates {
  const of = (outcome: Simulated['outcome']) =>
    simulated.filter(one => one.outcome === outcome).length / simulated.length;
  return {
    beyond: of('beyond'),
    within: of('within'),
    medianRounds: median(simulated.map(({ rounds }) => rounds)),
  };
}

export function versusRates(
  gate: Gate,
  noise: (random: () => number) => Draw,
  design: VersusDesign,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Rates {
  const draw = noise(seededRandom(seed));
  return ratesOf(Array.from({ length: runs }, () => simulateVersus(gate, { ...design, draw })));
}

/** A new run with this true ratio to so many of a baseline, whose figures scatter by `deviation` (of the logarithm). */
export function baselineRates(
  gate: Gate,
  {
    ratio,
    baseline,
    deviation,
  }: { readonly ratio: number; readonly baseline: number; readonly deviation: number },
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Rates {
  const normal = normalNoise(seededRandom(seed));
  const figure = () => Math.exp(deviation * normal());
  return ratesOf(
    Array.from({ length: runs }, () => {
      const before = Array.from({ length: baseline }, figure);
      return {
        outcome: outcomeOf(gate, ratioToRuns(before, ratio * figure(), chancesOf(gate, 1))),
        rounds: baseline,
      };
    }),
  );
}

const runs = 4000;
const rounds: RoundsRange = { atLeast: 10, atMost: 50 };
const slower = 1.1;

/** How often `--fail-if` fails a build for nothing, and how often for a slow-down of 10 %: measured, and simulated. */
export const ask: Question = async bench => {
  const { report } = bench;
  await measureGates(bench, gateOf(2));
  report.title('Simulated: how often a gate fails a build');
  report.say(
    `${runs} simulated runs each. A row of versus draws its rounds from log ratios that were measured between equal arms.\n`,
  );
  report.table(
    [
      'rounds of versus',
      'gate',
      'scenarios',
      'false alarms: equal',
      'exactly at the gate',
      'equal found within',
      '10 % slower found',
      'rounds to find it',
    ],
    Object.entries(measuredNoises).flatMap(([name, noise]) =>
      [2, 5].flatMap(percent =>
        [1, 4].map((scenarios, seed) => {
          const gate = gateOf(percent);
          const at = (ratio: number) =>
            versusRates(gate, noise, { ratio, scenarios, rounds }, { runs, seed: seed + 1 });
          const [equal, worst, found] = [at(1), at(gate.threshold), at(slower)];
          return [
            ...[name, `> +${percent}%`, String(scenarios)],
            ...[equal.beyond, worst.beyond, equal.within, found.beyond].map(formatPercent),
            found.medianRounds.toFixed(0),
          ];
        }),
      ),
    ),
  );
  report.table(
    [
      'runs of compare scatter by',
      'gate',
      'runs in the baseline',
      'false alarms: equal',
      'exactly at the gate',
      'equal found within',
      '10 % slower found',
    ],
    [0.01, 0.02, 0.05].flatMap(deviation =>
      [6, 10, 20].map((baseline, seed) => {
        const gate = gateOf(5);
        const at = (ratio: number) =>
          baselineRates(gate, { ratio, baseline, deviation }, { runs, seed: seed + 1 });
        const [equal, worst, found] = [at(1), at(gate.threshold), at(slower)];
        return [
          ...[`${deviation * 100} %`, '> +5%', String(baseline)],
          ...[equal.beyond, worst.beyond, equal.within, found.beyond].map(formatPercent),
        ];
      }),
    ),
  );
};

const formatPercent = (fraction: number) => `${(fraction * 100).toFixed(fraction < 0.1 ? 2 : 1)} %`;
