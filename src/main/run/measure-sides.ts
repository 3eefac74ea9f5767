import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import { comparisonDocument } from '../../aggregate/report/documents/comparison.ts';
import { resultDocument } from '../../aggregate/report/documents/result.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import type { Result } from '../../aggregate/result.ts';
import { shortPaths } from '../../aggregate/result-files.ts';
import { formatList } from '../../aggregate/text/format.ts';
import { resumeRunCommand } from '../command-words.ts';
import { describeEnvironment, describeTool } from '../environment.ts';
import { onInterrupt } from '../interrupt.ts';
import { Progress } from '../live/progress.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { describeSides } from '../plan/describe-sides.ts';
import type { PlannedSide } from '../plan/sides.ts';
import { printOutput } from '../results/print-output.ts';
import { removeEmptyFolders } from '../results/remove-empty-folders.ts';
import { createResultsFolder, createSideFolders, writeComparison } from '../results/results-folder.ts';
import { shownFolder } from '../shown-folder.ts';
import type { Target } from '../target/resolve.ts';
import { shownTarget } from '../target/shown-target.ts';
import { withoutPassword } from '../target/url.ts';
import { describeEarlier, type EarlierRun, finishedOf } from './earlier-run.ts';
import { endRun } from './end-run.ts';
import { meetTarget } from './meet-target.ts';
import { runSides, type SidesOutcome } from './run-sides.ts';
import { expectSameSubject, type Subject } from './same-subject.ts';
import type { Side } from './side.ts';

/** What a run makes of its sides. */
export interface Session {
  /** A part of the name of its folder. */
  readonly name: string;
  readonly sides: readonly PlannedSide[];
  /** What there is already of one side, where that is resumed. */
  readonly earlier?: EarlierRun;
}

/**
 * What `run` and `versus` do once they know their sides: find the targets, measure, print, write. Results go to
 * standard output, everything on the way there to standard error. One side has its results in the run's folder;
 * several have a folder each in it, beside their comparison.
 *
 * @returns the exit code
 * @throws PoolbenchError for what is wrong before anything was measured, or what ended the run
 */
export async function measureSides(
  { name, sides: planned, earlier }: Session,
  flags: RunFlags,
): Promise<number> {
  const progress = await Progress.open(process.stderr, flags);
  const interrupt = new AbortController();
  const forget = onInterrupt(
    () => interrupt.abort(),
    line => progress.say(line),
  );
  const folders: string[] = [];
  const targets: Target[] = [];
  const tidy = () => removeEmptyFolders(folders);
  try {
    const folder = earlier?.folder ?? (await createResultsFolder(flags.out ?? 'results', name, new Date()));
    folders.push(folder);
    if (planned.length > 1)
      folders.push(
        ...(await createSideFolders(
          folder,
          planned.map(side => side.name),
        )),
      );
    const sides: Side[] = [];
    for (const [index, side] of planned.entries()) {
      const target = await meetTarget(side.experiment, {
        standInAllowed: flags['no-stand-in'] !== true,
        urlTyped: flags.url !== undefined,
        onFreePort: planned.length > 1,
        say: line => progress.say(planned.length > 1 ? `${side.name}: ${line}` : line),
        signal: interrupt.signal,
        beforeExit: tidy,
      });
      targets.push(target);
      progress.meet(planned.length > 1 ? side.name : '', shownTarget(target));
      if (earlier !== undefined) expectSameSubject('run', earlier.subject, subjectOf(target));
      sides.push({
        ...side,
        target,
        folder: (planned.length > 1 ? folders[index + 1] : undefined) ?? folder,
      });
    }
    progress.say(describeSides(planned));
    if (earlier !== undefined) progress.say(describeEarlier(earlier));
    const { signal } = interrupt;
    const outcome = await runSides({ sides, progress, signal, force: flags.force === true, earlier });
    progress.say('');
    const written = await conclude(outcome, folder, flags).catch(cause => {
      throw outcome.error ?? cause;
    });
    if (written !== '') {
      const page = planned.length > 1 ? 'comparison.html' : 'report.html';
      if (written.includes('.html')) progress.say(`\nTo look at: ${shownFolder(folder)}/${page}`);
      progress.say(`Written: ${shownFolder(folder)}/${written}`);
    }
    sayHowToGoOn(outcome.results, sides, flags);
    return endRun(outcome, sides, { json: flags.json === true, interrupted: signal.aborted });
  } finally {
    await progress.close();
    await Promise.allSettled(targets.map(target => target.stop()));
    tidy();
    forget();
  }
}

function subjectOf(target: Target): Subject {
  return { target: shownTarget(target), environment: describeEnvironment(), tool: describeTool() };
}

/** Prints the result of one side, or compares several; resolves to what was written, for a reader, which may be nothing. */
async function conclude(
  { results, written }: SidesOutcome,
  folder: string,
  flags: RunFlags,
): Promise<string> {
  const [only] = results;
  if (only !== undefined && results.length === 1) {
    printOutput(only, { json: flags.json, render: colour => renderTerminal(resultDocument(only), colour) });
    return formatList(shortPaths(written.flatMap(({ paths }) => paths)));
  }
  const comparison = compareResults(results);
  printOutput(comparison, {
    json: flags.json,
    render: colour => renderTerminal(comparisonDocument(comparison), colour),
  });
  await writeComparison(folder, comparison);
  const sides = ', and a folder of each side with its result.json, reports and files for other tools';
  const all = written.every(({ error }) => error === undefined);
  return `comparison.json, .md and .html${all ? sides : ''}`;
}

/** A run of one target that did not come to its end can be gone on with, if there is anything to keep. */
function sayHowToGoOn(results: readonly Result[], sides: readonly Side[], flags: RunFlags): void {
  const [side] = sides;
  const [result] = results;
  if (side === undefined || sides.length > 1 || result?.complete !== false) return;
  if (finishedOf(result, side.experiment).count === 0) {
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
