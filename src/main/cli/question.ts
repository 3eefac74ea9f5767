import { isFixed } from '../../aggregate/stats/sign-test.ts';
import type { ConfigOverrides } from '../experiment/overrides.ts';
import { isEndedByBudget, type Plan } from '../experiment/plan.ts';
import { configOf, describeAssumed } from '../experiment/question.ts';
import { readExperiment } from '../experiment/read-config.ts';
import { writeConfig } from '../experiment/write-config.ts';
import type { Options } from '../options.ts';

type QuestionOptions = ConfigOverrides & Options<'save'>;

/**
 * Describes the assumptions of a question from a URL and flags. `--save` writes the corresponding config, in full even
 * if `--quick` shortens this run. Empty for a config.
 *
 * @throws PoolbenchError USAGE, RESULTS_NOT_WRITABLE
 */
export async function keepQuestion(options: QuestionOptions): Promise<string> {
  const { asked, url, save, quick = false } = options;
  if (asked === undefined || url === undefined) return '';
  const lines = [describeAssumed(url, asked)];
  if (save !== undefined) {
    const { rounds, budgetSeconds, seconds, warmupSeconds, seed } = await readExperiment(url, options);
    const typed = {
      rounds: isFixed(rounds) ? rounds.atLeast : rounds,
      budgetSeconds,
      seconds,
      warmupSeconds,
    };
    await writeConfig(save, { ...configOf(url, asked), ...typed, seed });
    lines.push(
      `Written: ${save}, this question as a config${quick ? ', with its full rounds and times' : ''}`,
    );
  }
  return lines.filter(line => line !== '').join('\n');
}

/** What else can be asked with flags; to be printed once the target was found. Empty for a config. */
export function questionTips(plan: Plan, { asked, budget, save }: QuestionOptions): string {
  if (asked === undefined) return '';
  const tips = [
    ...(isEndedByBudget(plan) && budget === undefined ? ['To find smaller differences: --budget 6m'] : []),
    ...(save === undefined ? ['To keep this question as a config: --save FILE'] : []),
  ];
  return tips.join('\n');
}
