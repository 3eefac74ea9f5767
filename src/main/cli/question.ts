import type { Plan } from '../experiment/plan.ts';
import { type Asked, configOf, describeAssumed } from '../experiment/question.ts';
import { writeConfig } from '../experiment/write-config.ts';
import type { Options } from '../options.ts';

type QuestionOptions = Options<'save' | 'url' | 'rounds' | 'budget' | 'quick'> & {
  readonly asked?: Asked | undefined;
};

/**
 * What a question from a URL and flags rests on that was not typed, as text; `--save` writes the config it amounts to,
 * with the times and rounds of its plan. Nothing for a config.
 *
 * @throws PoolbenchError USAGE, RESULTS_NOT_WRITABLE
 */
export async function keepQuestion(plan: Plan, options: QuestionOptions): Promise<string> {
  const { asked, url, save } = options;
  const [side] = plan.sides;
  if (asked === undefined || url === undefined || side === undefined) return '';
  const { rounds, budgetSeconds, seconds, warmupSeconds, seed } = side.experiment;
  const isFixed = rounds.atLeast === rounds.atMost;
  const lines = [describeAssumed(url, asked)];
  if (!isFixed && options.budget === undefined)
    lines.push(
      `The run ends after ${budgetSeconds} s of measured time, even if it is not decided. To find smaller differences: --budget 6m`,
    );
  if (save === undefined) {
    lines.push('To keep this question as a config: --save FILE');
  } else {
    await writeConfig(save, {
      ...configOf(url, asked),
      rounds: isFixed ? rounds.atLeast : rounds,
      budgetSeconds,
      seconds,
      warmupSeconds,
      seed,
    });
    lines.push(`Written: ${save}, this question as a config`);
  }
  return lines.filter(line => line !== '').join('\n');
}
