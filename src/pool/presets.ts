/**
 * The client of a pooled connection: ioredis, installed with poolbench; wire, its own, with the least overhead; or one
 * whose package the user installs (`client/libraries.ts`).
 */
export const clientNames = ['ioredis', 'wire', 'node-redis', 'iovalkey', 'valkey-glide'] as const;
export type ClientName = (typeof clientNames)[number];

/** One of these, or the path of a user's module (`client/client-module.ts`). */
export type Client = ClientName | `${'./' | '../' | '/'}${string}`;

/**
 * How a connection is checked before it is acquired. `poll` looks at the socket after a turn of the event loop, as the
 * check in the source report does; `ping` takes a round trip.
 */
const probes = ['poll', 'ping'] as const;
export type Probe = (typeof probes)[number];

/**
 * How a connection of wire reaches its socket: the handle below Node's stream (which TLS does not have: it uses the stream);
 * the stream itself; or io_uring, through an addon in C.
 */
export const transports = ['direct', 'stream', 'io_uring'] as const;
export type Transport = (typeof transports)[number];

/** How a burst of connection attempts is spread: all at once, one after another, or each after a short random delay. */
export const connectPacings = ['parallel', 'serial', 'jittered'] as const;
export type ConnectPacing = (typeof connectPacings)[number];

/** Where reads go if the server has replicas. Writes always go to the primary. */
export const readSources = ['primary', 'replica', 'any'] as const;
export type ReadFrom = (typeof readSources)[number];

/** The three strategies of a pool, which presets choose independently. */
export interface PoolStrategies {
  /**
   * `mutex`: one FIFO lock over pop, creation and check. `lock-free`: a synchronous pop; creation and check outside.
   * `shared`: callers share connections; each acquires the one with the fewest holders.
   */
  readonly acquisition: 'mutex' | 'lock-free' | 'shared';
  /** `always`: a check at every acquisition. `cached`: none while a reply or a check is younger than the TTL. */
  readonly health: 'always' | 'cached';
  /** Whether minIdle connections (`shared`: all) are opened before the load and kept open in the background. */
  readonly warming: boolean;
}

export interface PoolOptions {
  readonly strategies: PoolStrategies;
  /** Maximum of connections, open and being opened. At least 1. */
  readonly max: number;
  /** Connections that `warm()` opens and that are kept idle in the background, if the strategies include warming. */
  readonly minIdle: number;
  readonly probe: Probe;
  /** How long no check is needed after a reply or a check, if health is cached; rounded to 10 ms. */
  readonly healthTtlMs: number;
  /**
   * After this long without a reply, a batch and those behind it fail with TIMEOUT: never early, at most 200 ms late.
   */
  readonly timeoutMs: number;
  /** How a burst of connection attempts is spread. */
  readonly connects: ConnectPacing;
  /** Draws from [0, 1), to spread connection attempts. @default Math.random */
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
