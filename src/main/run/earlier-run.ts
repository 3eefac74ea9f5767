import type { Result } from '../../aggregate/result.ts';
import { withoutControls } from '../../aggregate/stats/control.ts';
import { describeHosts, type HostMachine } from '../../aggregate/stats/hosts.ts';
import { type FinishedRounds, finishedRounds } from '../../aggregate/stats/rounds.ts';
import { latencyWarnings } from '../../aggregate/stats/warnings.ts';
import { formatDuration, formatPlural } from '../../aggregate/text/format.ts';
import { describeClients, describeMasters } from '../../aggregate/text/target-words.ts';
import { timeOfDay } from '../../pool/clock.ts';
import { urlOfEnvironment } from '../command-words.ts';
import { describeEnvironment, describeTool } from '../environment.ts';
import { PoolbenchError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { applyOverrides } from '../experiment/overrides.ts';
import { type Plan, planRun } from '../experiment/plan.ts';
import { populationsOf } from '../experiment/populations.ts';
import { checkConfig, readConfig } from '../experiment/read-config.ts';
import { hiddenPassword, withoutPasswords } from '../experiment/target.ts';
import { hashFiles } from '../experiment/workload-files.ts';
import type { Options } from '../options.ts';
import type { Target } from '../server/find-target.ts';
import { shownTarget } from '../server/find-target.ts';
import { withoutPassword } from '../server/url.ts';
import { foundOn } from './assemble.ts';
import { Course } from './course.ts';
import { resumeCommands } from './left-keys.ts';
import { readResult, resultIn } from './results/read-result.ts';
import { stampOf } from './results/results-writer.ts';

/** A stopped run, and what it is resumed with. */
export interface EarlierRun {
  readonly folder: string;
  readonly startedAt: Date;
  readonly subject: Subject;
  readonly finished: FinishedRounds;
  /** The agents that took part so far. */
  readonly hosts: Result['hosts'];
  /** The warnings of its results, and that it was resumed. */
  readonly warnings: readonly string[];
  readonly resumed: NonNullable<Result['resumed']>;
  readonly serverSeries: Result['serverSeries'];
  /** The version of its result.json that was read. */
  readonly stamp: string | undefined;
}

/** A result that was read, and the version of its file. */
export interface LeftResult {
  readonly result: Result;
  readonly stamp: string | undefined;
}

/** The origin of figures, which must be the same for all figures that are judged together. */
type Subject = Pick<Result, 'target' | 'environment' | 'clients' | 'tool'> & {
  readonly hosts?: readonly HostMachine[] | undefined;
};

/**
 * Reads the result that a run left in its folder, and plans its config. Results contain no passwords, so the target can
 * be given again with its password.
 *
 * @param given.target a config with the same target
 * @param given.url the same URL
 * @returns `refusal`: why it cannot be resumed, or null
 * @throws PoolbenchError RESULT_INVALID; USAGE if the given target or a file of the workload differs; CONFIG_INVALID if
 * such a file cannot be read
 */
export async function readLeftRun(
  folder: string,
  given: Options<'target' | 'url'>,
): Promise<{ readonly left: LeftResult; readonly plan: Plan; readonly refusal: string | null }> {
  const file = await resultIn(folder, resumeCommands);
  const left = await readLeftResult(file);
  const { result } = left;
  // Its paths are relative to where it was run, like those on a command line. The files come first: with other texts, the
  // config could be invalid for reasons that do not name the file.
  expectSameFiles(result.files, await hashFiles(result.config));
  const plan = planRun([await withPasswords(readKeptConfig(result, file), folder, given)]);
  return { left, plan, refusal: whyNotResumed(result, plan) };
}

/** What a result is instead of a run of one target, the only kind that can be resumed; null if it is one. */
function whyNotResumed(result: Result, plan: Plan): string | null {
  if (result.session !== undefined)
    return 'expected a run of one target, found one side of a run of several targets, which cannot be resumed';
  const planned = new Set(plan.sides.flatMap(({ scenarios }) => scenarios.map(({ id }) => id)));
  // The first step of a search has the scenario of its config, but not as many rounds.
  const strange = result.scenarios.find(
    ({ id, plannedRounds = plan.rounds }) =>
      !planned.has(id) || plannedRounds.atLeast !== plan.rounds.atLeast,
  );
  return strange === undefined
    ? null
    : `expected the scenarios and rounds of its config, found others for ${strange.id}: only a result of the run command can be resumed`;
}

/** @throws PoolbenchError RESULT_INVALID */
export async function readLeftResult(file: string): Promise<LeftResult> {
  // What is written while it is read is another version.
  const stamp = await stampOf(file);
  return { stamp, result: await readResult(file) };
}

function readKeptConfig({ config }: Result, file: string): Experiment {
  try {
    return checkConfig(config, 'config.json');
  } catch (cause) {
    if (!(cause instanceof PoolbenchError)) throw cause;
    throw new PoolbenchError(
      'RESULT_INVALID',
      `${file}: expected a config that can be run; ${cause.message}`,
    );
  }
}

async function withPasswords(
  experiment: Experiment,
  folder: string,
  { target: file, url: typed }: Options<'target' | 'url'>,
): Promise<Experiment> {
  const ofEnvironment = urlOfEnvironment();
  const isSame = ofEnvironment !== undefined && withoutPassword(ofEnvironment) === experiment.target.url;
  const url = typed ?? (isSame && file === undefined ? ofEnvironment : undefined);
  const given = file === undefined ? experiment.target : (await readConfig(file)).target;
  const { target } = applyOverrides({ ...experiment, target: given }, { url });
  if (shown(target) !== shown(experiment.target)) {
    throw new PoolbenchError(
      'USAGE',
      `expected the target of the run in ${folder}, ${experiment.target.server} at ${experiment.target.url}, found ${target.server} at ${withoutPassword(target.url)} or with other keys; only its passwords may be added`,
    );
  }
  if (target.sentinel.password === hiddenPassword) {
    throw new PoolbenchError(
      'USAGE',
      'expected the password of the Sentinels, which results do not keep; give the config of the run with --target FILE',
    );
  }
  return { ...experiment, target };
}

function shown(target: Experiment['target']): string {
  return JSON.stringify(withoutPasswords(target, withoutPassword(target.url)));
}

/** The rounds that are kept when a run with one side is resumed. */
export function finishedOf(result: Result, plan: Plan): FinishedRounds {
  const measured = plan.sides.map(({ experiment, scenarios }) => ({
    target: result.target,
    scenarios,
    populations: populationsOf(experiment),
    plannedRounds: () => plan.rounds,
    rounds: new Map(result.scenarios.map(({ id, rounds }) => [id, rounds])),
  }));
  const course = new Course(
    plan,
    foundOn(() => measured),
  );
  return finishedRounds(result, {
    idsIn: round => course.turnsOf(round).map(({ scenario }) => scenario.id),
    seconds: plan.sides[0]?.experiment.seconds ?? 0,
  });
}

/** What is kept of a run with one side that is resumed now. */
export function resumeNow({ result, stamp }: LeftResult, plan: Plan, folder: string): EarlierRun {
  const now = timeOfDay();
  const finished = finishedOf(result, plan);
  const gapSeconds = Math.max(0, (now.getTime() - Date.parse(result.finishedAt)) / 1000);
  const computedAnew = new Set(latencyWarnings(withoutControls(result)));
  const warning =
    `the run was stopped after ${formatPlural(finished.count, 'finished round')} and resumed at ${now.toISOString()}, ` +
    `${formatDuration(gapSeconds)} after it had last written: the machine or the server may have changed in between, so compare scenarios, which share their rounds, rather than rounds`;
  return {
    folder,
    startedAt: new Date(result.startedAt),
    subject: result,
    finished,
    hosts: result.hosts,
    warnings: [
      ...result.warnings.filter(earlier => !computedAnew.has(earlier)),
      // Nothing was measured before the gap.
      ...(finished.count === 0 ? [] : [warning]),
    ],
    resumed: [
      ...(result.resumed ?? []),
      { at: now.toISOString(), afterRounds: finished.count, gapSeconds: Math.round(gapSeconds) },
    ],
    serverSeries: result.serverSeries,
    stamp,
  };
}

/** Describes where the run continues. */
export function describeEarlier({ finished }: EarlierRun): string {
  return finished.count === 0
    ? 'Resumed: no round was finished.'
    : `Resumed: ${formatPlural(finished.count, 'round')} already finished and kept.`;
}

/**
 * Describes what is measured now, to be compared with what was measured before.
 *
 * @param load.hosts the agents that run the load; undefined: this machine
 * @param load.clients undefined for a ledger, whose suites have their own clients
 */
export function subjectOf(target: Target, load: Pick<Subject, 'hosts' | 'clients'> = {}): Subject {
  return { target: shownTarget(target), environment: describeEnvironment(), tool: describeTool(), ...load };
}

/**
 * Checks that the coming measurements belong to the earlier ones.
 *
 * @param whole what both are part of, for the message
 * @throws PoolbenchError USAGE with the first difference
 */
export function expectSameSubject(whole: 'ledger' | 'run', before: Subject, found: Subject): void {
  const now = aspects(found);
  for (const [index, [what, expected]] of aspects(before).entries()) {
    const is = now[index]?.[1];
    if (is === expected) continue;
    throw new PoolbenchError(
      'USAGE',
      `expected the ${what} of the ${whole}, ${expected}, found ${is}; a ${whole} covers one target on one machine, with one version of everything: start another one without --resume`,
    );
  }
}

/**
 * Checks that a resumed run has the same workload files as at its start.
 *
 * @param before undefined: there were none, or the result is from before they were recorded
 * @throws PoolbenchError USAGE with the first that differs
 */
export function expectSameFiles(
  before: Result['files'] = [],
  found: readonly { readonly key: string; readonly sha256: string }[],
): void {
  for (const { key, file, sha256 } of before) {
    if (found.some(now => now.key === key && now.sha256 === sha256)) continue;
    throw new PoolbenchError(
      'USAGE',
      `${key}: expected the text of ${file} that the run began with (SHA-256 ${sha256}), found another text; restore the file, or start another run without --resume`,
    );
  }
}

function aspects({
  target,
  environment,
  hosts,
  clients = [],
  tool,
}: Subject): [what: string, value: string][] {
  const { declared, detected } = target;
  const threads =
    detected.threads === null ? 'an unknown number of threads' : formatPlural(detected.threads, 'thread');
  return [
    ['target', `${declared.server} at ${declared.url}`],
    ['server', `${detected.server} ${detected.version} with ${threads}`],
    ['number of servers', describeMasters(detected)],
    ['machine', `${environment.cpu} with ${environment.cores} cores`],
    ['runtime', `Node ${environment.node}`],
    ['agents', hosts === undefined ? 'none' : describeHosts(hosts)],
    ['tool', `${tool.name} ${tool.version}`],
    ['clients', describeClients(clients)],
  ];
}
