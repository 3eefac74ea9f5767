/**
 * What a server tells of itself by INFO beside the load: one row for each figure, from which the reading of INFO, the
 * schema of result.json, `server.csv`, the metrics of a run, the table of the report and the charts of the page are made.
 */

type Info = ReadonlyMap<string, string>;

interface ServerField {
  /** Its key in INFO. */
  readonly info: string;
  /** Makes it of several keys. Absent: it is the number at its key. */
  readonly read?: (info: Info) => number | null;
  /** A counter has counted since the server started. */
  readonly kind: 'gauge' | 'counter';
  readonly unit: 'bytes' | 'clients' | 'keys' | 'lookups' | 'µs';
  /** Of several masters: their sum, if all of them tell it; or the largest that any of them tells. */
  readonly ofMasters: 'sum' | 'largest';
  /** As text: "memory in use". */
  readonly words: string;
  /** Title of its chart; rows that share one have the same unit and kind. */
  readonly chart: string;
  /** Name of its metric, without the prefix and without the `_total` of a counter. A time is in seconds. */
  readonly prometheus: string;
}

const counter = { kind: 'counter', ofMasters: 'sum' } as const;
const gauge = { kind: 'gauge', ofMasters: 'sum' } as const;

/** By the key in result.json, which is the name of the CSV column, too. */
export const serverFields = {
  usedMemoryBytes: {
    ...gauge,
    info: 'used_memory',
    unit: 'bytes',
    words: 'memory in use',
    chart: 'Memory',
    prometheus: 'server_used_memory_bytes',
  },
  residentMemoryBytes: {
    ...gauge,
    info: 'used_memory_rss',
    unit: 'bytes',
    words: 'resident memory',
    chart: 'Memory',
    prometheus: 'server_resident_memory_bytes',
  },
  evictedKeys: {
    ...counter,
    info: 'evicted_keys',
    unit: 'keys',
    words: 'evicted keys',
    chart: 'Keys evicted and expired',
    prometheus: 'server_evicted_keys',
  },
  expiredKeys: {
    ...counter,
    info: 'expired_keys',
    unit: 'keys',
    words: 'expired keys',
    chart: 'Keys evicted and expired',
    prometheus: 'server_expired_keys',
  },
  connectedClients: {
    ...gauge,
    info: 'connected_clients',
    unit: 'clients',
    words: 'connected clients',
    chart: 'Connected clients',
    prometheus: 'server_connected_clients',
  },
  keyspaceHits: {
    ...counter,
    info: 'keyspace_hits',
    unit: 'lookups',
    words: 'hits',
    chart: 'Hits and misses',
    prometheus: 'server_keyspace_hits',
  },
  keyspaceMisses: {
    ...counter,
    info: 'keyspace_misses',
    unit: 'lookups',
    words: 'misses',
    chart: 'Hits and misses',
    prometheus: 'server_keyspace_misses',
  },
  netInputBytes: {
    ...counter,
    info: 'total_net_input_bytes',
    unit: 'bytes',
    words: 'received',
    chart: 'Network',
    prometheus: 'server_net_input_bytes',
  },
  netOutputBytes: {
    ...counter,
    info: 'total_net_output_bytes',
    unit: 'bytes',
    words: 'sent',
    chart: 'Network',
    prometheus: 'server_net_output_bytes',
  },
  latestForkMicros: {
    kind: 'gauge',
    ofMasters: 'largest',
    info: 'latest_fork_usec',
    unit: 'µs',
    words: 'latest fork',
    chart: 'Latest fork',
    prometheus: 'server_latest_fork_seconds',
  },
  replicationLagBytes: {
    kind: 'gauge',
    ofMasters: 'largest',
    info: 'slave0, slave1, …',
    read: lagOfReplicas,
    unit: 'bytes',
    words: 'lag of the slowest replica',
    chart: 'Replication lag',
    prometheus: 'server_replication_lag_bytes',
  },
} as const satisfies Readonly<Record<string, ServerField>>;

export type ServerFieldName = keyof typeof serverFields;
export const serverFieldNames = Object.keys(serverFields) as ServerFieldName[];

/** What a server told at one instant; null: it did not tell it. */
export type ServerFigures = { readonly [Name in ServerFieldName]: number | null };

/** Reads every field from the INFO of a server, or of each master of a cluster. */
export function readServerFigures(infos: readonly Info[]): ServerFigures {
  return Object.fromEntries(
    Object.entries<ServerField>(serverFields).map(([name, field]) => [
      name,
      together(
        field,
        infos.map(info => (field.read === undefined ? countIn(info.get(field.info)) : field.read(info))),
      ),
    ]),
  ) as ServerFigures;
}

function together({ ofMasters }: ServerField, figures: readonly (number | null)[]): number | null {
  const told = figures.filter(figure => figure !== null);
  if (told.length === 0 || (ofMasters === 'sum' && told.length < figures.length)) return null;
  return ofMasters === 'sum' ? told.reduce((sum, figure) => sum + figure, 0) : Math.max(...told);
}

/** Null for what is no count: a counter of Dragonfly can have gone below 0. */
function countIn(text: string | undefined): number | null {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/**
 * How far the slowest replica is behind its master, in bytes of the replication stream. Null without a replica that is
 * online and has told how far it is, which it does once a second.
 */
function lagOfReplicas(info: Info): number | null {
  const written = countIn(info.get('master_repl_offset'));
  if (written === null) return null;
  const offsets = [...info].flatMap(([key, value]) => {
    if (!/^slave\d+$/.test(key) || !value.includes('state=online')) return [];
    return countIn(/\boffset=(\d+)/.exec(value)?.[1]) || [];
  });
  return offsets.length === 0 ? null : Math.max(0, written - Math.min(...offsets));
}
