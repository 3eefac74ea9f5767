import {
  type Client,
  type ConnectPacing,
  type PoolStrategies,
  type Preset,
  type Probe,
  presets,
} from '../../pool/presets.ts';
import type { ScenarioGroup } from '../config/scenario-group.ts';
import { type Arrival, expandArrivals, labelArrival } from './arrivals.ts';

/** Workers beside the others that send larger batches: none, in the same pools, or in pools of their own. */
export interface BatchWorkers {
  readonly pool: 'none' | 'shared' | 'separate';
  readonly workers: number;
  readonly pipeline: number;
}

/** One cell of the matrix. The totals are over all pools. Plain data. */
export interface Scenario {
  readonly id: string;
  readonly client: Client;
  readonly preset: Preset;
  readonly pools: number;
  readonly poolsPerThread: number;
  readonly threads: number;
  readonly workers: number;
  /** Those of the batch workers included. */
  readonly connections: number;
  /** 0 where the preset does not warm. */
  readonly minIdle: number;
  readonly pipeline: number;
  /** 0 where the preset checks at every acquisition. */
  readonly healthTtlMs: number;
  readonly probe: Probe;
  readonly arrival: Arrival;
  /** `serial` where the preset opens connections inside the lock. */
  readonly connects: ConnectPacing;
  readonly autoPipelining: boolean;
  readonly batch: BatchWorkers;
  readonly cutEveryMs: number;
  readonly burst: boolean;
}

/** One value of every list of a group. */
type Cell = { readonly [Key in keyof Lists]: Lists[Key][number] };
type Lists = Omit<ScenarioGroup, 'arrival'> & { readonly arrival: readonly Arrival[] };

/**
 * How the id names the dimensions that most experiments leave alone, and what they are then. A preset on which one has
 * no effect is not named by it: its label is empty.
 */
const furtherDimensions: readonly { usual: string; label: (cell: Cell) => string }[] = [
  { usual: 'depth1', label: cell => `depth${cell.pipeline}` },
  { usual: '1perThread', label: cell => `${cell.poolsPerThread}perThread` },
  { usual: '2perWorker', label: cell => `${cell.connectionsPerWorker}perWorker` },
  { usual: 'idle0.25', label: cell => (keepsIdle(cell) ? `idle${cell.minIdleShare}` : '') },
  { usual: 'ttl1000ms', label: cell => (cachesChecks(cell) ? `ttl${cell.healthTtlMs}ms` : '') },
  { usual: 'poll', label: cell => cell.probe },
  { usual: 'closed', label: cell => labelArrival(cell.arrival) },
  { usual: 'parallel', label: cell => (pacesConnects(cell) ? cell.connects : '') },
  { usual: 'unjoined', label: cell => (cell.autoPipelining ? 'autopipelined' : 'unjoined') },
  { usual: 'nobatch', label: cell => labelBatch(batchOf(cell)) },
  { usual: 'uncut', label: cell => (cell.cutEveryMs === 0 ? 'uncut' : `cut${cell.cutEveryMs}ms`) },
  { usual: 'steady', label: cell => (cell.burst ? 'burst' : 'steady') },
];

const strategiesOf = ({ pool }: Cell): PoolStrategies => presets[pool];
const isShared = (cell: Cell) => strategiesOf(cell).acquisition === 'shared';
/** Which of its settings a cell's preset uses. */
const keepsIdle = (cell: Cell) => strategiesOf(cell).warming && !isShared(cell);
const cachesChecks = (cell: Cell) => strategiesOf(cell).health === 'cached' && !isShared(cell);
const pacesConnects = (cell: Cell) => strategiesOf(cell).acquisition === 'lock-free';

/**
 * Every scenario of an experiment, once, in the order of the config.
 *
 * The id names client, preset, pools and workers, and every further dimension that varies in the experiment or is
 * not at its default: `wire-optimized-4pools-100workers-depth10`.
 */
export function expandScenarios(groups: readonly ScenarioGroup[]): Scenario[] {
  const cells = groups.flatMap(cellsOf).map(withoutIdleSettings);
  const named = furtherDimensions.filter(({ usual, label }) =>
    cells.some(cell => ![usual, ''].includes(label(cell))),
  );
  const unique = new Map<string, Scenario>();
  for (const cell of cells) {
    const measured = measuredPart(cell);
    const key = JSON.stringify(measured);
    if (unique.has(key)) continue;
    const labels = named.map(({ label }) => label(cell)).filter(label => label !== '');
    const id = [shortId(measured), ...labels].join('-');
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
  const lists: Lists = { ...group, arrival: expandArrivals(group.arrival) };
  for (const [key, values] of Object.entries(lists)) {
    cells = cells.flatMap(cell => values.map(value => ({ ...cell, [key]: value })));
  }
  return cells as Cell[];
}

/** A setting without effect must not make a second scenario of the same thing: it goes back to its default. */
function withoutIdleSettings(cell: Cell): Cell {
  return {
    ...cell,
    poolsPerThread: Math.min(cell.poolsPerThread, cell.pools),
    minIdleShare: keepsIdle(cell) ? cell.minIdleShare : 0.25,
    healthTtlMs: cachesChecks(cell) ? cell.healthTtlMs : 1000,
    connects: pacesConnects(cell) ? cell.connects : 'parallel',
    autoPipelining: cell.client === 'ioredis' && cell.autoPipelining,
  };
}

function measuredPart(cell: Cell): Omit<Scenario, 'id'> {
  const strategies = strategiesOf(cell);
  const batch = batchOf(cell);
  const connections = Math.max(
    batch.pool === 'separate' ? 2 * cell.pools : cell.pools,
    Math.round((cell.workers + batch.workers) * cell.connectionsPerWorker),
  );
  return {
    client: cell.client,
    preset: cell.pool,
    pools: cell.pools,
    poolsPerThread: cell.poolsPerThread,
    threads: Math.ceil(cell.pools / cell.poolsPerThread),
    workers: cell.workers,
    connections,
    minIdle: minIdleOf(strategies, connections, cell.minIdleShare),
    pipeline: cell.pipeline,
    healthTtlMs: strategies.health === 'cached' ? cell.healthTtlMs : 0,
    probe: cell.probe,
    arrival: cell.arrival,
    connects: strategies.acquisition === 'mutex' ? 'serial' : cell.connects,
    autoPipelining: cell.autoPipelining,
    batch,
    cutEveryMs: cell.cutEveryMs,
    burst: cell.burst,
  };
}

/** A shared pool opens all of its connections at the start. */
function minIdleOf({ acquisition, warming }: PoolStrategies, connections: number, share: number): number {
  if (acquisition === 'shared') return connections;
  return warming ? Math.round(connections * share) : 0;
}

function batchOf({ batch }: Cell): BatchWorkers {
  return batch.pool === 'none' ? { pool: 'none', workers: 0, pipeline: 0 } : batch;
}

function labelBatch({ pool, workers, pipeline }: BatchWorkers): string {
  return pool === 'none' ? 'nobatch' : `${pool}Batch${workers}x${pipeline}`;
}
