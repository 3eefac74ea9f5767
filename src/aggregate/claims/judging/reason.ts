import type { Interval, Result, Verdict } from '../../result.ts';
import { falseVerdictChance, minRounds } from '../../stats/sign-test.ts';
import {
  capitalise,
  describeIntervals,
  formatFraction,
  formatInterval,
  formatList,
  formatPlural,
  formatRange,
  formatRatio,
} from '../../text/format.ts';
import { describeServer } from '../../text/target-words.ts';
import {
  type ClientFinding,
  countChances,
  findDeciding,
  findDissent,
  type Prediction,
  verdictOf,
} from './prediction.ts';

/**
 * The text of verdicts, as sentences and clauses. It may contain text from outside, which the renderers
 * sanitise.
 */

/** The reason of a verdict: all figures, their reliability, and further remarks. */
export function describeReason(
  target: Result['target'],
  findings: readonly ClientFinding[],
  verdict: Verdict,
  remarks: readonly string[],
): string {
  return [
    ...describeStandIn(target, verdict),
    describeDisagreement(findings, 'clients') ?? [],
    ...findings.map(finding => `${prefixOf(finding, findings)}${describeFinding(finding).join(' ')}`),
    ...describeWorth(findings),
    ...remarks,
  ]
    .flat()
    .join(' ');
}

/** The gist of a verdict: what decided, in at most two sentences, and the caveat. */
export function describeGist(
  target: Result['target'],
  findings: readonly ClientFinding[],
  verdict: Verdict,
  caveat: readonly string[],
): string {
  const sentences =
    findings.length === 1
      ? findings.flatMap(describeDeciding)
      : findings.flatMap(finding =>
          describeDeciding(finding)
            .slice(0, 1)
            .map(sentence => `${prefixOf(finding, findings)}${sentence}`),
        );
  return [...describeStandInShortly(target, verdict), ...sentences.slice(0, 2), ...caveat].join(' ');
}

/** That several settings have no verdict in common, as a sentence; null if they have one. */
export function describeDisagreement(
  settings: readonly { readonly verdict: Verdict }[],
  called: 'clients' | 'settings',
): string | null {
  const verdicts = new Set(settings.map(({ verdict }) => verdict));
  if (verdicts.size < 2) return null;
  return verdicts.has('supported') && verdicts.has('refuted')
    ? `The ${called} do not agree.`
    : 'Not every setting gives a verdict.';
}

/** Stands before a sentence about one of several clients. */
function prefixOf({ client }: ClientFinding, findings: readonly ClientFinding[]): string {
  return findings.length > 1 ? `With ${client}: ` : '';
}

function describeFinding({ predictions, flaw }: ClientFinding): string[] {
  const measured = predictions.filter(({ series }) => series.size > 0);
  return flaw === null
    ? measured.map(describeOutcome)
    : [`${capitalise(flaw)}.`, ...measured.map(prediction => `${describeFigures(prediction)}.`)];
}

/** The flaw; else the predictions that decided, or the first of them and how many more. */
function describeDeciding(finding: ClientFinding): string[] {
  const { flaw, predictions, verdict } = finding;
  if (flaw !== null) return [`${capitalise(flaw)}.`];
  const deciding = findDeciding(finding).map(describeOutcome);
  if (deciding.length < 3) return deciding;
  const does = verdict === 'refuted' ? 'fail' : 'stay open';
  return [
    ...deciding.slice(0, 1),
    `${deciding.length - 1} more of ${predictions.length} predictions ${does} too.`,
  ];
}

/** What the intervals are worth, by the smallest number of rounds, and the predictions of one client together. */
function describeWorth(findings: readonly ClientFinding[]): string[] {
  const rounds = findings.flatMap(({ predictions }) => predictions.map(({ series }) => series.size));
  const min = Math.min(...rounds);
  if (min === 0) return [];
  const chances = Math.max(...findings.map(countChances));
  return [
    `Medians over ${formatPlural(min, 'round')} with ${describeIntervals(min)}.`,
    ...(chances > 1 && min >= minRounds
      ? [
          `If all ${chances} true values lay exactly on their thresholds, chance alone would refute the claim in up to ${formatFraction(falseVerdictChance(chances))} of runs.`,
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
export function describeOutcome(prediction: Prediction): string {
  const { low, high } = prediction.range;
  const dissent = findDissent(prediction).map(
    ({ where, series }) =>
      `${where} alone it is ${formatAgainst(prediction, series.interval(), [low, high])}`,
  );
  const contradicted = dissent.length === 0 ? '' : `, as ${formatList(dissent)}`;
  return `${describeFigures(prediction)}: ${outcomes[verdictOf(prediction)]}${contradicted}.`;
}

function describeFigures(prediction: Prediction): string {
  const { what, series, range } = prediction;
  const interval = series.interval();
  const thresholds = [range.low, range.high];
  const figure = formatAgainst(prediction, interval, thresholds);
  return `${capitalise(what)} ${figure}; predicted ${formatRange(range, formatApart(prediction, interval, thresholds))}`;
}

/**
 * Bounds of the number of digits: with fewer the plain format suffices, and a difference that needs more
 * cannot be measured.
 */
const minDigits = 3;
const maxDigits = 6;

/**
 * The format of an interval that is compared with thresholds. Rounding must not contradict the verdict: where an end of
 * the interval and a threshold print alike but differ, it has as many more digits as show the difference.
 */
function formatApart(
  { format, unit = '×' }: Pick<Prediction, 'format' | 'unit'>,
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
  for (let digits = minDigits; digits <= maxDigits; digits++) {
    const round = (figure: number) => Number(figure.toPrecision(digits));
    if (alike.every(({ end, threshold }) => round(end) !== round(threshold)))
      return figure =>
        !Number.isFinite(figure)
          ? format(figure)
          : unit === '×'
            ? `×${round(figure)}`
            : `${round(figure)} ${unit}`;
  }
  return format;
}

/** "×1.41 [1.35, 1.47]", "0.412 ms [0.401 ms, 0.430 ms]"; a ratio's sign stands once. */
function formatAgainst(...held: Parameters<typeof formatApart>): string {
  return formatInterval(held[1], formatApart(...held)).replace(/(?<=[[ ])×/g, '');
}

/** A ratio's interval that is compared with one threshold. */
export function formatRatioAgainst(interval: Interval, threshold: number): string {
  return formatAgainst({ format: formatRatio }, interval, [threshold]);
}

/**
 * Notes, as a sentence, that another server than the claim's answered; nothing if the right one did.
 *
 * @param verdict what its figures would give
 */
export function describeStandIn(
  { standIn, declared: { server }, detected }: Result['target'],
  verdict?: Verdict,
): string[] {
  if (!standIn) return [];
  const worth = `, so there is no verdict on ${server}; by the same rule, the stand-in's figures would give: ${verdict}`;
  const answered = describeServer(detected);
  return [
    `The config declares ${server}, but ${answered} stood in for it${verdict === undefined ? '' : worth}.`,
  ];
}

/** The same in few words. */
export function describeStandInShortly(target: Result['target'], verdict: Verdict): string[] {
  const { standIn, declared, detected } = target;
  const answered = describeServer(detected);
  return standIn ? [`${answered} stood in for ${declared.server}; its figures would give: ${verdict}.`] : [];
}
