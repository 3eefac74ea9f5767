import type { ClaimWords } from '../../../aggregate/claims/claim.ts';
import { claims } from '../../../aggregate/claims/claims.ts';
import type { Ledger, LedgerSuite } from '../../../aggregate/claims/ledger.ts';
import { formatList } from '../../../aggregate/text/format.ts';
import { optionWords, quote } from '../../command-words.ts';
import { PoolbenchError } from '../../errors.ts';
import { expectSuitsAgents } from '../../experiment/agent-misfits.ts';
import { findClients, type UsedClients } from '../../experiment/clients.ts';
import { type Experiment, retargeted } from '../../experiment/experiment.ts';
import { faultsOf } from '../../experiment/faults.ts';
import { applyOverrides, type Overrides } from '../../experiment/overrides.ts';
import { armsOf, type Plan, planRun, secondsAtMost } from '../../experiment/plan.ts';
import { readConfig } from '../../experiment/read-config.ts';
import { expandScenarios } from '../../experiment/scenarios.ts';
import { type ClaimsTarget, readTarget, shippedConfig, shownConfig } from './target-argument.ts';

/** Scenarios that test one or more claims. */
export interface Suite {
  readonly name: string;
  readonly config: string;
  readonly claims: readonly ClaimWords[];
  /**
   * For claims about two servers, the configs of the servers to compare the target with: Redis, or Valkey if the target
   * is Redis. Null for claims about one server.
   */
  readonly opponents: { readonly redis: string; readonly valkey: string } | null;
}

/** Suites that need two servers; they come last, so that the second server does not run during the others. */
const ofTwoServers: ReadonlySet<string> = new Set(
  claims.filter(claim => 'judgeSides' in claim).map(({ suite }) => suite),
);

/** The suites that these claims name, in the order of the claims. */
export function suitesOf(claims: readonly ClaimWords[]): Suite[] {
  return [...new Set(claims.map(({ suite }) => suite))]
    .toSorted((a, b) => Number(ofTwoServers.has(a)) - Number(ofTwoServers.has(b)))
    .map(name => ({
      name,
      config: shippedConfig(`claims/${name}`),
      claims: claims.flatMap(({ id, statement, predicted, suite }) =>
        suite === name ? [{ id, statement, predicted, suite }] : [],
      ),
      opponents: ofTwoServers.has(name)
        ? { redis: shippedConfig('redis'), valkey: shippedConfig('valkey') }
        : null,
    }));
}

/** Everything that `poolbench claims` runs. */
export const allSuites: readonly Suite[] = suitesOf(claims);

/** A suite for one target. */
export interface PlannedSuite extends Suite {
  /**
   * The plan: with one side, two sides that are measured in turn, or none if the suite cannot run against the target.
   */
  readonly plan: Plan;
  /** The clients of each side; empty if the suite cannot run. */
  readonly clients: UsedClients;
  /** The index of the side whose target is the ledger's. */
  readonly own: number;
  /**
   * Whether it measures a cold start: then its times come from its config, and the command line does not change them.
   */
  readonly cold: boolean;
  /** The estimated time, without finding targets and writing keys. */
  readonly estimatedSeconds: number;
  /** How the ledger shows the suite before it has run. */
  readonly shown: LedgerSuite;
}

/**
 * Every suite for this target, with the changes of the command line. A suite without a warm-up measures a cold start,
 * which a warm-up would remove and a longer window would hide, so its times stay.
 *
 * @param options.onAgents the load runs on agents, which do not have all clients @default false
 * @throws PoolbenchError CONFIG_MISSING, CONFIG_INVALID, USAGE
 */
export function planSuites(
  suites: readonly Suite[],
  target: ClaimsTarget,
  settings: Overrides,
  { onAgents = false }: { readonly onAgents?: boolean } = {},
): Promise<PlannedSuite[]> {
  return Promise.all(suites.map(suite => planSuite(suite, target, settings, onAgents)));
}

