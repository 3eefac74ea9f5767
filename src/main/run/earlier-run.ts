import { join } from 'node:path';
import type { Result } from '../../aggregate/result.ts';
import { formatDuration } from '../../aggregate/text/duration.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { openLoopWarnings } from '../../aggregate/warnings.ts';
import { type FinishedRounds, finishedRounds } from '../../aggregate/whole-rounds.ts';
import type { Experiment } from '../config/experiment.ts';
import { applyOverrides } from '../config/overrides.ts';
import { parseConfig, readConfig } from '../config/read-config.ts';
import { hiddenPassword, withoutPasswords } from '../config/target.ts';
import { PoolbenchError } from '../errors.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { expandScenarios } from '../plan/scenarios.ts';
import { readResult } from '../results/read-result.ts';
import { withoutPassword } from '../target/url.ts';
import type { Subject } from './same-subject.ts';

/** A run that was stopped, as it is gone on with. */
export interface EarlierRun {
  readonly folder: string;
  readonly startedAt: Date;
  readonly subject: Subject;
  readonly finished: FinishedRounds;
  /** What its reader was told, and that it was resumed. */
  readonly warnings: readonly string[];
  readonly resumed: NonNullable<Result['resumed']>;
}

/** The result of a folder that a run has left, with the config it was made by. */
export interface LeftRun {
  readonly result: Result;
  readonly experiment: Experiment;
}

/**
 * Reads what a run has left. Results keep no password, so the target may be given again, with it.
 *
 * @param flags.target a config with the same target
 * @param flags.url the same URL
 * @throws PoolbenchError RESULT_INVALID; USAGE where it is no run of one target, or the target given is another
 */
export async function readLeftRun(
  folder: string,
  { target: targetFile, url }: Pick<RunFlags, 'target' | 'url'>,
): Promise<LeftRun> {
  const file = join(folder, 'result.json');
  const result = await readResult(file);
  if (result.session !== undefined) {
    throw new PoolbenchError(
      'USAGE',
      `${folder}: expected a run of one target, found a side of several, which were measured in turn: those cannot be resumed`,
    );
  }
  // Its paths are as seen from where it was run, like those on a command line.
  const experiment = readKeptConfig(result, file);
  const planned = new Set(expandScenarios(experiment.scenarios).map(({ id }) => id));
  const strange = result.scenarios.find(({ id }) => !planned.has(id));
  if (strange !== undefined) {
    throw new PoolbenchError(
      'USAGE',
      `${folder}: expected the scenarios of its config, found ${strange.id}: only what run has left can be resumed`,
    );
  }
  return { result, experiment: await withPasswords(experiment, folder, { targetFile, url }) };
}

function readKeptConfig({ config }: Result, file: string): Experiment {
  try {
    return parseConfig(JSON.stringify(config), 'config.json');
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
  { targetFile, url }: { readonly targetFile: string | undefined; readonly url: string | undefined },
): Promise<Experiment> {
  const given = targetFile === undefined ? experiment.target : (await readConfig(targetFile)).target;
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

/** The rounds that stay if the run is resumed. */
export function finishedOf(result: Result, { scenarios, seconds }: Experiment): FinishedRounds {
  return finishedRounds(result, { ids: expandScenarios(scenarios).map(({ id }) => id), seconds });
}

/** What stays of a run that is resumed now. */
export function resumeNow({ result, experiment }: LeftRun, folder: string, now: Date): EarlierRun {
  const finished = finishedOf(result, experiment);
  const gapSeconds = Math.max(0, (now.getTime() - Date.parse(result.finishedAt)) / 1000);
  const computedAnew = new Set(openLoopWarnings(result.scenarios));
  const said =
    `the run was stopped after ${formatPlural(finished.count, 'finished round')} and resumed at ${now.toISOString()}, ` +
    `${formatDuration(gapSeconds)} after it had last written: the machine or the server may have changed in between, so compare scenarios, which share their rounds, rather than rounds`;
  return {
    folder,
    startedAt: new Date(result.startedAt),
    subject: result,
    finished,
    warnings: [...result.warnings.filter(warning => !computedAnew.has(warning)), said],
    resumed: [
      ...(result.resumed ?? []),
      { at: now.toISOString(), afterRounds: finished.count, gapSeconds: Math.round(gapSeconds) },
    ],
  };
}

/** Where it goes on, for a reader. */
export function describeEarlier({ finished }: EarlierRun): string {
  return finished.count === 0
    ? 'Resumed: no round was finished.'
    : `Resumed: ${formatPlural(finished.count, 'round')} finished already, and kept.`;
}
