import { fixedRounds } from '../../aggregate/stats/sign-test.ts';
import { formatList } from '../../aggregate/text/format.ts';
import { allOf, PoolbenchError } from '../errors.ts';
import { removeControls } from './blocks.ts';
import { describeRounds } from './describe-plan.ts';
import type { Experiment } from './experiment.ts';
import type { ConfigOverrides, Overrides } from './overrides.ts';
import {
  armsOf,
  budgetOf,
  overheadSeconds,
  type Plan,
  type PlannedSide,
  planRun,
  planSides,
} from './plan.ts';
import { readExperiment } from './read-config.ts';
import { hasStages } from './stage-seconds.ts';

/** The limit that --quick promises; the estimate that it tries first, and the one used if that leaves too little. */
const promisedSeconds = 30;
const limitsSeconds = [25, 29.5];
/** Shorter windows say little. */
const minSeconds = 0.1;

/**
 * The plan of these configs with the changes of the command line.
 *
 * @throws PoolbenchError CONFIG_MISSING, CONFIG_INVALID, USAGE
 */
export async function readPlan(paths: readonly string[], flags: ConfigOverrides): Promise<Plan> {
  const experiments = await allOf(paths.map(path => readExperiment(path, flags)));
  expectOneRange(experiments);
  const plan = planRun(experiments);
  return flags.quick ? quick(plan, flags) : plan;
}

/** Rounds that only one side has decide nothing. @throws PoolbenchError CONFIG_INVALID */
function expectOneRange([first, ...others]: readonly Experiment[]): void {
  if (first === undefined) return;
  const describe = (experiment: Experiment) => {
    const budget = budgetOf(experiment);
    const within = budget === Number.POSITIVE_INFINITY ? 'without a budget' : `within ${budget} s`;
    return `${describeRounds(experiment.rounds)} ${within}`;
  };
  const unlike = others.find(other => describe(other) !== describe(first));
  if (unlike === undefined) return;
  throw new PoolbenchError(
    'CONFIG_INVALID',
    `expected the same rounds and budgetSeconds in configs that are compared, found ${describe(first)} in ${first.name} and ` +
      `${describe(unlike)} in ${unlike.name}: only rounds that all sides have measured count; use the same values in all configs, or give --rounds`,
  );
}

/**
 * Cuts every side of a plan down to 2 rounds, or 1, and shorter times, so that its estimate stays under 30 s. There is
 * no time for controls.
 *
 * @param kept settings of the command line, which are kept
 * @throws USAGE if the number of scenarios, or the values to keep, make that impossible
 */
export function quick({ sides, blocks }: Plan, kept: Overrides = {}): Plan {
  const cut = sides.map(side => quickSide({ ...side, scenarios: armsOf(side) }, kept));
  const rounds = fixedRounds(Math.min(...cut.map(({ experiment }) => experiment.rounds.atMost)));
  const alike = cut.map(side => ({ ...side, experiment: { ...side.experiment, rounds } }));
  return planSides(alike, removeControls(blocks));
}

function quickSide(side: PlannedSide, kept: Overrides): PlannedSide {
  const { experiment, scenarios } = side;
  const { atMost } = experiment.rounds;
  const roundCounts = kept.rounds === undefined ? [Math.min(2, atMost), 1] : [atMost];
  for (const limitSeconds of limitsSeconds) {
    for (const rounds of roundCounts) {
      const times = shorten(experiment, limitSeconds / (scenarios.length * rounds) - overheadSeconds, kept);
      if (times) return { ...side, experiment: { ...experiment, ...times, rounds: fixedRounds(rounds) } };
    }
  }
  const names = (['rounds', 'seconds', 'warmup'] as const).filter(name => kept[name] !== undefined);
  const asGiven = names.length > 0 ? ` with ${formatList(names.map(name => `--${name}`))} as given` : '';
  throw new PoolbenchError(
    'USAGE',
    `--quick cannot fit ${scenarios.length} scenarios into ${promisedSeconds} s${asGiven}: use a config with fewer scenarios, or --rounds and --seconds without --quick.`,
  );
}

/** Measured time and warm-up of at most `available` seconds together, or undefined if there is no room for them. */
function shorten(
  experiment: Experiment,
  available: number,
  kept: Overrides,
): Pick<Experiment, 'seconds' | 'warmupSeconds'> | undefined {
  const { seconds, warmupSeconds } = experiment;
  const whole = seconds + warmupSeconds;
  if (whole <= available) return { seconds, warmupSeconds };
  const keepsSeconds = kept.seconds !== undefined || hasStages(experiment);
  const neededSeconds = keepsSeconds ? seconds : Math.min(minSeconds, seconds);
  const inProportion = Math.min((available * warmupSeconds) / whole, available - neededSeconds);
  const warmup = kept.warmup === undefined ? roundDown(Math.max(0, inProportion)) : warmupSeconds;
  const left = available - warmup;
  if (left < neededSeconds) return undefined;
  return { seconds: left >= seconds || keepsSeconds ? seconds : roundDown(left), warmupSeconds: warmup };
}

/** To hundredths, so that the plan is readable; the small surplus is for 0.35 being 0.34999…. */
function roundDown(seconds: number): number {
  return Math.floor(seconds * 100 + 1e-6) / 100;
}
