import { whyNotComparable } from '../../aggregate/comparison/fairness.ts';
import { comparisonDocument } from '../../aggregate/report/documents/comparison.ts';
import { resultDocument } from '../../aggregate/report/documents/result.ts';
import { shortPaths } from '../../aggregate/report/files/result-files.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import type { Result } from '../../aggregate/result.ts';
import { formatList } from '../../aggregate/text/format.ts';
import { maxNameLength } from '../../aggregate/text/safe-name.ts';
import { asTypedHere, optionWords, shownFolder } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { parseGates } from '../experiment/gate-flag.ts';
import { armsOf, type Plan } from '../experiment/plan.ts';
import type { Asked } from '../experiment/question.ts';
import { readPlan } from '../experiment/read-plan.ts';
import type { Options, SessionOption } from '../options.ts';
import { clearLeftKeys } from '../run/clear-left-keys.ts';
import { type EarlierRun, finishedOf, readLeftRun, resumeNow } from '../run/earlier-run.ts';
import { endGates, endRun } from '../run/exit-code.ts';
import { printLeftKeys } from '../run/left-keys.ts';
import { type RunOutcome, runSides } from '../run/run-sides.ts';
import { printBanners, type Session, type SessionFlags } from '../run/session.ts';
import { withoutPassword } from '../server/url.ts';
import { printOutput } from '../terminal.ts';
import { enlistFor } from './agent-options.ts';
import { keepQuestion, questionTips } from './question.ts';

/**
 * `poolbench run CONFIG`, or a URL with the flags of a question: one side, or one for each number of server threads
 * that the config lists.
 *
 * @returns the exit code
 * @throws PoolbenchError for a failure before anything was measured, or the one that ended the run
 */
export async function run(
  path: string,
  options: Options<SessionOption | 'rounds' | 'budget' | 'quick' | 'target' | 'url' | 'start' | 'save'> & {
    readonly asked?: Asked;
  },
): Promise<number> {
  const plan = await readPlan([path], options);
  const say = (text: string) => {
    if (text !== '' && options.quiet !== true) process.stderr.write(`${text}\n`);
  };
  say(await keepQuestion(options));
  const code = await loadSides(plan, plan.sides[0]?.experiment.name ?? '', options);
  if (code === 0) say(questionTips(plan, options));
  return code;
}

/**
 * `poolbench versus CONFIG CONFIG…`: measures all of them in turn within every round, and compares them with the first.
 *
 * @returns the exit code
 * @throws PoolbenchError USAGE; CONFIG_INVALID if the workloads differ; as `run`
 */
export async function versus(
  paths: readonly string[],
  options: Options<SessionOption | 'rounds' | 'budget' | 'quick' | 'fail-if'>,
): Promise<number> {
  const gates = parseGates(options['fail-if']);
  const plan = { ...(await readPlan(paths, options)), gates };
  const unequal = whyNotComparable(
    plan.sides.map(side => ({
      name: side.name,
      workload: side.experiment.workload,
      scenarios: armsOf(side).map(({ id }) => id),
    })),
  );
  if (unequal !== null)
    throw new PoolbenchError('CONFIG_INVALID', `${unequal}; use the same values in all configs`);
  const names = plan.sides.map(({ name }) => name);
  const joined = `versus-${names.join('-')}`;
  const name = joined.length <= maxNameLength ? joined : `versus-${names[0]}-and-${names.length - 1}-more`;
  return await loadSides(plan, name, options);
}

/**
 * `poolbench run --resume DIR`: continues a run that was stopped or killed, in its folder. Finished rounds are kept,
 * and the unfinished one is measured again. A complete run is only shown, and ends with the same exit code. Of a side of
 * `versus` and the steps of a search, only the keys that it left are removed.
 *
 * @returns the exit code
 * @throws PoolbenchError RESULT_INVALID, USAGE; as `run`
 */
