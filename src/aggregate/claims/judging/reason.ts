import type { Interval, Result, Verdict } from '../../result.ts';
import { falseVerdictChance, medianInterval, minRounds } from '../../stats/statistics.ts';
import {
  capitalise,
  describeIntervals,
  formatFraction,
  formatInterval,
  formatList,
  formatPlural,
  formatRange,
  formatRatio,
  toOneLine,
} from '../../text/format.ts';
import {
  type ClientFinding,
  countChances,
  findDeciding,
  findDissent,
  type Prediction,
  sayDisagreement,
  verdictOf,
} from './prediction.ts';

/** The reason of a verdict: all figures, what they are worth, and what else a reader should know. */
export function explainFindings(
  target: Result['target'],
  findings: readonly ClientFinding[],
  verdict: Verdict,
  remarks: readonly string[],
): string {
  return [
    ...(target.standIn ? [sayStandIn(target, verdict)] : []),
    ...disagreement(findings),
    ...findings.map(finding => `${nameClient(finding, findings)}${explainFinding(finding).join(' ')}`),
    ...sayWorth(findings),
    ...remarks,
  ].join(' ');
}

/** What decided, in at most two sentences, and the caveat. */
export function sumUpFindings(
  target: Result['target'],
  findings: readonly ClientFinding[],
  verdict: Verdict,
  caveat: readonly string[],
): string {
  const decided = findings.map(finding => ({ finding, sentences: sumUpFinding(finding) }));
  const [first, ...others] = decided;
  const sentences =
    first !== undefined && others.length === 0
      ? first.sentences
      : decided.flatMap(({ finding, sentences }) =>
          sentences.slice(0, 1).map(sentence => `${nameClient(finding, findings)}${sentence}`),
        );
  return [
    ...(target.standIn ? [sayStandInShortly(target, verdict)] : []),
    ...sentences.slice(0, 2),
    ...caveat,
  ].join(' ');
}

function disagreement(findings: readonly ClientFinding[]): string[] {
  const sentence = sayDisagreement(findings, 'clients');
  return sentence === null ? [] : [sentence];
}

/** Before a sentence about one of several. */
function nameClient({ client }: ClientFinding, findings: readonly ClientFinding[]): string {
  return findings.length > 1 ? `With ${client}: ` : '';
}

function explainFinding({ predictions, flaw }: ClientFinding): string[] {
  const measured = predictions.filter(({ byRound }) => byRound.length > 0);
  return flaw === null ? measured.map(sayOutcome) : [`${capitalise(flaw)}.`, ...measured.map(sayUnjudged)];
}

/** The flaw; else the predictions that decided, or the first of them and how many more. */
function sumUpFinding(finding: ClientFinding): string[] {
  const { flaw, predictions, verdict } = finding;
  if (flaw !== null) return [`${capitalise(flaw)}.`];
  const deciding = findDeciding(finding).map(sayOutcome);
  if (deciding.length < 3) return deciding;
  const more = deciding.length - 1;
  const does = verdict === 'refuted' ? 'fail' : 'stay open';
  return [...deciding.slice(0, 1), `${more} more of ${predictions.length} predictions ${does} too.`];
}

/** What the intervals are worth, by the fewest rounds that one is made of, and all predictions of one client together. */
function sayWorth(findings: readonly ClientFinding[]): string[] {
  const rounds = findings.flatMap(({ predictions }) => predictions.map(({ byRound }) => byRound.length));
  const fewest = Math.min(...rounds);
  if (fewest === 0) return [];
  const most = Math.max(...findings.map(countChances));
  return [
    `Medians over ${formatPlural(fewest, 'round')} with ${describeIntervals(fewest)}.`,
    ...(most > 1 && fewest >= minRounds
      ? [
          `If all ${most} truths lay exactly on their thresholds, chance would refute the claim in up to ${formatFraction(falseVerdictChance(fewest, most))} of runs.`,
        ]
      : []),
  ];
}

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

/** Digits to look at: fewer are printed as it is, and where more are needed nobody measures the difference. */
const fewestDigits = 3;
const mostDigits = 6;

/** Something that prints figures of one unit. */
export interface FigureFormat {
  readonly format: (figure: number) => string;
  /** A ratio unless told. */
  readonly unit?: string;
}

/**
 * The format of an interval that is held against thresholds. Rounding must not contradict the verdict: where an end of
 * the interval and a threshold print alike but differ, so many digits more as tell them apart.
 */
export function tellApart(
  { format, unit = '×' }: FigureFormat,
  { low, high }: Interval,
  thresholds: readonly (number | null)[],
): (figure: number) => string {
  const alike = [low, high].flatMap(end =>
    thresholds.flatMap(threshold =>
      threshold !== null && threshold !== end && format(threshold) === format(end)
        ? [{ end, threshold }]
        : [],
    ),
  );
  if (alike.length === 0) return format;
  for (let digits = fewestDigits; digits <= mostDigits; digits++) {
    const round = (figure: number) => Number(figure.toPrecision(digits));
    if (alike.every(({ end, threshold }) => round(end) !== round(threshold)))
      return figure => (unit === '×' ? `×${round(figure)}` : `${round(figure)} ${unit}`);
  }
  return format;
}

/** "×1.41 [1.35, 1.47]", "0.412 ms [0.401 ms, 0.430 ms]"; a ratio's sign stands once. */
export function sayInterval(interval: Interval, format: (figure: number) => string): string {
  return formatInterval(interval, format).replace(/(?<=[[ ])×/g, '');
}

/** A ratio's interval that is held against one threshold. */
export function sayRatioAgainst(interval: Interval, threshold: number): string {
  return sayInterval(interval, tellApart({ format: formatRatio }, interval, [threshold]));
}

/** That something else answered than the server a claim would be about, as a clause. */
export function nameStandIn(target: Result['target']): string {
  return `The config declares ${toOneLine(target.declared.server)}, but ${nameAnswered(target)} stood in for it`;
}

/** What a verdict on a stand-in's figures is worth, as a sentence. */
export function sayStandIn(target: Result['target'], verdict: Verdict): string {
  return `${nameStandIn(target)}, so nothing is said of ${toOneLine(target.declared.server)}; by the same rule the stand-in's figures would give: ${verdict}.`;
}

/** The same in few words. */
export function sayStandInShortly(target: Result['target'], verdict: Verdict): string {
  return `${nameAnswered(target)} stood in for ${toOneLine(target.declared.server)}; its figures would give: ${verdict}.`;
}

function nameAnswered({ detected }: Result['target']): string {
  return toOneLine(`${detected.server} ${detected.version}`);
}
