import { toPlainLines } from '../../aggregate/text/format.ts';
import { asTypedHere, quote } from '../command-words.ts';
import { describePlan } from '../experiment/describe-plan.ts';
import type { Asked } from '../experiment/question.ts';
import { readPlan } from '../experiment/read-plan.ts';
import { exitOnInterrupt } from '../interrupt.ts';
import type { Options, TargetOption } from '../options.ts';
import { checkPlan } from '../run/check-plan.ts';
import { keepQuestion, questionTips } from './question.ts';

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
  const kept = await keepQuestion(options);
  if (kept !== '') say(kept);
  // There are no results to keep; anything being fetched or started ends with the process.
  exitOnInterrupt();
  await checkPlan(plan, { flags: options, say });
  say(describePlan(plan));
  const tips = questionTips(plan, options);
  if (tips !== '') say(tips);
  if (plan.sides.some(({ experiment }) => experiment.search !== null))
    say(
      `This is the plan of the run command. To search with this config: ${asTypedHere('search', quote(path))}`,
    );
  return 0;
}

/** The text may contain text from a server. */
function say(line: string): void {
  process.stdout.write(`${toPlainLines(line)}\n`);
}