export async function resume(
  folder: string,
  options: Options<SessionOption | 'target' | 'url' | 'start'>,
): Promise<number> {
  const { left, plan, refusal } = await readLeftRun(folder, options);
  const [side] = plan.sides;
  if (side === undefined) throw new Error('a run that is resumed has one side');
  const { complete, keyClaims } = left.result;
  if (refusal === null && !complete)
    return await loadSides(plan, side.experiment.name, options, resumeNow(left, plan, folder));
  if (refusal === null) process.stderr.write('This run is complete, so nothing is left to measure.\n');
  const result = await clearLeftKeys(left, side.experiment, folder, options);
  if (refusal !== null) {
    if (keyClaims !== undefined && result.keyClaims === undefined) {
      process.stderr.write(
        'Nothing that this command wrote is left on the server. It is not continued: only a result of the run command is.\n',
      );
      return 0;
    }
    throw new PoolbenchError('USAGE', `${folder}: ${refusal}`);
  }
  printOutput(result, {
    json: options.json,
    render: colour => renderTerminal(resultDocument(result), colour),
  });
  if (options.json) printBanners(result.target);
  printLeftKeys(result, folder);
  return endRun({ results: [result], error: undefined }, plan.sides, { interrupted: false });
}

/** Runs a plan and prints the results to standard output, and progress to standard error. */
async function loadSides(
  plan: Plan,
  name: string,
  options: SessionFlags,
  earlier?: EarlierRun,
): Promise<number> {
  const enlist = enlistFor(
    options,
    name,
    plan.sides.map(({ experiment }) => experiment),
  );
  const session = { name, folder: earlier?.folder, earlier, enlist };
  return await runSides(plan, options, session, (outcome, session) => {
    print(outcome, session);
    const written = describeWritten(outcome);
    const page = outcome.comparison === null ? 'report.html' : 'comparison.html';
    if (written !== '') session.sayWritten(written, written.includes(page) ? page : undefined);
    const results = outcome.sides.map(({ result }) => result);
    printNext(results, plan, session, options);
    const code = endRun({ results, error: outcome.error }, plan.sides, session);
    return session.interrupted ? code : endGates(outcome.comparison?.gates ?? [], code);
  });
}

/** Prints the result of one side, or the comparison of several. */
function print({ sides, comparison }: RunOutcome, session: Session): void {
  if (comparison !== null) {
    session.print(comparison, colour => renderTerminal(comparisonDocument(comparison), colour));
    return;
  }
  for (const { result } of sides)
    session.print(result, colour => renderTerminal(resultDocument(result), colour));
}

/** The names of the written files, as text; may be empty. */
function describeWritten({ sides, comparison, comparisonFiles }: RunOutcome): string {
  const [only] = sides;
  if (comparison === null) return formatList(shortPaths(only?.written.paths ?? []));
  if (comparisonFiles === '') return '';
  const all = sides.every(({ written }) => written.error === undefined);
  const folders = ', and a folder of each side with its result.json, reports and files for other tools';
  return `${comparisonFiles}${all ? folders : ''}`;
}

/** Prints the command that continues the run and removes the keys that it left, or otherwise that which only removes them. */
function printNext(
  results: readonly Result[],
  plan: Plan,
  { resultsFolder, parts }: Session,
  options: SessionFlags,
): void {
  const [side] = plan.sides;
  const [result] = results;
  if (side === undefined || plan.sides.length > 1 || result?.complete !== false) {
    for (const [index, each] of results.entries()) printLeftKeys(each, parts[index] ?? resultsFolder);
    return;
  }
  if (finishedOf(result, plan).count === 0) {
    process.stderr.write('No round was finished, so there is nothing to resume: start the run again.\n');
    printLeftKeys(result, resultsFolder);
    return;
  }
  const words = optionWords({
    resume: shownFolder(resultsFolder),
    start: options.start,
    'no-stand-in': options['no-stand-in'],
    force: options.force,
    agents: options.agents,
    group: options.group,
  });
  const { url, sentinel } = side.experiment.target;
  const secret = url !== withoutPassword(url) || sentinel.password !== null;
  process.stderr.write(
    `To resume this run${secret ? ' (with --target FILE, which has the password)' : ''}: ${asTypedHere('run', ...words)}\n`,
  );
}
