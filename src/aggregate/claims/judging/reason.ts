import type { Interval, Result, Verdict } from '../../result.ts';
import { limits } from '../../scenario/limits.ts';
import type { RoundSeries } from '../../stats/round-series.ts';
import { wholeRounds } from '../../stats/rounds.ts';
import { detectableRatio, falseVerdictChance, minRounds, roundsToDecide } from '../../stats/sign-test.ts';
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
  countChances,
  findDeciding,
  findDissent,
  intervalOf,
  intervalOfPart,
  type Prediction,
  type SettingFinding,
  verdictOf,
} from './prediction.ts';
import { boundedRounds } from './soundness.ts';

/**
 * The text of verdicts, as sentences and clauses. It may contain text from outside, which the renderers
 * sanitise.
 */

/** The reason of a verdict: all figures, their reliability, and further remarks. */
export function describeReason(
  target: Result['target'],
  findings: readonly SettingFinding[],
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

/** The gist of a verdict: the deciding figures in at most two sentences, and the caveat. */
export function describeGist(
  target: Result['target'],
  findings: readonly SettingFinding[],
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

/** Says that settings disagree; null if they agree. */
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

/** Prefix for a sentence about one of several settings. */
function prefixOf({ setting }: SettingFinding, findings: readonly SettingFinding[]): string {
  return findings.length > 1 ? `With ${setting}: ` : '';
}

function describeFinding({ predictions, open, flaw }: SettingFinding): string[] {
  const measured = predictions.filter(({ series }) => series.size > 0);
  return flaw === null
    ? [
        ...measured.flatMap(prediction => [
          describeOutcome(prediction),
          ...describeOpen(prediction),
          ...describeBounded(prediction).map(clause => `${capitalise(clause)}.`),
        ]),
        ...open,
      ]
    : [`${capitalise(flaw)}.`, ...measured.map(prediction => `${describeFigures(prediction)}.`), ...open];
}

/** Why an interval is open on one side, as clauses: a latency that is only a lower bound in some rounds. */
export function describeBounded({ arms, measure }: Pick<Prediction, 'arms' | 'measure'>): string[] {
  return arms.flatMap(arm => {
    const { length } = boundedRounds(arm, measure);
    if (length === 0) return [];
    return [
      `in ${length} of ${formatPlural(wholeRounds(arm.rounds).length, 'round')}, the ${measure.name} of ${arm.id} is only a lower bound, because what was lost, or never sent, would have taken longer`,
    ];
  });
}

/** The flaw; otherwise the deciding predictions, or the first one and the number of others. */
function describeDeciding(finding: SettingFinding): string[] {
  const { flaw, predictions, open, verdict } = finding;
  if (flaw !== null) return [`${capitalise(flaw)}.`];
  const deciding = findDeciding(finding).map(describeOutcome);
  if (verdict === 'inconclusive' && open.length > 0) return [...deciding.slice(0, 1), ...open];
  if (deciding.length < 3) return deciding;
  const does = verdict === 'refuted' ? 'fail' : 'stay open';
  return [
    ...deciding.slice(0, 1),
    `${deciding.length - 1} more of ${predictions.length} predictions ${does} too.`,
  ];
}

/**
 * The coverage of the intervals, by the smallest number of rounds, and the joint chance of error of a setting's
 * predictions.
 */
function describeWorth(findings: readonly SettingFinding[]): string[] {
  const series = findings.flatMap(({ predictions }) => predictions.map(prediction => prediction.series));
  const min = Math.min(...series.map(({ roundsCounted }) => roundsCounted));
  if (min === 0) return [];
  const chances = Math.max(...findings.map(countChances));
  return [
    ...describeRounds(series),
    ...(chances > 1 && min >= minRounds
      ? [
          `If all ${chances} true values lay exactly on their thresholds, chance alone would refute the claim in up to ${formatFraction(falseVerdictChance(chances))} of runs.`,
        ]
      : []),
  ];
}

/**
 * The number of rounds behind the figures, as a sentence, and the coverage of their intervals. Blocks without open
 * questions are not measured further, so the numbers can differ. Empty before the first look.
 */
export function describeRounds(series: readonly RoundSeries[]): string[] {
  const rounds = series.map(({ roundsCounted }) => roundsCounted).filter(count => count > 0);
  if (rounds.length === 0) return [];
  const [min, max] = [Math.min(...rounds), Math.max(...rounds)];
  const made = min === max ? formatPlural(max, 'round') : `${min} to ${formatPlural(max, 'round')}`;
  const intervals = min < minRounds ? `no intervals, which need ${minRounds} rounds` : describeIntervals(min);
  return [`Medians over ${made} with ${intervals}.`];
}

/** The outcome of a single prediction. */
const outcomes = {
  supported: 'holds',
  refuted: 'fails',
  inconclusive: 'stays open',
  'not tested': 'is not tested',
} as const satisfies Record<Verdict, string>;

/**
 * "Optimized to baseline, 100 workers: throughput ×1.40 [1.35, 1.45]; predicted ×1.27 or more: holds." An open
 * prediction says what its interval excludes, because that is its answer.
 */
export function describeOutcome(prediction: Prediction): string {
  const verdict = verdictOf(prediction);
  const dissent = findDissent(prediction);
  const alone = dissent.map(
    part => `${part.where} alone it is ${formatJudged(prediction, intervalOfPart(prediction, part))}`,
  );
  const more = {
    supported: describeSurplus(prediction),
    refuted: '',
    inconclusive:
      dissent.length > 0
        ? `, as ${formatList(alone)}`
        : describeExcluded(prediction)
            .map(clause => `; ${clause}`)
            .join(''),
    'not tested': '',
  }[verdict];
  return `${describeFigures(prediction)}: ${outcomes[verdict]}${more}.`;
}

/** From this ratio, a gain is far larger than the largest promised one. */
const farLarger = 1.5;

/** Says that the whole interval exceeds the promise, and by how much; empty if it does not. */
function describeSurplus(prediction: Prediction): string {
  const { range, format, unit = '×' } = prediction;
  const { low, high, median } = intervalOf(prediction);
  const { most } = range;
  if (most === undefined || (range.low === null ? high >= most : low <= most)) return '';
  const times = unit === '×' ? (median - 1) / (most - 1) : median / most;
  if (times < farLarger) return '';
  return `, and it is ${Number(times.toPrecision(2))} times the largest predicted ${range.low === null ? 'reduction' : 'gain'} (${format(most)})`;
}

/** "more than ×1.12 is excluded": of what the range leaves open. Nothing if the interval has no such end, or a bound has said it. */
export function describeExcluded(prediction: Prediction): string[] {
  const { range, format } = prediction;
  if (prediction.bound !== undefined) return [];
  const { low, high } = intervalOf(prediction);
  const excluded = [
    ...(range.high !== null && low > 0 ? [`less than ${format(low)}`] : []),
    ...(range.low !== null && Number.isFinite(high) ? [`more than ${format(high)}`] : []),
  ];
  return excluded.length === 0 ? [] : [`${formatList(excluded)} is excluded`];
}

/** The parts of a prediction that show how far a run can decide it. */
type Decidable = Pick<Prediction, 'series' | 'range' | 'format' | 'bound' | 'chances'>;

/** What such a run would detect in 4 of 5 cases, and about how many rounds would decide it, as clauses. */
export function describePower(prediction: Decidable): string[] {
  const { series, format, chances = {} } = prediction;
  const { values, planned, size } = series;
  const inverse = values.map(value => 1 / value);
  // The detectable effect is computed from logarithms, which a negative difference does not have.
  const haveLogs = values.every(value => value >= 0);
  const { above, below } = findableSides(prediction);
  const most = above === null || !haveLogs ? null : detectableRatio(values, above, planned, chances.above);
  const least =
    below === null || !haveLogs ? null : detectableRatio(inverse, 1 / below, planned, chances.below);
  const found = [
    ...(least === null ? [] : [`${format(1 / least)} or less`]),
    ...(most === null ? [] : [`${format(most)} or more`]),
  ];
  const rounds = roundsNeeded(prediction);
  return [
    ...(found.length === 0 ? [] : [`such a run detects ${formatList(found)} with 80 % power`]),
    // More rounds than a config can have would be useless advice.
    ...(rounds > size && rounds <= limits.rounds ? [`about ${rounds} rounds would decide`] : []),
  ];
}

/** The thresholds that a figure can clearly exceed or fall below. A bound can do so on one side only. */
function findableSides({ range: { low, high }, bound }: Decidable): Record<'above' | 'below', number | null> {
  if (bound === 'lower') return { above: high ?? low, below: null };
  if (bound === 'upper') return { above: null, below: low ?? high };
  return {
    above: high === null ? low : low === null ? null : high,
    below: low === null ? high : high === null ? null : low,
  };
}

/** About how many rounds would decide each threshold that is open; infinite if none would, and −∞ if none is open. */
function roundsNeeded(prediction: Decidable): number {
  const { series, range, bound, chances = {} } = prediction;
  const { values, size } = series;
  const { low, high } = intervalOf(prediction);
  const { above, below } = findableSides(prediction);
  const needed = (bound === undefined ? [range.low, range.high] : [above, below]).flatMap(threshold => {
    if (threshold === null || threshold <= low || threshold >= high) return [];
    const over = values.filter(value => value > threshold).length;
    const isAbove = over > size / 2;
    if (bound === (isAbove ? 'upper' : 'lower')) return Number.POSITIVE_INFINITY;
    const comparisons = isAbove ? chances.above : chances.below;
    return roundsToDecide(over, size, comparisons) ?? Number.POSITIVE_INFINITY;
  });
  return Math.max(...needed);
}

/** The same for an open prediction, as a sentence; empty if its parts contradict it, or nothing is known. */
function describeOpen(prediction: Prediction): string[] {
  if (verdictOf(prediction) !== 'inconclusive' || findDissent(prediction).length > 0) return [];
  const clauses = describePower(prediction);
  return clauses.length === 0 ? [] : [`${capitalise(clauses.join('; '))}.`];
}

function describeFigures(prediction: Prediction): string {
  const { what, range } = prediction;
  const interval = intervalOf(prediction);
  const thresholds = [range.low, range.high];
  const figure = formatJudged(prediction, interval);
  return `${capitalise(what)} ${figure}; predicted ${formatRange(range, formatApart(prediction, interval, thresholds))}`;
}

/**
 * Limits for the number of digits: with fewer, the plain format suffices; a difference that needs more cannot be
 * measured.
 */
const minDigits = 3;
const maxDigits = 6;

/**
 * The format of an interval that is compared with thresholds. Rounding must not contradict the verdict: if an end of
 * the interval and a threshold differ but look the same, more digits show the difference.
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

/** "×1.41 [1.35, 1.47]", "0.412 ms [0.401 ms, 0.430 ms]"; a ratio has its sign once. */
function formatAgainst(...held: Parameters<typeof formatApart>): string {
  return formatInterval(held[1], formatApart(...held)).replace(/(?<=[[ ])×/g, '');
}

/**
 * "×1.41 [1.35, 1.47]"; for a bound, "at least ×1.35", or the measured value if it is unbounded. A ratio of too few rounds
 * has no figure, as in all tables.
 */
function formatJudged({ series, range, format, unit = '×', bound }: Prediction, interval: Interval): string {
  if (unit === '×' && series.roundsCounted < minRounds) return 'has no interval';
  const held = [{ format, unit }, interval, [range.low, range.high]] as const;
  if (bound === undefined) return formatAgainst(...held);
  const [words, end] = bound === 'lower' ? ['at least', interval.low] : ['at most', interval.high];
  return Number.isFinite(end) ? `${words} ${formatApart(...held)(end)}` : format(interval.median);
}

/** A ratio's interval that is compared with one threshold. */
export function formatRatioAgainst(interval: Interval, threshold: number): string {
  return formatAgainst({ format: formatRatio }, interval, [threshold]);
}

/**
 * Says that another server answered; empty if the right one did.
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
