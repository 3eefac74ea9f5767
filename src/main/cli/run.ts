import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import { whyNotComparable } from '../../aggregate/comparison/equality.ts';
import { comparisonDocument } from '../../aggregate/report/documents/comparison.ts';
import { resultDocument } from '../../aggregate/report/documents/result.ts';
import { shortPaths } from '../../aggregate/report/files/result-files.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import type { Result } from '../../aggregate/result.ts';
import { formatList } from '../../aggregate/text/format.ts';
import { maxNameLength } from '../../aggregate/text/safe-name.ts';
import { PoolbenchError } from '../errors.ts';
import { describePlan } from '../experiment/describe-plan.ts';
import type { Plan } from '../experiment/plan.ts';
import { readPlan } from '../experiment/read-plan.ts';
import { printOutput } from '../live/terminal.ts';
import {
  describeEarlier,
  type EarlierRun,
  expectSameSubject,
  finishedOf,
  readLeftRun,
  resumeNow,
  subjectOf,
} from '../run/earlier-run.ts';
import { endRun } from '../run/exit-code.ts';
import { writeComparison } from '../run/results/results-folder.ts';
import { type RoundsOutcome, runPlan } from '../run/rounds.ts';
import { printBanners, Session } from '../run/session.ts';
import type { Side } from '../run/side.ts';
import { withoutPassword } from '../server/url.ts';
import { resumeRunCommand, shownFolder } from './command-words.ts';
import type { RunFlags } from './parse-command-line.ts';

/**
 * `poolbench run CONFIG`: one side, or one for each number of server threads that the config lists.
 *
 * @returns the exit code
 * @throws PoolbenchError for what is wrong before anything was measured, or what ended the run
 */
export async function run(path: string, flags: RunFlags): Promise<number> {
  const plan = await readPlan([path], flags);
  return await loadSides(plan, plan.sides[0]?.experiment.name ?? '', flags);
}

/**
 * `poolbench versus CONFIG CONFIG…`: measures all of them in turn within every round, then compares them to the first.
 *
 * @returns the exit code
 * @throws PoolbenchError CONFIG_INVALID where there is nothing to compare; as `run`
 */
export async function versus(paths: readonly string[], flags: RunFlags): Promise<number> {
  const plan = await readPlan(paths, flags);
  const unequal = whyNotComparable(
    plan.sides.map(({ name, experiment, scenarios }) => ({
      name,
      workload: experiment.workload,
      scenarios: scenarios.map(({ id }) => id),
    })),
  );
  if (unequal !== null) throw new PoolbenchError('CONFIG_INVALID', `${unequal}; make the configs alike`);
  const names = plan.sides.map(({ name }) => name);
  const joined = `versus-${names.join('-')}`;
  const name = joined.length <= maxNameLength ? joined : `versus-${names[0]}-and-${names.length - 1}-more`;
  return await loadSides(plan, name, flags);
}

/**
 * `poolbench run --resume DIR`: goes on with a run that was stopped or killed, in its folder. Rounds that were finished
 * stay, the one that was not is measured anew. A run that is complete is shown, and ends as it did then.
 *
 * @returns the exit code
 * @throws PoolbenchError RESULT_INVALID, USAGE; as `run`
 */
export async function resume(folder: string, flags: RunFlags): Promise<number> {
  const { result, plan } = await readLeftRun(folder, flags);
  const [side] = plan.sides;
  if (side === undefined) throw new Error('a run that is resumed has one side');
  if (result.complete) {
    process.stderr.write('This run is complete: there is nothing to go on with.\n');
    printOutput(result, {
      json: flags.json,
      render: colour => renderTerminal(resultDocument(result), colour),
    });
    if (flags.json) printBanners(result.target);
    return endRun({ results: [result], error: undefined }, plan.sides, { interrupted: false });
  }
  return await loadSides(plan, side.experiment.name, flags, resumeNow(result, side, folder));
}

/**
 * Finds the targets, measures, prints, writes. Results go to standard output, everything on the way there to standard
 * error. One side has its results in the run's folder; several have a folder each in it, beside their comparison.
 */
async function loadSides(plan: Plan, name: string, flags: RunFlags, earlier?: EarlierRun): Promise<number> {
  const several = plan.sides.length > 1;
  const parts = several ? plan.sides.map(side => side.name) : [];
  return await Session.run(flags, { name, folder: earlier?.folder, parts }, async session => {
    const { progress, folder } = session;
    const sides: Side[] = [];
    for (const [index, side] of plan.sides.entries()) {
      const options = several ? { side: side.name, onFreePort: true } : {};
      const target = await session.openTarget(side.experiment, options);
      if (earlier !== undefined) expectSameSubject('run', earlier.subject, subjectOf(target));
      sides.push({ ...side, target, folder: session.parts[index] ?? folder });
    }
    progress.say(describePlan(plan));
    if (earlier !== undefined) progress.say(describeEarlier(earlier));
    const outcome = await runPlan(plan, { sides, session, earlier });
    const written = await printAndWrite(outcome, session).catch(cause => {
      throw outcome.error ?? cause;
    });
    if (written !== '') {
      const page = several ? 'comparison.html' : 'report.html';
      if (written.includes('.html')) progress.say(`\nTo look at: ${shownFolder(folder)}/${page}`);
      progress.say(`Written: ${shownFolder(folder)}/${written}`);
    }
    const results = outcome.sides.map(({ result }) => result);
    sayHowToGoOn(results, sides, flags);
    return endRun({ results, error: outcome.error }, sides, session);
  });
}

/** Prints the result of one side, or compares several; resolves to what was written, for a reader, which may be nothing. */
async function printAndWrite({ sides }: RoundsOutcome, session: Session): Promise<string> {
  const [only] = sides;
  if (only !== undefined && sides.length === 1) {
    session.print(only.result, colour => renderTerminal(resultDocument(only.result), colour));
    return formatList(shortPaths(only.written.paths));
  }
  const comparison = compareResults(sides.map(({ result }) => result));
  session.print(comparison, colour => renderTerminal(comparisonDocument(comparison), colour));
  await writeComparison(session.folder, comparison);
  const all = sides.every(({ written }) => written.error === undefined);
  return `comparison.json, .md and .html${
    all ? ', and a folder of each side with its result.json, reports and files for other tools' : ''
  }`;
}

/** A run of one target that did not come to its end can be gone on with, if there is anything to keep. */
function sayHowToGoOn(results: readonly Result[], sides: readonly Side[], flags: RunFlags): void {
  const [side] = sides;
  const [result] = results;
  if (side === undefined || sides.length > 1 || result?.complete !== false) return;
  if (finishedOf(result, side).count === 0) {
    process.stderr.write('No round was finished: there is nothing to go on with, so start the run again.\n');
    return;
  }
  const how = { standInAllowed: flags['no-stand-in'] !== true, force: flags.force === true };
  const { url, sentinel } = side.experiment.target;
  const secret = url !== withoutPassword(url) || sentinel.password !== null;
  process.stderr.write(
    `To go on with this run${secret ? ' (with --target FILE, which has the password)' : ''}: ${resumeRunCommand(side.folder, how)}\n`,
  );
}
