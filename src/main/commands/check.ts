import { toPlainLines } from '../../aggregate/text/format.ts';
import { targetBanners } from '../../aggregate/text/target-words.ts';
import { maxRecords } from '../../workers/workload/key-ranges.ts';
import { asTypedHere, quote } from '../command-words.ts';
import { readExperiment } from '../config/read-config.ts';
import { describeEnvironment } from '../environment.ts';
import { exitOnInterrupt } from '../interrupt.ts';
import type { CheckFlags } from '../parse-command-line.ts';
import { describeSides } from '../plan/describe-sides.ts';
import { connectionsNeeded, expandScenarios } from '../plan/scenarios.ts';
import { type PlannedSide, planSides } from '../plan/sides.ts';
import { warnOfMissingCores } from '../plan/spare-cores.ts';
import { sizesOf } from '../plan/value-variants.ts';
import { workloadTask } from '../plan/workload-task.ts';
import { describeFoundTarget, findTarget } from '../target/find-target.ts';
import { preflight } from '../target/preflight.ts';

/**
 * `poolbench check CONFIG`: everything a run does before its load, for one target after the other.
 *
 * @returns the exit code
 * @throws PoolbenchError for what a run would stumble over
 */
export async function check(path: string, flags: CheckFlags): Promise<number> {
  const sides = planSides([await readExperiment(path, flags)]);
  // Nothing is measured, so there is nothing to keep; what is being fetched or started ends as the process exits.
  exitOnInterrupt();
  for (const side of sides) await checkTarget(side, sides.length, flags);
  say(describeSides(sides));
  if (sides.some(({ experiment }) => experiment.search !== null))
    say(`That is what run does. The search of this config: ${asTypedHere('search', quote(path))}`);
  return 0;
}

async function checkTarget(side: PlannedSide, sides: number, flags: CheckFlags): Promise<void> {
  const target = await findTarget(side.experiment, {
    standInAllowed: flags['no-stand-in'] !== true,
    urlTyped: flags.url !== undefined,
    onFreePort: sides > 1,
    say,
  });
  try {
    for (const banner of targetBanners({ target })) say(banner);
    say(describeFoundTarget(target));
    const { workload } = side.experiment;
    const scenarios = expandScenarios(side.experiment.scenarios);
    const needs = {
      connections: connectionsNeeded(scenarios),
      keys: maxRecords(workloadTask(workload)),
      valueBytes: sizesOf(workloadTask(workload).values).mean,
    };
    const warnings = await preflight(target, needs, { force: flags.force === true });
    warnings.push(...warnOfMissingCores(scenarios, target, describeEnvironment().cores));
    for (const warning of [...target.notes, ...warnings]) say(`warning: ${warning}`);
  } finally {
    await target.stop();
  }
}

/** What a server says of itself is in it. */
function say(line: string): void {
  process.stdout.write(`${toPlainLines(line)}\n`);
}
