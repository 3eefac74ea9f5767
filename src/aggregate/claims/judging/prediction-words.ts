import type { Interval, Verdict } from '../../result.ts';
import { medianInterval } from '../../stats/statistics.ts';
import { capitalise, formatList, formatRange } from '../../text/format.ts';
import { sayInterval, tellApart } from './figure-words.ts';
import { findDissent, type Prediction, verdictOf } from './prediction.ts';

/** What a single prediction does. */
const outcomes = {
  supported: 'holds',
  refuted: 'fails',
  inconclusive: 'stays open',
  'not tested': 'is not tested',
} as const satisfies Record<Verdict, string>;

/** "Optimized to baseline, 100 workers: throughput ×1.40 [1.35, 1.45]; predicted ×1.27 or more: holds." */
export function sayOutcome(prediction: Prediction): string {
  const dissent = findDissent(prediction).map(
    ({ where, byRound }) => `${where} alone it is ${sayFigure(prediction, medianInterval(byRound))}`,
  );
  const contradicted = dissent.length === 0 ? '' : `, as ${formatList(dissent)}`;
  return `${sayFigures(prediction)}: ${outcomes[verdictOf(prediction)]}${contradicted}.`;
}

/** The same without what it does, of figures that are no ground for a verdict. */
export function sayUnjudged(prediction: Prediction): string {
  return `${sayFigures(prediction)}.`;
}

function sayFigures(prediction: Prediction): string {
  const { what, byRound, range } = prediction;
  const interval = medianInterval(byRound);
  const format = tellApart(prediction, interval, [range.low, range.high]);
  return `${capitalise(what)} ${sayInterval(interval, format)}; predicted ${formatRange(range, format)}`;
}

function sayFigure(prediction: Prediction, interval: Interval): string {
  const { low, high } = prediction.range;
  return sayInterval(interval, tellApart(prediction, interval, [low, high]));
}
