import type { RoundResult, ScenarioResult } from '../result.ts';
import { formatCount, formatFraction, formatList } from '../text/format.ts';
import { loadsOf, type ScenarioLoad } from './populations.ts';
import { minRounds } from './sign-test.ts';
import { sumOf } from './statistics.ts';

/** What reads found, compared with what they should have found. */

/** What is known in advance about the reads of a workload. */
export interface ReadPlan {
  /** Names of the commands whose outcome can be foreseen. */
  readonly names: readonly string[];
  /** Their fraction of all operations. */
  readonly fraction: number;
  /** Null if the mix itself removes what it reads. */
  readonly expectedHitRatio: number | null;
}

/** Difference of hit ratios that is more than a few lost keys. */
const maxHitDifference = 0.005;
/** Standard deviations of the drawing of hits and misses. */
const drawnDeviations = 4;
/** Between arms whose mix removes keys. A read that finds nothing can cost several times less than one that finds a value. */
const maxArmDifference = 0.05;

/** Counts the foreseeable reads of a round. If commands are not counted apart, their number is that of the mix. */
export function countReads(round: RoundResult, plan: ReadPlan): NonNullable<RoundResult['reads']> | null {
  const { commands } = round;
  if (plan.names.length === 0) return null;
  const reads = commands.filter(({ name }) => plan.names.includes(name));
  const isApart = commands.length > 0;
  const count = isApart ? sumOf(reads, read => read.completed) : Math.round(round.completed * plan.fraction);
  const misses = isApart ? sumOf(reads, read => read.misses) : round.misses;
  return { count, found: Math.max(0, count - misses), expectedHitRatio: plan.expectedHitRatio };
}

/** Difference between the hit ratio and the expected one, if chance and a few keys cannot explain it; else 0. */
export function hitDifference({ reads }: Pick<RoundResult, 'reads'>): number {
  const expected = reads?.expectedHitRatio ?? null;
  if (!reads || expected === null || reads.count === 0) return 0;
  const deviation = Math.sqrt((expected * (1 - expected)) / reads.count);
  const difference = Math.abs(reads.found / reads.count - expected);
  return difference > maxHitDifference + drawnDeviations * deviation ? difference : 0;
}

/**
 * Whether a round began with the planned data, and its reads found what they should, those of populations too. If not, no
 * verdict uses it.
 */
export function hasPlannedData(round: Pick<RoundResult, 'reads' | 'dataSet' | 'populations'>): boolean {
  return [round, ...(round.populations ?? [])].every(
    load => load.dataSet?.state !== 'notAsPlanned' && hitDifference(load) === 0,
  );
}

/** Why the data of these arms allows no verdict, as a clause; null if it allows one. */
export function findDataFlaw(arms: readonly Pick<ScenarioResult, 'id' | 'rounds'>[]): string | null {
  for (const { id, rounds } of arms) {
    const others = rounds.filter(round => !hasPlannedData(round)).length;
    if (others === 0 || rounds.length - others >= minRounds) continue;
    return `in ${others} of ${rounds.length} rounds of ${id}, the data was not as planned at the start, or reads found more or fewer values than expected`;
  }
  const [least, ...rest] = arms.flatMap(removingReads).toSorted((a, b) => a.ratio - b.ratio);
  const most = rest.at(-1);
  if (least === undefined || most === undefined) return null;
  const deviation = Math.sqrt(0.25 / Math.min(least.count, most.count));
  if (most.ratio - least.ratio <= maxArmDifference + drawnDeviations * deviation) return null;
  return `${formatFraction(least.ratio)} of the reads of ${least.id} found a value, and ${formatFraction(most.ratio)} of those of ${most.id}: the arms did not do the same work`;
}

/** The reads of an arm whose mix removes what it reads: then a faster arm, which removes more, finds less. */
function removingReads({ id, rounds }: Pick<ScenarioResult, 'id' | 'rounds'>) {
  const removing = rounds.filter(({ reads }) => reads?.expectedHitRatio === null);
  const ratio = hitRatioOf(removing);
  return ratio === null ? [] : [{ id, ratio, count: sumOf(removing, round => round.reads?.count ?? 0) }];
}

/** Fraction of the foreseeable reads of these rounds that found a value; null if there were none. */
export function hitRatioOf(rounds: readonly Pick<RoundResult, 'reads'>[]): number | null {
  const count = sumOf(rounds, ({ reads }) => reads?.count ?? 0);
  return count === 0 ? null : sumOf(rounds, ({ reads }) => reads?.found ?? 0) / count;
}

/** A sentence for each load whose hit ratio was not as expected, and one for a mix that removes what it reads. */
export function describeReads(scenarios: readonly Pick<ScenarioResult, 'id' | 'rounds'>[]): string[] {
  const ratios = scenarios
    .flatMap(({ rounds }) => rounds.filter(({ reads }) => reads?.expectedHitRatio === null))
    .flatMap(round => hitRatioOf([round]) ?? []);
  const [min, max] = [Math.min(...ratios), Math.max(...ratios)];
  const removing =
    max - min > maxArmDifference
      ? [
          `The commands remove what they read. From one measurement to another, between ${formatFraction(min)} and ${formatFraction(max)} of the reads found a value. A faster measurement removes more keys, so the measurements did not do the same work.`,
        ]
      : [];
  return [...removing, ...scenarios.flatMap(loadsOf).flatMap(describeHits)];
}

function describeHits({ id, rounds }: ScenarioLoad): string[] {
  const off = rounds.filter(round => hitDifference(round) > 0);
  const worst = off.toSorted((a, b) => hitDifference(b) - hitDifference(a))[0];
  if (!worst?.reads || worst.reads.expectedHitRatio === null) return [];
  const { count, found, expectedHitRatio } = worst.reads;
  const numbers = formatList(off.map(({ round }) => String(round)));
  return [
    `In ${id}, reads found more or fewer values than expected in ${off.length === 1 ? 'round' : 'rounds'} ${numbers}: ${formatCount(count - found)} of ${formatCount(count)} reads found nothing in round ${worst.round} (${formatFraction((count - found) / count)}; expected: ${formatFraction(1 - expectedHitRatio)}). The work was not what the config asks for, so no verdict uses ${off.length === 1 ? 'this round' : 'these rounds'}.`,
  ];
}
