import type { PoolStrategies, presets } from '../../pool/presets.ts';
import { formatPercent, formatPlural } from '../text/format.ts';
import type { Basics, Cell } from './dimension.ts';

/** Which settings of a pool a preset uses, and the sizes of a scenario: totals made of ratios, and ratios found in totals. */

/**
 * A copy of pool/presets.ts, which this folder must not import at run time; the compiler checks that the two are equal.
 * A report also needs it, because a result has only the name of the preset.
 */
export const strategies = {
  baseline: { acquisition: 'mutex', health: 'always', warming: false },
  'lock-free': { acquisition: 'lock-free', health: 'always', warming: false },
  'health-cached': { acquisition: 'mutex', health: 'cached', warming: false },
  warmed: { acquisition: 'mutex', health: 'always', warming: true },
  optimized: { acquisition: 'lock-free', health: 'cached', warming: true },
  shared: { acquisition: 'shared', health: 'cached', warming: true },
} satisfies typeof presets;

const strategiesByName: ReadonlyMap<string, PoolStrategies> = new Map(Object.entries(strategies));

/** Which settings a preset uses; none if this version does not know the preset. */
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

/** No pool is without a connection. */
function minConnections({ pools, batch }: Pick<Basics, 'pools' | 'batch'>): number {
  return batch.pool === 'separate' ? 2 * pools : pools;
}

/** Connections of all pools together. */
export function totalConnections(cell: Cell): number {
  const { workers, connections: perWorker, batch } = cell;
  return Math.max(minConnections(cell), Math.round((workers + batch.workers) * perWorker));
}

/** Connections that a pool opens before the load. A shared one opens all of them. */
export function totalMinIdle(share: number, cell: Cell): number {
  const { acquisition, warming } = strategies[cell.preset];
  const connections = totalConnections(cell);
  if (acquisition === 'shared') return connections;
  return warming ? Math.round(connections * share) : 0;
}

interface Ratio {
  readonly part: number;
  readonly whole: number;
  /** The part is never less, whatever the ratio. */
  readonly min: number;
}

/**
 * The ratio that a total was made with, as far as it can be reconstructed: the roundest number that gives `part` of
 * `whole`, and among the candidates of all scenarios the one that fits most of them. 1 of 2 and 13 of 25 are both 0.5.
 */
function ratioOf(own: Ratio, all: readonly Ratio[]): number {
  const fits = (ratio: number) => (of: Ratio) => Math.max(of.min, Math.round(of.whole * ratio)) === of.part;
  const candidates = [...new Set(all.map(roundest))].filter(ratio => fits(ratio)(own));
  const support = (ratio: number) => all.filter(fits(ratio)).length;
  return candidates.toSorted((a, b) => support(b) - support(a))[0] ?? roundest(own);
}

function roundest({ part, whole }: Ratio): number {
  for (let digits = 0; digits < 4; digits++) {
    const ratio = Number((part / whole).toFixed(digits));
    if (Math.round(whole * ratio) === part) return ratio;
  }
  return part / whole;
}

/** "2 connections per worker"; `among` all scenarios of the report. */
export function describeConnectionRatio(scenario: Basics, among: readonly Basics[]): string {
  const ratio = (one: Basics): Ratio => ({
    part: one.connections,
    whole: one.workers + one.batch.workers,
    min: minConnections(one),
  });
  return `${formatPlural(ratioOf(ratio(scenario), among.map(ratio)), 'connection')} per worker`;
}

/** "minIdle 25 %"; "" of a pool that keeps none idle. */
export function describeIdleRatio(scenario: Basics, among: readonly Basics[]): string {
  if (!uses(scenario.pool).minIdle) return '';
  const ratio = ({ minIdle, connections }: Basics): Ratio => ({ part: minIdle, whole: connections, min: 0 });
  const all = among.filter(({ pool }) => uses(pool).minIdle).map(ratio);
  return `minIdle ${formatPercent(ratioOf(ratio(scenario), all))}`;
}
