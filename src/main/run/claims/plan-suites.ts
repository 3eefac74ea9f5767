import type { Ledger, LedgerSuite } from '../../../aggregate/claims/ledger.ts';
import { formatList } from '../../../aggregate/text/format.ts';
import { optionWords, quote } from '../../cli/command-words.ts';
import { applyOverrides, type Overrides } from '../../experiment/overrides.ts';
import { estimateSeconds, type Plan, planRun } from '../../experiment/plan.ts';
import { readConfig } from '../../experiment/read-config.ts';
import { type Suite, shownConfig } from './suites.ts';
import { type ClaimsTarget, readTarget } from './target-argument.ts';

/** A suite as it is run against one target. */
export interface PlannedSuite extends Suite {
  /** Of one side, or two that are measured in turn; of none where the suite cannot be run against the target. */
  readonly plan: Plan;
  /** The place among its sides of the one whose target is the ledger's. */
  readonly own: number;
  /** Whether it measures a cold start: its times are its config's, whatever the command line says. */
  readonly cold: boolean;
  /** What this takes, without finding targets and writing keys. */
  readonly estimatedSeconds: number;
  /** How the ledger shows it before it has run. */
  readonly shown: LedgerSuite;
}

/**
 * Every suite with this target and what the command line says over it. A suite without a warm-up measures a cold
 * start: a warm-up would be the end of it, and a longer window would hide it, so its times stay.
 *
 * @throws PoolbenchError CONFIG_MISSING, CONFIG_INVALID, USAGE
 */
export async function planSuites(
  suites: readonly Suite[],
  target: ClaimsTarget,
  settings: Overrides,
): Promise<PlannedSuite[]> {
  const planned: PlannedSuite[] = [];
  for (const suite of suites) planned.push(await planSuite(suite, target, settings));
  return planned;
}

async function planSuite(
  suite: Suite,
  target: ClaimsTarget,
  { rounds, seconds, warmup, seed }: Overrides,
): Promise<PlannedSuite> {
  const read = await readConfig(suite.config);
  const cold = read.warmupSeconds === 0;
  const settings = cold ? { rounds, seed } : { rounds, seconds, warmup, seed };
  const experiment = applyOverrides(read, settings);
  const targets = suite.opponents === null ? [target] : await bothTargets(target, suite.opponents);
  const plan = planRun(
    targets.map(side => ({
      ...experiment,
      name: suite.opponents === null ? experiment.name : side.target.server,
      target: side.target,
    })),
  );
  const [side = planRun([experiment]).sides[0]] = plan.sides;
  const impossible = plan.sides.length === 0;
  return {
    ...suite,
    plan,
    own: targets.indexOf(target),
    cold,
    estimatedSeconds: estimateSeconds(plan),
    shown: {
      name: suite.name,
      claims: suite.claims.map(({ id }) => id),
      state: impossible ? 'impossible' : 'not run',
      note: impossible ? takesTwoServers : '',
      scenarios: side?.scenarios.length ?? 0,
      rounds: experiment.rounds,
      seconds: experiment.seconds,
      warmupSeconds: experiment.warmupSeconds,
      result: null,
      command: suite.opponents === null ? commandOf(suite, target, settings) : null,
    },
  };
}

/** The target beside the server that it is compared with, Redis first; none where it could be any server. */
async function bothTargets(
  target: ClaimsTarget,
  opponents: NonNullable<Suite['opponents']>,
): Promise<ClaimsTarget[]> {
  const { server } = target.target;
  if (server === 'any') return [];
  return server === 'redis'
    ? [target, await readTarget(opponents.valkey)]
    : [await readTarget(opponents.redis), target];
}

const takesTwoServers =
  'It takes two servers, and the target does not say which one it is: it runs with redis, valkey, dragonfly, or a config that names its server.';

/** What runs it alone. */
function commandOf({ config }: Suite, { option }: ClaimsTarget, settings: Overrides): string {
  const [name, value] = option;
  const words = [quote(shownConfig(config)), name, quote(value), ...optionWords(settings)];
  return ['npm', 'start', '--', ...words].join(' ');
}

/** Which suites keep their times although the command line gives others; null where there is nothing to say. */
export function describeCold(
  plan: readonly PlannedSuite[],
  { seconds, warmup }: Ledger['settings'],
): string | null {
  const names = plan.filter(({ cold }) => cold).map(({ name }) => name);
  const given = Object.entries({ seconds, warmup }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`],
  );
  if (names.length === 0 || given.length === 0) return null;
  return `Not changed by ${formatList(given)}, for a cold start is measured there: ${formatList(names)}.`;
}
