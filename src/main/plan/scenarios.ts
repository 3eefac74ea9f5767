import { type Client, type PoolStrategies, type Preset, type Probe, presets } from '../../pool/presets.ts';
import type { Arrival, ScenarioGroup } from '../config/experiment.ts';

/** One cell of the matrix. The totals are over all pools. Plain data. */
export interface Scenario {
  readonly id: string;
  readonly client: Client;
  readonly preset: Preset;
  readonly pools: number;
  readonly poolsPerThread: number;
  readonly threads: number;
  readonly workers: number;
  readonly connections: number;
  /** 0 where the preset does not warm. */
  readonly minIdle: number;
  readonly pipeline: number;
  /** 0 where the preset checks at every acquisition. */
  readonly healthTtlMs: number;
  readonly probe: Probe;
  readonly arrival: Arrival;
}

/** One value of every list of a group. */
type Cell = { readonly [Key in keyof ScenarioGroup]: ScenarioGroup[Key][number] };

/** How the id names the dimensions that most experiments leave alone, and what they are then. */
const furtherDimensions: readonly { usual: string; label: (cell: Cell) => string }[] = [
  { usual: 'depth1', label: cell => `depth${cell.pipeline}` },
  { usual: '1perThread', label: cell => `${cell.poolsPerThread}perThread` },
  { usual: '2perWorker', label: cell => `${cell.connectionsPerWorker}perWorker` },
  { usual: 'idle0.25', label: cell => `idle${cell.minIdleShare}` },
  { usual: 'ttl1000ms', label: cell => `ttl${cell.healthTtlMs}ms` },
  { usual: 'poll', label: cell => cell.probe },
  { usual: 'closed', label: cell => cell.arrival.kind },
];

/**
 * Every scenario of an experiment, once, in the order of the config.
 *
 * The id names client, preset, pools and workers, and every further dimension that varies in the experiment or is
 * not at its default: `wire-optimized-4pools-100workers-depth10`.
 */
export function expandScenarios(groups: readonly ScenarioGroup[]): Scenario[] {
  const cells = groups.flatMap(cellsOf).map(withoutIdleSettings);
  const named = furtherDimensions.filter(({ usual, label }) => cells.some(cell => label(cell) !== usual));
  const unique = new Map<string, Scenario>();
  for (const cell of cells) {
    const measured = measuredPart(cell);
    const key = JSON.stringify(measured);
    if (unique.has(key)) continue;
    const id = [shortId(measured), ...named.map(({ label }) => label(cell))].join('-');
    unique.set(key, { id, ...measured });
  }
  return [...unique.values()];
}

/** Most connections that are open at once: the largest scenario's, and the coordinator's own. */
export function connectionsNeeded(scenarios: readonly Scenario[]): number {
  return 1 + Math.max(...scenarios.map(scenario => scenario.connections));
}

/** The part of an id that every scenario has. */
export function shortId({ client, preset, pools, workers }: Omit<Scenario, 'id'>): string {
  return `${client}-${preset}-${pools}${pools === 1 ? 'pool' : 'pools'}-${workers}${workers === 1 ? 'worker' : 'workers'}`;
}

function cellsOf(group: ScenarioGroup): Cell[] {
  let cells: Partial<Record<string, unknown>>[] = [{}];
  for (const [key, values] of Object.entries(group)) {
    cells = cells.flatMap(cell => values.map(value => ({ ...cell, [key]: value })));
  }
  return cells as Cell[];
}

/** A setting without effect must not make a second scenario of the same thing: it goes back to its default. */
function withoutIdleSettings(cell: Cell): Cell {
  const strategies: PoolStrategies = presets[cell.pool];
  return {
    ...cell,
    poolsPerThread: Math.min(cell.poolsPerThread, cell.pools),
    minIdleShare: strategies.warming ? cell.minIdleShare : 0.25,
    healthTtlMs: strategies.health === 'cached' ? cell.healthTtlMs : 1000,
  };
}

function measuredPart(cell: Cell): Omit<Scenario, 'id'> {
  const strategies: PoolStrategies = presets[cell.pool];
  const connections = Math.max(cell.pools, Math.round(cell.workers * cell.connectionsPerWorker));
  return {
    client: cell.client,
    preset: cell.pool,
    pools: cell.pools,
    poolsPerThread: cell.poolsPerThread,
    threads: Math.ceil(cell.pools / cell.poolsPerThread),
    workers: cell.workers,
    connections,
    minIdle: strategies.warming ? Math.round(connections * cell.minIdleShare) : 0,
    pipeline: cell.pipeline,
    healthTtlMs: strategies.health === 'cached' ? cell.healthTtlMs : 0,
    probe: cell.probe,
    arrival: cell.arrival,
  };
}
