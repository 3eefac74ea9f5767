import type { Result, RoundResult, ScenarioResult } from '../result.ts';
import { formatList, formatPlural } from '../text/format.ts';
import { withoutControls } from './control.ts';
import { minNeighbourCores, neighbourCores } from './interference.ts';
import { median } from './statistics.ts';

/** A round of a scenario whose throughput is far from that of the scenario's other rounds. It counts like any other. */
export interface Outlier {
  readonly scenarioId: string;
  readonly round: number;
  readonly opsPerSecond: number;
  readonly medianOpsPerSecond: number;
  /** What its figures show about the cause, as a clause. */
  readonly why: string;
}

/** With fewer rounds no round is an outlier. */
const minRoundsOfOutliers = 5;
/** Scaled median absolute deviations from the median beyond which a round is an outlier. */
const maxDeviations = 5;
/** Makes the median absolute deviation of normal noise its standard deviation. */
const madScale = 1.4826;
/** Fraction of the median that a deviation must exceed as well: rounds that agree to 1 % make 6 % look far. */
const minDeviation = 0.1;
/** Fraction of a loss of throughput, in logarithms, that more CPU time per operation must explain to be its cause. */
const minExplained = 0.5;
/** Numbers of rounds that a sentence lists. */
const maxListed = 8;

type Measured = Pick<Result, 'scenarios' | 'environment' | 'target'>;

interface Found {
  readonly scenario: ScenarioResult;
  readonly round: RoundResult;
  readonly middle: number;
}

/**
 * The rounds whose throughput deviates from the median of their scenario by more than 5 × 1.4826 × MAD and by more than
 * 10 %, in scenarios of at least 5 rounds, in their order. MAD is the median absolute deviation from the median. Leys et
 * al. (2013) take 2.5 to 3 of these units, Iglewicz and Hoaglin (1993) 3.5; 5, because the MAD of so few rounds is
 * itself unsure. No figure leaves them out.
 */
export function findOutliers(result: Measured): Outlier[] {
  const judged = withoutControls(result).filter(({ rounds }) => rounds.length >= minRoundsOfOutliers);
  const found = judged.flatMap(findInScenario);
  const disturbed = disturbedRounds(judged, found);
  return found.map(({ scenario, round, middle }) => {
    const causes = [
      ...(disturbed.has(round.round)
        ? ['it is an outlier in most scenarios, so the whole round was disturbed']
        : []),
      ...describeNeighbours(scenario, round, result),
      ...describeCpuTime(scenario, round, middle),
    ];
    return {
      scenarioId: scenario.id,
      round: round.round,
      opsPerSecond: round.opsPerSecond,
      medianOpsPerSecond: middle,
      why: causes.length === 0 ? 'its figures do not say why' : causes.join('; '),
    };
  });
}

/** How many measurements are outliers, and in which rounds they are; null if none is. */
export function describeOutliers(result: Measured): string | null {
  const outliers = findOutliers(result);
  if (outliers.length === 0) return null;
  const measurements = withoutControls(result).reduce((sum, { rounds }) => sum + rounds.length, 0);
  const rounds = [...new Set(outliers.map(({ round }) => round))].toSorted((a, b) => a - b);
  const more = rounds.length - maxListed;
  const listed = [...rounds.slice(0, maxListed).map(String), ...(more > 0 ? [`${more} more`] : [])];
  const [are, their] =
    outliers.length === 1 ? ['is an outlier', 'its scenario'] : ['are outliers', 'their scenarios'];
  return [
    `${outliers.length} of ${formatPlural(measurements, 'measurement')} ${are}, far from the median of ${their},`,
    `in round${rounds.length === 1 ? '' : 's'} ${formatList(listed)}: shown, not dropped.`,
    'report.md lists them with the likely cause.',
  ].join(' ');
}

function findInScenario(scenario: ScenarioResult): Found[] {
  const { rounds } = scenario;
  const middle = median(rounds.map(round => round.opsPerSecond));
  const deviation = (round: RoundResult) => Math.abs(round.opsPerSecond - middle);
  const limit = Math.max(maxDeviations * madScale * median(rounds.map(deviation)), minDeviation * middle);
  return rounds.filter(round => deviation(round) > limit).map(round => ({ scenario, round, middle }));
}

/** Rounds that are outliers to the same side in more than half of two or more scenarios. */
function disturbedRounds(judged: readonly ScenarioResult[], found: readonly Found[]): Set<number> {
  const isDisturbed = (number: number) => {
    const inRound = found.filter(({ round }) => round.round === number);
    const slower = inRound.filter(({ round, middle }) => round.opsPerSecond < middle).length;
    const measured = judged.filter(({ rounds }) => rounds.some(({ round }) => round === number)).length;
    return measured > 1 && Math.max(slower, inRound.length - slower) > measured / 2;
  };
  return new Set([...new Set(found.map(({ round }) => round.round))].filter(isDisturbed));
}

function describeNeighbours(scenario: ScenarioResult, round: RoundResult, result: Measured): string[] {
  const taken = neighbourCores(round, result);
  const usual = median(scenario.rounds.flatMap(other => neighbourCores(other, result) ?? []));
  if (taken === null || taken - usual < minNeighbourCores) return [];
  return [`other programs used ${taken.toFixed(2)} cores, against ${usual.toFixed(2)} in the median round`];
}

/** If a round was slow although the client had its usual CPU time, each core did less with it. */
function describeCpuTime(scenario: ScenarioResult, round: RoundResult, middle: number): string[] {
  const { clientMicrosPerOp } = round.cpu;
  if (clientMicrosPerOp === null || round.opsPerSecond >= middle) return [];
  const ratio =
    clientMicrosPerOp / median(scenario.rounds.flatMap(other => other.cpu.clientMicrosPerOp ?? []));
  if (!(Math.log(ratio) >= minExplained * Math.log(middle / round.opsPerSecond))) return [];
  return [`an operation took ×${ratio.toFixed(2)} the client's CPU time in the median round`];
}
