/** How a pooled connection is made: what an application pays, or the leanest way to the server. */
export const clients = ['ioredis', 'wire'] as const;
export type Client = (typeof clients)[number];

/**
 * How a connection is looked at before it is acquired: `poll` looks at the socket and costs a turn of the event
 * loop, as the source document's check does; `ping` costs a round trip.
 */
export const probes = ['poll', 'ping'] as const;
export type Probe = (typeof probes)[number];

/** How a burst of connects is spread: all at once, one after another, or each after a short random wait. */
export const connectPacings = ['parallel', 'serial', 'jittered'] as const;
export type ConnectPacing = (typeof connectPacings)[number];

/** The three strategies of a pool, each of which a preset can switch on alone. */
export interface PoolStrategies {
  /**
   * `mutex`: one FIFO lock over pop, creation and check. `lock-free`: a synchronous pop; creation and check outside.
   * `shared`: no connection is anybody's own; a caller gets the one that fewest others hold.
   */
  readonly acquisition: 'mutex' | 'lock-free' | 'shared';
  /** `always`: a check at every acquisition. `cached`: none while a reply or a check is younger than the TTL. */
  readonly health: 'always' | 'cached';
  /** Whether minIdle connections (`shared`: all) stand before the load and are kept up in the background. */
  readonly warming: boolean;
}

export interface PoolOptions {
  readonly strategies: PoolStrategies;
  /** Maximum of connections, open and opening together. At least 1. */
  readonly max: number;
  /** Connections that `warm()` opens and that are kept idle in the background, where the strategies warm. */
  readonly minIdle: number;
  readonly probe: Probe;
  /** How long a reply or a check vouches for a connection, where health is cached; counted in steps of 10 ms. */
  readonly healthTtlMs: number;
  /** A batch unanswered for this long fails with TIMEOUT, never before and at most 200 ms late; those behind it, too. */
  readonly timeoutMs: number;
  /** How a burst of connection attempts is spread. */
  readonly connects: ConnectPacing;
  /** Draws from [0, 1) what spreads connection attempts. @default Math.random */
  readonly random?: () => number;
  /** Without metrics, `metrics()` returns undefined and counting costs nothing measurable. */
  readonly metrics: boolean;
}

export const presets = {
  baseline: { acquisition: 'mutex', health: 'always', warming: false },
  'lock-free': { acquisition: 'lock-free', health: 'always', warming: false },
  'health-cached': { acquisition: 'mutex', health: 'cached', warming: false },
  warmed: { acquisition: 'mutex', health: 'always', warming: true },
  optimized: { acquisition: 'lock-free', health: 'cached', warming: true },
  shared: { acquisition: 'shared', health: 'cached', warming: true },
} as const satisfies Record<string, PoolStrategies>;

export type Preset = keyof typeof presets;
