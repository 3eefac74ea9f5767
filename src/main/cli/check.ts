import { toPlainLines } from '../../aggregate/text/format.ts';
import { targetBanners } from '../../aggregate/text/target-words.ts';
import { asTypedHere, quote } from '../command-words.ts';
import { describePlan } from '../experiment/describe-plan.ts';
import type { PlannedSide } from '../experiment/plan.ts';
import type { Asked } from '../experiment/question.ts';
import { readPlan } from '../experiment/read-plan.ts';
import { exitOnInterrupt } from '../interrupt.ts';
import { mayStartServer, type Options, type TargetOption } from '../options.ts';
import { preflightSide } from '../run/preflight-side.ts';
import { describeFoundTarget, findTarget } from '../server/find-target.ts';
import { keepQuestion } from './question.ts';

type CheckOptions = Options<
  TargetOption | 'rounds' | 'budget' | 'quick' | 'target' | 'url' | 'start' | 'save'
> & { readonly asked?: Asked };

/**
 * `poolbench check CONFIG`: everything a run does before its load, for one target after the other.
 *
 * @returns the exit code
 * @throws PoolbenchError for what would end a run before its load
 */
export async function check(path: string, options: CheckOptions): Promise<number> {
  const plan = await readPlan([path], options);
  const kept = await keepQuestion(plan, options);
  if (kept !== '') say(kept);
  // There are no results to keep; whatever is being fetched or started ends with the process.
  exitOnInterrupt();
  for (const side of plan.sides) await checkSide(side, plan.sides.length, options);
  say(describePlan(plan));
  if (plan.sides.some(({ experiment }) => experiment.search !== null))
    say(
      `This is the plan of the run command. To search with this config: ${asTypedHere('search', quote(path))}`,
    );
  return 0;
}

async function checkSide(side: PlannedSide, sides: number, options: CheckOptions): Promise<void> {
  const target = await findTarget(side.experiment, {
    standInAllowed: options['no-stand-in'] !== true,
    mayStart: mayStartServer(options),
    onFreePort: sides > 1,
    say,
  });
  try {
    for (const banner of targetBanners({ target })) say(banner);
    say(describeFoundTarget(target));
    const { warnings } = await preflightSide(side, target, { force: options.force === true });
    for (const warning of [...target.notes, ...warnings]) say(`warning: ${warning}`);
  } finally {
    await target.stop();
  }
}

/** The text may quote a server. */
function say(line: string): void {
  process.stdout.write(`${toPlainLines(line)}\n`);
}
