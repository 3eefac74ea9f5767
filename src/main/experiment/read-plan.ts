import { PoolbenchError } from '../errors.ts';
import type { Experiment } from './experiment.ts';
import type { ConfigOverrides, Overrides } from './overrides.ts';
import { orderRounds, overheadSeconds, type Plan, type PlannedSide, planRun } from './plan.ts';
import { readExperiment } from './read-config.ts';

/** What --quick promises; what it aims at; and what it goes to where that leaves too little. */
const promisedSeconds = 30;
const limitsSeconds = [25, 29.5];
/** Below this a measured window says little. */
const minSeconds = 0.1;

/** What --quick may change; a value that the user named is kept. */
type QuickSetting = 'rounds' | 'seconds' | 'warmupSeconds';

/**
 * The plan of these configs as the command line changes them.
 *
 * @throws PoolbenchError CONFIG_MISSING, CONFIG_INVALID, USAGE
 */
export async function readPlan(paths: readonly string[], flags: ConfigOverrides): Promise<Plan> {
  const plan = planRun(await Promise.all(paths.map(path => readExperiment(path, flags))));
  return flags.quick ? quick(plan, namedSettings(flags)) : plan;
}

function namedSettings({ rounds, seconds, warmup }: Overrides): Set<QuickSetting> {
  const given = Object.entries({ rounds, seconds, warmupSeconds: warmup });
  return new Set(given.flatMap(([name, value]) => (value === undefined ? [] : [name as QuickSetting])));
}

/**
 * Cuts every side of a plan down to 2 rounds, or 1, and shorter times, so that its estimate stays under 30 s.
 *
 * @throws USAGE if that many scenarios, or the values to keep, take longer whatever is cut
 */
export function quick({ sides }: Plan, keep: ReadonlySet<QuickSetting> = new Set()): Plan {
  return orderRounds(sides.map(side => quickSide(side, keep)));
}

function quickSide(side: PlannedSide, keep: ReadonlySet<QuickSetting>): PlannedSide {
  const { experiment, scenarios } = side;
  const roundCounts = keep.has('rounds') ? [experiment.rounds] : [Math.min(2, experiment.rounds), 1];
  for (const limitSeconds of limitsSeconds) {
    for (const rounds of roundCounts) {
      const times = shorten(experiment, limitSeconds / (scenarios.length * rounds) - overheadSeconds, keep);
      if (times) return { ...side, experiment: { ...experiment, ...times, rounds } };
    }
  }
  const kept = keep.size > 0 ? ` with ${[...keep].join(' and ')} as given` : '';
  throw new PoolbenchError(
    'USAGE',
    `--quick cannot fit ${scenarios.length} scenarios into ${promisedSeconds} s${kept}: use a config with fewer scenarios, or --rounds and --seconds without --quick.`,
  );
}

/** Measured time and warm-up of at most `available` seconds together, or undefined if there is no room for them. */
function shorten(
  { seconds, warmupSeconds }: Experiment,
  available: number,
  keep: ReadonlySet<QuickSetting>,
): Pick<Experiment, 'seconds' | 'warmupSeconds'> | undefined {
  const whole = seconds + warmupSeconds;
  if (whole <= available) return { seconds, warmupSeconds };
  const neededSeconds = keep.has('seconds') ? seconds : Math.min(minSeconds, seconds);
  const share = Math.min((available * warmupSeconds) / whole, available - neededSeconds);
  const warmup = keep.has('warmupSeconds') ? warmupSeconds : roundDown(Math.max(0, share));
  const left = available - warmup;
  if (left < neededSeconds) return undefined;
  return {
    seconds: left >= seconds || keep.has('seconds') ? seconds : roundDown(left),
    warmupSeconds: warmup,
  };
}

/** To hundredths, so that the plan is readable; the small surplus is for 0.35 being 0.34999…. */
function roundDown(seconds: number): number {
  return Math.floor(seconds * 100 + 1e-6) / 100;
}
