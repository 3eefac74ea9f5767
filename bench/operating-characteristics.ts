import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  findSides,
  judgeBeginning,
  judgeBeyond,
  type Level,
  onePoolWorkers,
  type Sides,
} from '../src/aggregate/claims/pool-gains.ts';
import type { Verdict } from '../src/aggregate/result.ts';
import { RoundSeries } from '../src/aggregate/stats/round-series.ts';
import { fixedRounds, lookRounds, type RoundsRange } from '../src/aggregate/stats/sign-test.ts';
import { median, seededRandom } from '../src/aggregate/stats/statistics.ts';
import { overheadSeconds, planRun } from '../src/main/experiment/plan.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';
import { normalNoise } from '../test/support/normal-noise.ts';
import type { Question } from './question.ts';

/** What a round draws for one level of workers: the log ratio of each number of pools to one pool, scattering by about 1. */
type LevelNoise = () => readonly number[];

export interface Shape {
  readonly name: string;
  /** The noise of one level of workers over a run, for so many numbers of pools. */
  readonly of: (random: () => number, pools: number) => LevelNoise;
}

/** All numbers of pools are compared with the same arm of one pool, so their ratios share its noise. */
function pairNoise(random: () => number, pools: number, memory: number): LevelNoise {
  const normal = normalNoise(random);
  const arms = Array.from({ length: pools + 1 }, normal);
  return () => {
    const kept = arms.map(arm => memory * arm + Math.sqrt(1 - memory ** 2) * normal());
    arms.splice(0, arms.length, ...kept);
    const [base = 0, ...others] = arms;
    return others.map(other => (other - base) / Math.SQRT2);
  };
}

export const shapes = {
  normal: { name: 'log-normal', of: (random, pools) => pairNoise(random, pools, 0) },
  // Student's t with 2 degrees of freedom: some rounds are far off. Half of all lie where half of the normal ones do.
  heavy: {
    name: 't₂',
    of: (random, pools) => {
      const draw = pairNoise(random, pools, 0);
      return () => {
        const scale = 0.826 / Math.sqrt(-Math.log(1 - random()));
        return draw().map(noise => noise * scale);
      };
    },
  },
  // Each round keeps 0.3 of what the one before it deviated by.
  resembling: { name: 'AR(1) 0.3', of: (random, pools) => pairNoise(random, pools, 0.3) },
} as const satisfies Record<string, Shape>;

/** The gains of every number of pools that are true at 50 workers or fewer, and beyond. */
export interface Truth {
  readonly upTo: number;
  readonly beyond: number;
}

/** How a run goes that asks C1 alone. */
interface Design {
  readonly pools: readonly number[];
  readonly workers: readonly number[];
  readonly rounds: RoundsRange;
  readonly budgetSeconds: number;
  /** What one round takes: of all arms, and of the blocks that C1 compares while it is open. */
  readonly roundSeconds: { readonly all: number; readonly open: number };
}

/** The main config's, controls included. */
export async function mainDesign(): Promise<Design> {
  const path = fileURLToPath(new URL('../configs/redis.json', import.meta.url));
  const experiment = parseConfig(await readFile(path, 'utf8'), path);
  const plan = planRun([experiment]);
  const blocks = plan.blocks.map(({ elements }) => elements.flat());
  const isDeciding = ({ client, preset, pools, threads }: (typeof blocks)[number][number]) =>
    client === 'ioredis' && preset === 'optimized' && pools === threads;
  const deciding = blocks.flat().filter(arm => isDeciding(arm) && arm.control !== true);
  const open = blocks.filter(arms => arms.some(arm => isDeciding(arm) && arm.workers > onePoolWorkers));
  const secondsOf = (arms: readonly unknown[]) =>
    arms.length * (experiment.seconds + experiment.warmupSeconds + overheadSeconds);
  return {
    pools: [...new Set(deciding.map(({ pools }) => pools))].filter(pools => pools > 1),
    workers: [...new Set(deciding.map(({ workers }) => workers))],
    rounds: plan.rounds,
    budgetSeconds: plan.budgetSeconds,
    roundSeconds: { all: secondsOf(blocks.flat()), open: secondsOf(open.flat()) },
  };
}

interface SimulatedRun {
  readonly beyond: Verdict;
  readonly beginning: Verdict;
  readonly rounds: number;
  readonly seconds: number;
  /** The median of the number of pools with the larger gain. */
  readonly measured: number;
}

/**
 * A run from its first round to its last look, judged by the rules of C1 and C20: it ends when C1 is decided, when it has
 * all rounds, or when the next round would not end within the budget. Levels of 50 workers or fewer are in the first
 * rounds only, as nothing that is asked needs more of them.
 *
 * @param noise standard deviation of the paired log ratio of a round, at one level
 */
