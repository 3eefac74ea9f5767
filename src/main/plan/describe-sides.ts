import { formatDuration } from '../../aggregate/text/duration.ts';
import { formatList } from '../../aggregate/text/format.ts';
import { wrapText } from '../../aggregate/text/text-layout.ts';
import { describePlan } from './describe-plan.ts';
import { estimateTurns, interleave } from './interleave.ts';
import { planRun } from './rounds.ts';
import type { PlannedSide } from './sides.ts';

const columns = 80;

/** What is going to be measured, for a reader: the plan of one side, and what several make of it. */
export function describeSides(sides: readonly PlannedSide[]): string {
  const experiments = sides.map(side => side.experiment);
  const [first] = experiments;
  if (first === undefined) return '';
  const plan = describePlan(first, planRun(first));
  if (sides.length === 1) return plan;
  const duration = formatDuration(estimateTurns(interleave(experiments).flat(), experiments));
  const names = formatList(sides.map(({ name }) => name));
  const text = `Sides: ${names}, each as above, in turn within every round: about ${duration} in all.`;
  return `${plan}\n${wrapText(text, columns).join('\n')}\n`;
}
