import type { PoolStrategies, presets } from '../../pool/presets.ts';
import { formatPercent, formatPlural } from '../text/format.ts';
import type { Basics, Cell } from './dimension.ts';

/** What the presets do with the settings of a pool, and the totals that a scenario's sizes are: made, and told again. */

/** As in pool/presets.ts, which this folder may not call; the compiler holds them equal. */
export const strategies = {
  baseline: { acquisition: 'mutex', health: 'always', warming: false },
  'lock-free': { acquisition: 'lock-free', health: 'always', warming: false },
  'health-cached': { acquisition: 'mutex', health: 'cached', warming: false },
  warmed: { acquisition: 'mutex', health: 'always', warming: true },
  optimized: { acquisition: 'lock-free', health: 'cached', warming: true },
  shared: { acquisition: 'shared', health: 'cached', warming: true },
} satisfies typeof presets;

const strategiesByName: ReadonlyMap<string, PoolStrategies> = new Map(Object.entries(strategies));

/** Which of its settings a preset uses; none of one that this version does not know. */
export function uses(preset: string): { minIdle: boolean; healthTtl: boolean; pacing: boolean } {
  const { acquisition, health, warming } = strategiesByName.get(preset) ?? {};
  const shared = acquisition === 'shared';
  return {
    minIdle: warming === true && !shared,
    healthTtl: health === 'cached' && !shared,
    pacing: acquisition === 'lock-free',
  };
}

export const isMutex = (preset: string) => strategiesByName.get(preset)?.acquisition === 'mutex';

/** Connections of all pools together; no pool is without one. */
export function totalConnections({ pools, workers, connections: perWorker, batch }: Cell): number {
  const fewest = batch.pool === 'separate' ? 2 * pools : pools;
  return Math.max(fewest, Math.round((workers + batch.workers) * perWorker));
}

/** Connections that a pool opens before the load. A shared one opens all of them. */
export function totalMinIdle(share: number, cell: Cell): number {
  const { acquisition, warming } = strategies[cell.preset];
  const connections = totalConnections(cell);
  if (acquisition === 'shared') return connections;
  return warming ? Math.round(connections * share) : 0;
}

/**
 * The ratio that a total was made with, as far as totals tell: the roundest number that gives `part` of `whole`, and of
 * several scenarios' the one that explains most of them. 1 of 2 and 13 of 25 are both 0.5.
 */
function ratioOf(own: Ratio, all: readonly Ratio[]): number {
  const explains = (ratio: number) => (of: Ratio) =>
    Math.max(of.least, Math.round(of.whole * ratio)) === of.part;
  const candidates = [...new Set(all.map(roundest))].filter(ratio => explains(ratio)(own));
  const support = (ratio: number) => all.filter(explains(ratio)).length;
  return candidates.toSorted((a, b) => support(b) - support(a))[0] ?? roundest(own);
}

interface Ratio {
  readonly part: number;
  readonly whole: number;
  /** The part is never less, whatever the ratio. */
  readonly least: number;
}

function roundest({ part, whole }: Ratio): number {
  for (let digits = 0; digits < 4; digits++) {
    const ratio = Number((part / whole).toFixed(digits));
    if (Math.round(whole * ratio) === part) return ratio;
  }
  return part / whole;
}

const connectionRatio = ({ connections, workers, batch, pools }: Basics): Ratio => ({
  part: connections,
  whole: workers + batch.workers,
  least: batch.pool === 'separate' ? 2 * pools : pools,
});
const idleRatio = ({ minIdle, connections }: Basics): Ratio => ({
  part: minIdle,
  whole: connections,
  least: 0,
});

/** Of each scenario of a report, "2 connections per worker". */
export function describeConnectionRatio(scenario: Basics, among: readonly Basics[]): string {
  const ratio = ratioOf(connectionRatio(scenario), among.map(connectionRatio));
  return `${formatPlural(ratio, 'connection')} per worker`;
}

/** "minIdle 25 %"; "" of a pool that keeps none idle. */
export function describeIdleRatio(scenario: Basics, among: readonly Basics[]): string {
  if (!uses(scenario.pool).minIdle) return '';
  const all = among.filter(({ pool }) => uses(pool).minIdle).map(idleRatio);
  return `minIdle ${formatPercent(ratioOf(idleRatio(scenario), all))}`;
}
