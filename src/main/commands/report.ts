import { dirname } from 'node:path';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { printOutput } from '../results/print-output.ts';
import { findResult, readResult } from '../results/read-result.ts';
import { writePage, writeReport } from '../results/results-folder.ts';

/**
 * `poolbench report RESULT`: prints a finished result again and writes its report.md and report.html anew.
 *
 * @returns the exit code
 * @throws PoolbenchError RESULT_INVALID, RESULTS_NOT_WRITABLE
 */
export async function report(path: string): Promise<number> {
  const file = await findResult(path);
  const result = await readResult(file);
  printOutput(result, { json: false, render: colour => renderTerminal(result, colour) });
  await writeReport(dirname(file), result);
  await writePage(dirname(file), result);
  return 0;
}
