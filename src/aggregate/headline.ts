import { formatPlural, formatRatioInterval, toOneLine } from './format.ts';
import type { ClaimResult, Result } from './result.ts';

/** The sentences every rendering of a result begins with, and must not lose. Text from outside is one line, unescaped. */

/** What to shout before and after the figures if another server stood in for the declared one; null if none did. */
export function standInBanner({ target }: Pick<Result, 'target'>): string | null {
  if (!target.standIn) return null;
  const answered = toOneLine(`${target.detected.server} ${target.detected.version}`);
  return `STAND-IN: these are figures of ${answered}, which stood in for ${toOneLine(target.declared.server)}.`;
}

/** What a reader must know of a run that is not all it was meant to be; null if it is. */
export function describeShortfall(result: Pick<Result, 'complete' | 'scenarios'>): string | null {
  const { complete, scenarios } = result;
  const measured = scenarios.filter(scenario => scenario.rounds.length > 0);
  if (measured.length === 0) {
    return complete
      ? 'NOTHING MEASURED: no round of any scenario was finished.'
      : 'INCOMPLETE: the run ended early, before any round of a scenario was finished.';
  }
  if (!complete) {
    const rounds = scenarios.map(scenario => scenario.rounds.length);
    const fewest = Math.min(...rounds);
    const most = Math.max(...rounds);
    const had = fewest === most ? formatPlural(most, 'round') : `${fewest} to ${formatPlural(most, 'round')}`;
    return `INCOMPLETE: the run ended early; these are the figures it had, of ${had} a scenario.`;
  }
  if (measured.every(scenario => scenario.rounds.every(round => round.completed === 0))) {
    return 'NOTHING COMPLETED: every operation failed or stayed unanswered.';
  }
  return null;
}

/** What was measured for a claim, beside what it predicts. */
export function describeMeasured({ measured, low, high, predicted }: ClaimResult): string {
  const found = measured === null || low === null || high === null ? null : { median: measured, low, high };
  return `Predicted: ${predicted}. Measured: ${found === null ? 'nothing that this claim asks for' : formatRatioInterval(found)}.`;
}

/** "redis 7.0.15, 1 thread (binary on PATH)". */
export function describeTarget({ detected, foundBy }: Result['target']): string {
  const threads = detected.threads === null ? '' : `, ${formatPlural(detected.threads, 'thread')}`;
  return toOneLine(`${detected.server} ${detected.version}${threads} (${foundBy})`);
}
