import { maxSteps } from '../../aggregate/search/next-rate.ts';
import { margin, maxRepeats } from '../../aggregate/search/step-verdict.ts';
import { describeConditions, formatSearchRate } from '../../aggregate/search/words.ts';
import { formatDuration } from '../../aggregate/text/duration.ts';
import { wrapText } from '../../aggregate/text/text-layout.ts';
import { overheadSeconds } from '../plan/rounds.ts';
import type { SearchPlan } from './plan-search.ts';

const columns = 80;
/** Repeats of most searches, by simulation with measured noise; a start far from the knee takes more. */
const usualRepeats = { least: 40, most: 75 };

/** What is going to be searched and how long it takes, for a reader. */
export function describeSearch({ experiment, conditions, range, scenario }: SearchPlan): string {
  const { seconds, warmupSeconds, name } = experiment;
  const repeatSeconds = seconds + warmupSeconds + overheadSeconds;
  const usual = [usualRepeats.least, usualRepeats.most].map(repeats =>
    formatDuration(repeats * repeatSeconds),
  );
  const most = formatDuration(maxSteps * maxRepeats * repeatSeconds);
  const lines = [
    `the highest rate with ${describeConditions(conditions)}`,
    `scenario: ${scenario.id}, from ${formatSearchRate(range.start)} on`,
    `each step: ${margin} to ${maxRepeats} repeats of ${seconds} s, after ${warmupSeconds} s of warm-up`,
    `duration: usually ${usual.join(' to ')}, at most ${most} (${maxSteps} steps)`,
  ];
  return `Search: ${name}\n${lines.flatMap(line => wrapText(line, columns, '  ')).join('\n')}\n`;
}
