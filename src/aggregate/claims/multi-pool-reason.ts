import {
  capitalise,
  describeIntervals,
  formatList,
  formatPlural,
  formatRatioInterval,
  toOneLine,
} from '../format.ts';
import type { Pair } from '../pairs.ts';
import type { Result, ScenarioResult, Verdict } from '../result.ts';
import { bestOf, type Combined, type Finding } from './multi-pool-findings.ts';

/** The verdict's reason in at most four sentences: why, the figures, where the crossover lies, what to keep in mind. */
export function explain(target: Result['target'], findings: readonly Finding[], verdict: Verdict): string {
  const why = sayWhy(findings);
  const figures = findings
    .map(sayFigures)
    .filter(clause => clause !== '')
    .join('; ');
  const crossovers = findings
    .filter(finding => finding.sound && finding.pairs.length > 0)
    .map(finding => sayCrossover(finding, findings.length > 1))
    .join('; ');
  return [
    target.standIn ? `${sayStandIn(target)} ${verdict}, as ${why}.` : `${why}.`,
    figures === '' ? '' : `${figures}.`,
    crossovers === '' ? '' : `${crossovers}.`,
    `${sayRounds(findings)}each pool has a thread of its own here, so a gain is that of pool and thread together.`,
  ]
    .filter(sentence => sentence !== '')
    .map(capitalise)
    .join(' ');
}

/** More than these are for the table. */
const mostUntestedPairs = 4;

/** Why a run is no test of the claim, and what it says all the same. */
export function explainUntested(
  target: Result['target'],
  scenarios: readonly ScenarioResult[],
  pairs: readonly Pair[],
): string {
  const open = scenarios.length > 0 && scenarios.every(scenario => scenario.arrival.kind !== 'closed');
  const missing = open
    ? 'The run has open loops only, whose throughput is the rate that was asked for.'
    : 'The run has no scenario of several pools, each with a thread of its own, beside its equal of one pool at more than 50 workers.';
  const found = pairs.flatMap(({ one, several, throughput: { ratio } }) =>
    ratio === null
      ? []
      : `at ${formatPlural(one.workers, 'worker')} with ${one.client}, ${several.pools} pools gave ${formatRatioInterval(ratio)} the throughput of one`,
  );
  return [
    missing,
    ...(found.length > 0 && found.length <= mostUntestedPairs
      ? [`It does tell this: ${found.join('; ')}.`]
      : []),
    ...(target.standIn ? [`${nameStandIn(target)}.`] : []),
  ].join(' ');
}

function nameStandIn({ declared, detected }: Result['target']): string {
  const answered = toOneLine(`${detected.server} ${detected.version}`);
  return `The config declares ${toOneLine(declared.server)}, but ${answered} stood in for it`;
}

function sayStandIn(target: Result['target']): string {
  const declared = toOneLine(target.declared.server);
  return `${nameStandIn(target)}, so nothing is said of ${declared}; by the same rule the stand-in's figures would give:`;
}

/** The fewest rounds that a figure in the reason is made of. */
function sayRounds(findings: readonly Finding[]): string {
  const rounds = findings.flatMap(({ above, upTo }) => [...above, ...upTo].map(combined => combined.rounds));
  if (rounds.length === 0) return '';
  const fewest = Math.min(...rounds);
  return `figures are medians over ${formatPlural(fewest, 'round')} with ${describeIntervals(fewest)}; `;
}

function sayWhy(findings: readonly Finding[]): string {
  const reasons = new Set(findings.map(finding => finding.why));
  const verdicts = new Set(findings.map(finding => finding.verdict));
  if (verdicts.size === 1 && reasons.size === 1) return [...reasons].join();
  const each = formatList(
    findings.map(({ label, verdict, why }) => `with ${label} it is ${verdict} (${why})`),
  );
  return verdicts.size === 1 ? each : `the settings do not agree: ${each}`;
}

/** The most that any number of pools gained above 50 workers and up to them. */
function sayFigures({ label, above, upTo }: Finding): string {
  const bestAbove = bestOf(above);
  const bestUpTo = bestOf(upTo);
  const sides = [
    bestAbove ? `above 50 workers ${sayGain(bestAbove)} the throughput of one${sayP99(bestAbove)}` : '',
    bestUpTo ? `at 50 or fewer ${sayGain(bestUpTo)}` : '',
  ].filter(side => side !== '');
  return sides.length === 0 ? '' : `with ${label}, ${sides.join(', ')}`;
}

function sayGain({ pools, throughput }: Combined): string {
  return `${pools} pools gave ${formatRatioInterval(throughput)}`;
}

function sayP99({ responseP99 }: Combined): string {
  return responseP99 === null ? '' : ` (response p99 ${formatRatioInterval(responseP99)})`;
}

function sayCrossover({ label, crossover, pairs }: Finding, several: boolean): string {
  const setting = several ? ` with ${label}` : '';
  if (crossover === null) {
    const highest = highestLevel(pairs);
    const limits = highest
      ? ` (at ${formatPlural(highest.one.workers, 'worker')} ${sayLimits(highest)})`
      : '';
    return `no level was found${setting} from which on several pools clearly pay${limits}`;
  }
  const lowest = Math.min(...pairs.map(pair => pair.one.workers));
  const isLowest = crossover.one.workers === lowest ? ', the lowest level of the run' : '';
  const from = formatPlural(crossover.one.workers, 'worker');
  return `${crossover.several.pools} pools pay${setting} from ${from} on${isLowest} (there ${sayLimits(crossover)})`;
}

/** At the highest level, the number of pools that gained most. */
function highestLevel(pairs: readonly Pair[]): Pair | undefined {
  const most = Math.max(...pairs.map(pair => pair.one.workers));
  return pairs
    .filter(pair => pair.one.workers === most)
    .toSorted((a, b) => (b.throughput.ratio?.median ?? 0) - (a.throughput.ratio?.median ?? 0))[0];
}

function sayLimits({ one, several }: Pair): string {
  if (one.limitedBy.resource === several.limitedBy.resource) {
    return `one pool and ${several.pools} were both limited by ${sayResource(one)}`;
  }
  return `one pool was limited by ${sayResource(one)}, ${several.pools} pools by ${sayResource(several)}`;
}

function sayResource({ limitedBy: { resource } }: ScenarioResult): string {
  return resource === 'unknown' ? 'something unknown' : `the ${resource}`;
}