function simulateRun(
  { pools, workers, rounds, budgetSeconds, roundSeconds }: Design,
  { upTo, beyond }: Truth,
  shape: Shape,
  noise: number,
  random: () => number,
): SimulatedRun {
  const levels = workers.map(count => ({
    workers: count,
    logGain: Math.log(count > onePoolWorkers ? beyond : upTo),
    draw: shape.of(random, pools.length),
    ratios: pools.map((): (readonly [number, number])[] => []),
  }));
  const looks = new Set(lookRounds(rounds));
  let seconds = 0;
  for (let round = 1; ; round++) {
    const isFirst = round <= rounds.atLeast;
    for (const { workers: count, logGain, draw, ratios } of levels) {
      if (!isFirst && count <= onePoolWorkers) continue;
      for (const [index, deviation] of draw().entries())
        ratios[index]?.push([round, Math.exp(logGain + noise * deviation)]);
    }
    seconds += isFirst ? roundSeconds.all : roundSeconds.open;
    const isLast =
      round === rounds.atMost || (round >= rounds.atLeast && seconds + roundSeconds.open > budgetSeconds);
    if (!looks.has(round) && !isLast) continue;
    const sides = findSides(
      levels.flatMap(({ workers: count, ratios }) =>
        pools.map(
          (number, index): Level => ({
            pools: number,
            workers: count,
            // Nothing asks for levels of 50 workers or fewer, so the number of their rounds is fixed.
            series: new RoundSeries(
              ratios[index] ?? [],
              count > onePoolWorkers ? rounds : fixedRounds(rounds.atLeast),
            ),
          }),
        ),
      ),
    );
    const verdict = judgeBeyond(sides);
    if (verdict === 'inconclusive' && !isLast) continue;
    return {
      beyond: verdict,
      beginning: judgeBeginning(sides),
      rounds: round,
      seconds,
      measured: largestOf(sides),
    };
  }
}

const largestOf = ({ above }: Sides) => Math.max(...above.map(({ interval }) => interval.median));

/** How often, as fractions of all runs, and how long. */
export interface Characteristics {
  readonly beyond: Readonly<Record<Verdict, number>>;
  readonly beginning: Readonly<Record<Verdict, number>>;
  readonly meanSeconds: number;
  readonly medianRounds: number;
  readonly medianGain: number;
}

export function simulateRuns(
  design: Design,
  truth: Truth,
  shape: Shape,
  noise: number,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Characteristics {
  const random = seededRandom(seed);
  const simulated = Array.from({ length: runs }, () => simulateRun(design, truth, shape, noise, random));
  const fractions = (verdictOf: (run: SimulatedRun) => Verdict) => {
    const of = (verdict: Verdict) => simulated.filter(run => verdictOf(run) === verdict).length / runs;
    return {
      supported: of('supported'),
      refuted: of('refuted'),
      inconclusive: of('inconclusive'),
      'not tested': 0,
    };
  };
  return {
    beyond: fractions(run => run.beyond),
    beginning: fractions(run => run.beginning),
    meanSeconds: simulated.reduce((sum, run) => sum + run.seconds, 0) / runs,
    medianRounds: median(simulated.map(run => run.rounds)),
    medianGain: median(simulated.map(run => run.measured)),
  };
}

const truths: readonly Truth[] = [
  { upTo: 1, beyond: 1 },
  { upTo: 1.05, beyond: 1.05 },
  { upTo: 1, beyond: 1.2 },
  { upTo: 1.4, beyond: 1.4 },
];
const noises = [0.03, 0.09, 0.2, 0.34];
const runs = 2000;

/** How often C1 and C20 are decided, rightly or wrongly, and after what time: simulated runs of the main config. */
export const ask: Question = async ({ report }) => {
  const design = await mainDesign();
  const { all, open } = design.roundSeconds;
  report.title('How often C1 and C20 are decided');
  report.say(
    `${runs} simulated runs each. A round of all arms takes ${all.toFixed(1)} s, one of the blocks that C1 compares ${open.toFixed(1)} s.\n`,
  );
  for (const { name, of } of Object.values(shapes)) {
    report.say(`Noise: ${name}.\n`);
    report.table(
      [
        'true gain to 50, beyond',
        'noise',
        'C1 supported, refuted, open',
        'C20 supported, refuted, open',
        'mean time',
        'rounds',
        'gain shown',
      ],
      truths.flatMap(truth =>
        noises.map((noise, index) => {
          const found = simulateRuns(design, truth, { name, of }, noise, { runs, seed: index + 1 });
          return [
            `×${truth.upTo.toFixed(2)}, ×${truth.beyond.toFixed(2)}`,
            noise.toFixed(2),
            formatVerdicts(found.beyond),
            formatVerdicts(found.beginning),
            `${found.meanSeconds.toFixed(0)} s`,
            found.medianRounds.toFixed(0),
            `×${found.medianGain.toFixed(2)}`,
          ];
        }),
      ),
    );
  }
};

function formatVerdicts({ supported, refuted, inconclusive }: Characteristics['beyond']): string {
  return `${[supported, refuted, inconclusive].map(formatPercent).join(', ')} %`;
}

/** Errors are small, so that one digit more tells them from none. */
const formatPercent = (fraction: number) => (fraction * 100).toFixed(fraction > 0 && fraction < 0.1 ? 1 : 0);
