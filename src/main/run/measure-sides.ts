import { relative } from 'node:path';
import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import { renderComparison } from '../../aggregate/comparison/terminal.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import type { Result } from '../../aggregate/result.ts';
import { describeThresholds } from '../../aggregate/thresholds/words.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { describeSides } from '../plan/describe-sides.ts';
import type { PlannedSide } from '../plan/sides.ts';
import { printOutput } from '../results/print-output.ts';
import { removeEmptyFolders } from '../results/remove-empty-folders.ts';
import { createResultsFolder, createSideFolders, writeComparison } from '../results/results-folder.ts';
import type { Target } from '../target/resolve.ts';
import { exitCodeOf } from './exit-code.ts';
import { onInterrupt } from './interrupt.ts';
import { meetTarget, shoutStandIn } from './meet-target.ts';
import { Progress } from './progress.ts';
import { runSides } from './run-sides.ts';
import type { Side } from './side.ts';

/** What a run makes of its sides. */
export interface Session {
  /** A part of the name of its folder. */
  readonly name: string;
  readonly sides: readonly PlannedSide[];
}

/**
 * What `run` and `versus` do once they know their sides: find the targets, measure, print, write. Results go to
 * standard output, everything on the way there to standard error. One side has its results in the run's folder;
 * several have a folder each in it, beside their comparison.
 *
 * @returns the exit code
 * @throws PoolbenchError for what is wrong before anything was measured, or what ended the run
 */
export async function measureSides({ name, sides: planned }: Session, flags: RunFlags): Promise<number> {
  const progress = new Progress(process.stderr, { silent: flags.quiet === true });
  const interrupt = new AbortController();
  const forget = onInterrupt(
    () => interrupt.abort(),
    line => progress.say(line),
  );
  const folders: string[] = [];
  const targets: Target[] = [];
  const tidy = () => removeEmptyFolders(folders);
  try {
    const folder = await createResultsFolder(flags.out ?? 'results', name, new Date());
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
        onFreePort: planned.length > 1,
        say: line => progress.say(planned.length > 1 ? `${side.name}: ${line}` : line),
        signal: interrupt.signal,
        beforeExit: tidy,
      });
      targets.push(target);
      sides.push({
        ...side,
        target,
        folder: (planned.length > 1 ? folders[index + 1] : undefined) ?? folder,
      });
    }
    progress.say(describeSides(planned));
    const outcome = await runSides({ sides, progress, signal: interrupt.signal });
    const written = await conclude(outcome.results, folder, flags).catch(cause => {
      throw outcome.error ?? cause;
    });
    if (flags.json) for (const target of targets) shoutStandIn(target);
    progress.say(`\nWritten: ${relative('.', folder)}/${written}`);
    const code = exitCodeOf(outcome, sides, interrupt.signal);
    if (code === 99) sayCrossed(outcome.results);
    return code;
  } finally {
    await Promise.allSettled(targets.map(target => target.stop()));
    tidy();
    forget();
  }
}

/** Prints the result of one side, or compares several, and says what was written. */
async function conclude(results: readonly Result[], folder: string, flags: RunFlags): Promise<string> {
  const [only] = results;
  if (only !== undefined && results.length === 1) {
    printOutput(only, { json: flags.json, render: colour => renderTerminal(only, colour) });
    return 'result.json, report.md and report.html';
  }
  const comparison = compareResults(results);
  printOutput(comparison, { json: flags.json, render: colour => renderComparison(comparison, colour) });
  await writeComparison(folder, comparison);
  return 'comparison.json, .md and .html, and result.json, report.md and report.html of each side';
}

/** Whoever reads the exit code in a log finds its reason there, whatever standard output was asked for. */
function sayCrossed(results: readonly Result[]): void {
  const sentence = describeThresholds(results.flatMap(({ thresholds }) => thresholds));
  process.stderr.write(`poolbench: ${sentence}\n`);
}
