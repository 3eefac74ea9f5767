import type { Result, Verdict } from '../../result.ts';
import { falseVerdictChance, minRounds } from '../../stats/statistics.ts';
import { capitalise, describeIntervals, formatPlural, formatShare } from '../../text/format.ts';
import { type ClientFinding, countChances, findDeciding, sayDisagreement } from './client-finding.ts';
import { sayOutcome, sayUnjudged } from './prediction-words.ts';
import { sayStandIn, sayStandInShortly } from './stand-in-words.ts';

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
          `If all ${most} truths lay exactly on their thresholds, chance would refute the claim in up to ${formatShare(falseVerdictChance(fewest, most))} of runs.`,
        ]
      : []),
  ];
}
