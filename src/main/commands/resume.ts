import { resultDocument } from '../../aggregate/report/documents/result.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { planSides } from '../plan/sides.ts';
import { printOutput } from '../results/print-output.ts';
import { readLeftRun, resumeNow } from '../run/earlier-run.ts';
import { endRun } from '../run/end-run.ts';
import { measureSides } from '../run/measure-sides.ts';

/**
 * `poolbench run --resume DIR`: goes on with a run that was stopped or killed, in its folder. Rounds that were finished
 * stay, the one that was not is measured anew. A run that is complete is shown, and ends as it did then.
 *
 * @returns the exit code
 * @throws PoolbenchError RESULT_INVALID, USAGE; as `measureSides`
 */
export async function resume(folder: string, flags: RunFlags): Promise<number> {
  const left = await readLeftRun(folder, flags);
  const { result, experiment } = left;
  const sides = planSides([experiment]);
  if (result.complete) {
    process.stderr.write('This run is complete: there is nothing to go on with.\n');
    printOutput(result, {
      json: flags.json,
      render: colour => renderTerminal(resultDocument(result), colour),
    });
    return endRun({ results: [result], error: undefined }, sides, {
      json: flags.json === true,
      interrupted: false,
    });
  }
  const earlier = resumeNow(left, folder, new Date());
  return await measureSides({ name: experiment.name, sides, earlier }, flags);
}
