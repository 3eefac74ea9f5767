import { rmdirSync } from 'node:fs';
import { relative } from 'node:path';
import { standInBanner } from '../../aggregate/headline.ts';
import { renderTerminal } from '../../aggregate/report-terminal.ts';
import type { Result } from '../../aggregate/result.ts';
import { lostShare } from '../../aggregate/summary.ts';
import { applyOverrides } from '../config/overrides.ts';
import { readConfig } from '../config/read-config.ts';
import { PoolbenchError } from '../errors.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { describePlan } from '../plan/describe-plan.ts';
import { planRun } from '../plan/rounds.ts';
import { onInterrupt } from '../run/interrupt.ts';
import { Progress } from '../run/progress.ts';
import { createResultsFolder } from '../run/results-folder.ts';
import { type RunOutcome, runExperiment } from '../run/run-experiment.ts';
import { controlTimeoutMs, resolveTarget } from '../target/resolve.ts';
import { describeFoundTarget } from './describe-found-target.ts';

/**
 * `poolbench run CONFIG`: results go to standard output, everything on the way there to standard error.
 *
 * @returns the exit code
 * @throws PoolbenchError for what is wrong before anything was measured
 */
export async function run(path: string, flags: RunFlags): Promise<number> {
  const progress = new Progress(process.stderr, { silent: flags.quiet === true });
  const interrupt = new AbortController();
  const forget = onInterrupt(
    () => interrupt.abort(),
    line => progress.say(line),
  );
  try {
    const experiment = applyOverrides(await readConfig(path), flags);
    const folder = await createResultsFolder(flags.out ?? 'results', experiment.name, new Date());
    try {
      const target = await untilInterrupted(
        interrupt.signal,
        () => removeIfEmpty(folder),
        resolveTarget({
          ...experiment.target,
          timeoutMs: controlTimeoutMs(experiment),
          standInAllowed: flags['no-stand-in'] !== true,
          say: line => progress.say(line),
        }),
      );
      try {
        // A stand-in is never silent, not even with --quiet.
        const banner = standInBanner({ target });
        if (banner !== null) process.stderr.write(`${banner}\n`);
        progress.say(describeFoundTarget(target));
        progress.say(describePlan(experiment, planRun(experiment)));
        const outcome = await runExperiment({
          experiment,
          target,
          folder,
          progress,
          signal: interrupt.signal,
        });
        print(outcome.result, flags);
        // The printed report ends with its own banner; JSON cannot shout.
        if (banner !== null && flags.json) process.stderr.write(`${banner}\n`);
        progress.say(`\nWritten: ${relative('.', folder)}/result.json and report.md`);
        return exitCode(outcome, experiment.maxFailedShare, interrupt.signal);
      } finally {
        await target.stop();
      }
    } finally {
      removeIfEmpty(folder);
    }
  } finally {
    forget();
  }
}

/**
 * Waits for what comes before the load, in which there is nothing to keep yet: an interrupt ends the process at once.
 * What is being started or fetched is stopped as the process exits.
 */
async function untilInterrupted<T>(signal: AbortSignal, tidy: () => void, work: Promise<T>): Promise<T> {
  const leave = () => {
    tidy();
    process.exit(130);
  };
  signal.addEventListener('abort', leave);
  try {
    return await work;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** A run that measured nothing leaves no folder behind. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There are results in it.
  }
}

function print(result: Result, flags: RunFlags): void {
  if (flags.json) process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
  else
    process.stdout.write(renderTerminal(result, process.stdout.isTTY === true && process.stdout.hasColors()));
}

function exitCode({ result, error }: RunOutcome, maxFailedShare: number, signal: AbortSignal): number {
  if (signal.aborted) return 130;
  if (error !== undefined) throw error;
  const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
  if (!rounds.some(round => round.completed > 0)) {
    throw new PoolbenchError(
      'NOTHING_MEASURED',
      'expected operations to complete, but none did; see the errors above',
    );
  }
  const lost = lostShare(rounds);
  if (lost > maxFailedShare) {
    throw new PoolbenchError(
      'TOO_MANY_FAILURES',
      `expected at most ${maxFailedShare * 100} % of the operations to fail (maxFailedShare), found ${(lost * 100).toFixed(2)} %`,
    );
  }
  return 0;
}
