import type { ClientName } from '../../pool/presets.ts';

/** An ability that only some clients have. */
export type Ability =
  /** It loads a cluster. */
  | 'cluster'
  | 'RESP3'
  | 'unix socket'
  /** It reads from replicas. */
  | 'replicas'
  /** It lets poolbench look at each command of a script before it is sent. */
  | 'scripts'
  /** Its auto-pipelining can be turned on and off. */
  | 'auto-pipelining'
  /** It takes `clientOptions`. */
  | 'options';

interface ClientRow {
  /** Text about the client in descriptions. */
  readonly words: string;
  readonly has: readonly Ability[];
}

/**
 * Every client by name. The table is here and not with their code, because a report needs it without loading that code.
 */
export const clients = {
  ioredis: {
    words: 'what an application pays',
    has: ['cluster', 'RESP3', 'unix socket', 'replicas', 'scripts', 'auto-pipelining', 'options'],
  },
  wire: { words: 'the least overhead', has: ['cluster', 'RESP3', 'unix socket', 'replicas'] },
  'node-redis': { words: 'the package redis', has: ['RESP3', 'unix socket', 'scripts', 'options'] },
  iovalkey: { words: 'a fork of ioredis', has: ['unix socket', 'scripts', 'auto-pipelining', 'options'] },
  'valkey-glide': { words: 'its core is in Rust', has: ['RESP3', 'options'] },
} as const satisfies Record<ClientName, ClientRow>;

const rows: ReadonlyMap<string, ClientRow> = new Map(Object.entries(clients));

/** The abilities of a user's module, which decides itself how it supports the protocol and the socket. */
const ofModules: readonly Ability[] = ['RESP3', 'unix socket', 'options'];

/** @param client by name, or the path of a user's module */
export function hasAbility(client: string, ability: Ability): boolean {
  return (rows.get(client)?.has ?? ofModules).includes(ability);
}

/** The names of the clients that have the ability. */
export function clientsWith(ability: Ability): string[] {
  return [...rows.keys()].filter(client => hasAbility(client, ability));
}