async function planSuite(
  suite: Suite,
  target: ClaimsTarget,
  { rounds, seconds, warmup, seed }: Overrides,
  onAgents: boolean,
): Promise<PlannedSuite> {
  // The user's packages are in the current folder, not in poolbench's own.
  const read = { ...(await readConfig(suite.config)), clientsFrom: null };
  const cold = read.warmupSeconds === 0;
  const settings = cold ? { rounds, seed } : { rounds, seconds, warmup, seed };
  const experiment = applyOverrides(read, settings);
  const targets = suite.opponents === null ? [target] : await bothTargets(target, suite.opponents);
  const sides = targets.map(side => ({
    ...experiment,
    name: suite.opponents === null ? experiment.name : side.target.server,
    target: side.target,
  }));
  const found = whyImpossible(sides) ?? (await clientsOf(experiment, onAgents));
  const impossible = typeof found === 'string' ? found : null;
  const plan = planRun(impossible === null ? sides : []);
  const [side = planRun([experiment]).sides[0]] = plan.sides;
  return {
    ...suite,
    plan,
    clients: typeof found === 'string' ? new Map() : found,
    own: targets.indexOf(target),
    cold,
    estimatedSeconds: secondsAtMost(plan),
    shown: {
      name: suite.name,
      claims: suite.claims.map(({ id }) => id),
      state: impossible === null ? 'not run' : 'impossible',
      note: impossible ?? '',
      scenarios: side === undefined ? 0 : armsOf(side).length,
      rounds: plan.rounds.atMost,
      seconds: experiment.seconds,
      warmupSeconds: experiment.warmupSeconds,
      result: null,
      command: suite.opponents === null ? commandOf(suite, target, settings) : null,
    },
  };
}

/** The target and the server to compare it with, Redis first; none if the target could be any server. */
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
  'It needs two servers, and this target does not declare which server it is: give redis, valkey, dragonfly, or a config that declares its server.';

/** Why these targets cannot be measured, as a sentence; null if they can. */
function whyImpossible(sides: readonly Experiment[]): string | null {
  if (sides.length === 0) return takesTwoServers;
  const faults = sides.flatMap(side => {
    const { error } = retargeted.safeParse(side);
    return error === undefined ? [] : faultsOf(error.issues, side).map(({ text }) => text);
  });
  return faults[0] === undefined ? null : `It cannot be measured on this target: ${faults[0]}.`;
}

/**
 * Its clients; or a sentence about those that cannot be used here or on agents. Most installations have only
 * poolbench's own clients.
 */
async function clientsOf(experiment: Experiment, onAgents: boolean): Promise<UsedClients | string> {
  try {
    if (onAgents) expectSuitsAgents(experiment);
    return await findClients({ experiment, scenarios: expandScenarios(experiment.scenarios) });
  } catch (error) {
    if (!(error instanceof PoolbenchError)) throw error;
    return `It cannot be measured here: ${error.message}.`;
  }
}

/** The command that runs only this suite. */
function commandOf({ config }: Suite, { option }: ClaimsTarget, settings: Overrides): string {
  const [name, value] = option;
  const words = [quote(shownConfig(config)), name, quote(value), ...optionWords(settings)];
  return ['npm', 'start', '--', ...words].join(' ');
}

/** The suites that keep their times although the command line sets others; null if there are none. */
export function describeCold(
  plan: readonly PlannedSuite[],
  { seconds, warmup }: Ledger['settings'],
): string | null {
  const names = plan.filter(({ cold }) => cold).map(({ name }) => name);
  const given = [
    ...(seconds === undefined ? [] : ['--seconds']),
    ...(warmup === undefined ? [] : ['--warmup']),
  ];
  if (names.length === 0 || given.length === 0) return null;
  return `Not changed by ${formatList(given)}, because these suites measure a cold start: ${formatList(names)}.`;
}
