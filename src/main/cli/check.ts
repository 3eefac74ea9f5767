import { toPlainLines } from '../../aggregate/text/format.ts';
import { targetBanners } from '../../aggregate/text/target-words.ts';
import { describePlan } from '../experiment/describe-plan.ts';
import type { PlannedSide } from '../experiment/plan.ts';
import { readPlan } from '../experiment/read-plan.ts';
import { preflightSide } from '../run/preflight-side.ts';
import { exitOnInterrupt } from '../run/session.ts';
import { describeFoundTarget, findTarget } from '../server/find-target.ts';
import { asTypedHere, quote } from './command-words.ts';
import type { CheckFlags } from './parse-command-line.ts';

/**
 * `poolbench check CONFIG`: everything a run does before its load, for one target after the other.
 *
 * @returns the exit code
 * @throws PoolbenchError for what a run would stumble over
 */
export async function check(path: string, flags: CheckFlags): Promise<number> {
  const plan = await readPlan([path], flags);
  // Nothing is measured, so there is nothing to keep; what is being fetched or started ends as the process exits.
  exitOnInterrupt();
  for (const side of plan.sides) await checkSide(side, plan.sides.length, flags);
  say(describePlan(plan));
  if (plan.sides.some(({ experiment }) => experiment.search !== null))
    say(`That is what run does. The search of this config: ${asTypedHere('search', quote(path))}`);
  return 0;
}

async function checkSide(side: PlannedSide, sides: number, flags: CheckFlags): Promise<void> {
  const target = await findTarget(side.experiment, {
    standInAllowed: flags['no-stand-in'] !== true,
    urlTyped: flags.url !== undefined,
    onFreePort: sides > 1,
    say,
  });
  try {
    for (const banner of targetBanners({ target })) say(banner);
    say(describeFoundTarget(target));
    const warnings = await preflightSide(side, target, { force: flags.force === true });
    for (const warning of [...target.notes, ...warnings]) say(`warning: ${warning}`);
  } finally {
    await target.stop();
  }
}

/** What a server says of itself is in it. */
function say(line: string): void {
  process.stdout.write(`${toPlainLines(line)}\n`);
}
