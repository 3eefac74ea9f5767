import { z } from 'zod';
import { maxPopulationName } from '../../aggregate/scenario/beside.ts';
import { PoolbenchError } from '../errors.ts';
import { maxPopulations } from '../experiment/populations.ts';
import { maxKeys, maxMembers, usualMembers } from '../experiment/workload.ts';
import { importCommands } from './import-commands.ts';
import { commandWords, type MemtierLoad, readMemtierArguments } from './memtier-arguments.ts';

const client = z.object({ tool: z.string().optional(), arguments: z.string() });

/** The parts of a test definition of redis-benchmarks-specification that describe the load and the data. */
const definition = z.object({
  name: z.string(),
  dbconfig: z
    .object({
      'configuration-parameters': z.record(z.string(), z.unknown()).optional(),
      check: z.object({ keyspacelen: z.number().optional() }).optional(),
      preload_tool: client.optional(),
      init_commands: z
        .union([z.string(), z.array(z.union([z.string(), z.array(z.coerce.string())]))])
        .optional(),
      dataset_name: z.string().optional(),
    })
    .optional(),
  'redis-topologies': z.array(z.string()).optional(),
  clientconfig: client.optional(),
  clientconfigs: z.array(client).optional(),
});

type Definition = z.output<typeof definition>;

/** A config, and what could not be converted. */
export interface Imported {
  readonly config: Readonly<Record<string, unknown>>;
  /** Sentences. */
  readonly notes: readonly string[];
}

/** The defaults of memtier_benchmark. */
const usual = {
  clients: 50,
  threads: 4,
  valueBytes: 32,
  keyMaximum: 10_000_000,
  prefix: 'memtier-',
  ratio: '1:10',
};
/** Max size of a value. A config allows far larger ones, but many are in flight at once. */
const maxValueBytes = 512 * 1024;
const maxNameLength = 64;
/** A definition runs for minutes; a config has several shorter rounds. */
const roundSeconds = 10;
const rounds = 3;

/** Flags that a config does not need, or that are read elsewhere. */
const knownFlags = new Set(
  'clients threads requests test-time run-count pipeline ratio key-pattern key-prefix key-minimum key-maximum key-zipf-exp data-size data-size-range random-data randomize distinct-client-seed hide-histogram print-percentiles rate-limiting'.split(
    ' ',
  ),
);

/**
 * Makes a config from the load of a test definition.
 *
 * @param parsed the definition's YAML, as values
 * @throws PoolbenchError CONFIG_INVALID if it is no such definition, or none of its commands can be sent
 */
export function importDefinition(parsed: unknown, source: string): Imported {
  const checked = definition.safeParse(parsed);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw invalid(
      source,
      `a test definition of redis-benchmarks-specification (${issue?.path.join('.')}: ${issue?.message})`,
    );
  }
  const { data } = checked;
  const clients = data.clientconfigs ?? (data.clientconfig === undefined ? [] : [data.clientconfig]);
  if (!clients.some(isMemtier))
    throw invalid(
      source,
      `clientconfig with the arguments of memtier_benchmark, not of ${clients[0]?.tool ?? 'no tool'}`,
    );
  const { measured, others } = loadsOf(data, clients, source);
  const listeners = clients.find(({ tool }) => tool === subscriberTool);
  const subscribers =
    listeners === undefined
      ? 0
      : Number(readArguments(listeners.arguments, source).flags.get('clients') ?? 1);
  // Populations have keys of their own, so two loads on the same keys cannot be two of them.
  const beside = others.filter(load => !load.hasKeys || !measured.hasKeys);
  const populations = beside.slice(0, maxPopulations);
  const tooMany = beside.slice(maxPopulations).map(({ client }) => client);
  const imported = [measured, ...populations];
  const importedClients = [listeners, ...imported.map(({ client }) => client)];
  const flags = new Set(imported.flatMap(load => [...load.flags.keys()]));
  return {
    config: configOf(data.name, measured, populations, subscribers),
    notes: [
      ...new Set(imported.flatMap(({ notes }) => notes)),
      ...clients
        .filter(other => !importedClients.includes(other))
        .map(other => {
          const { tool = 'memtier_benchmark', arguments: text } = other;
          const why = tooMany.includes(other)
            ? `, because a config has at most ${maxPopulations} populations`
            : '';
          return `The definition has another client at the same time, which is not imported${why}: ${tool} ${text.trim().slice(0, 200)}`;
        }),
      ...[...flags]
        .filter(flag => !knownFlags.has(flag))
        .map(flag => `--${flag} of memtier_benchmark has no counterpart in poolbench.`),
      ...serverNotes(data),
    ],
  };
}

type Client = z.output<typeof client>;

/** What one client of memtier_benchmark becomes. */
interface ImportedLoad {
  readonly client: Client;
  readonly flags: MemtierLoad['flags'];
  /** Of the first command, as a name. */
  readonly name: string;
  readonly hasKeys: boolean;
  readonly workload: Readonly<Record<string, unknown>>;
  readonly scenario: Readonly<Record<string, unknown>> & { readonly pools: number };
  readonly seconds: number;
  readonly notes: readonly string[];
}

/**
 * The loads of a definition. Of several, the definitions' own runner reports the last one.
 *
 * @throws PoolbenchError CONFIG_INVALID if none of them has a command that can be sent
 */
function loadsOf(
  data: Definition,
  clients: readonly Client[],
  source: string,
): { measured: ImportedLoad; others: ImportedLoad[] } {
  const loads: ImportedLoad[] = [];
  let fault: unknown;
  for (const one of clients.filter(isMemtier))
    try {
      loads.push(importLoad(data, one, source));
    } catch (error) {
      fault = error;
    }
  const measured = loads.pop();
  if (measured === undefined) throw fault;
  return { measured, others: loads };
}

/** The clients of this tool are subscribers. */
const subscriberTool = 'pubsub-sub-bench';

function configOf(
  name: string,
  measured: ImportedLoad,
  populations: readonly ImportedLoad[],
  subscribers: number,
): Imported['config'] {
  const names = populations.map((load, index) => `${load.name}-${index + 1}`.slice(-maxPopulationName));
  return {
    name: name
      .replace(/^memtier_benchmark-/, '')
      .replace(/[^\w.-]/g, '-')
      .slice(0, maxNameLength),
    target: { server: 'any', url: 'redis://localhost:6379' },
    workload: { ...measured.workload, ...(subscribers > 0 ? { subscribers } : {}) },
    scenarios: [{ ...measured.scenario, ...(names.length > 0 ? { beside: names.join('+') } : {}) }],
    ...(names.length === 0
      ? {}
      : {
          populations: populations.map(({ hasKeys, workload, scenario }, index) => ({
            name: names[index],
            ...scenario,
            // The keys that commands such as INFO depend on are those of the measured load.
            workload: hasKeys ? workload : { ...workload, keys: scenario.pools },
          })),
        }),
    rounds,
    seconds: measured.seconds,
  };
}

/** @throws PoolbenchError CONFIG_INVALID if none of its commands can be sent */
function importLoad(data: Definition, client: Client, source: string): ImportedLoad {
  const load = readArguments(client.arguments, source);
  const { flags } = load;
  const number = (flag: string, otherwise: number) => Number(flags.get(flag) ?? otherwise);
  const keys = {
    prefix: flags.get('key-prefix') ?? usual.prefix,
    from: number('key-minimum', 0),
    to: number('key-maximum', usual.keyMaximum),
  };
  const scripts = [data.dbconfig?.init_commands ?? []].flat().flatMap(given => scriptLoadedBy(given, source));
  const commands = importCommands(load.commands, keys, scripts);
  const isMix = load.commands.length > 0;
  if (isMix && commands.commands.length === 0)
    throw invalid(source, `a command that can be sent. ${commands.notes.join(' ')}`);
  const drawsKeys = !isMix || commands.keyPatterns.length > 0;
  const keySpace = keySpaceOf(data, drawsKeys ? keys : undefined, commands.namedKeys);
  const members = membersOf(data);
  const valueBytes = valueBytesOf(load, data, source);
  const threads = Math.min(number('threads', usual.threads), keySpace.keys);
  const workers = number('threads', usual.threads) * number('clients', usual.clients);
  const pipeline = Math.max(1, Math.round(number('pipeline', 1) / commands.requests));
  const rate = flags.get('rate-limiting');
  const patterns = isMix ? commands.keyPatterns : patternsOfRatio(flags);
  const [keyChoice = { kind: 'uniform' }, ...otherChoices] = keyChoicesOf(patterns, flags);
  const all = [
    ...commands.notes,
    ...keySpace.notes,
    ...(valueBytes === maxValueBytes ? [`Values have at most ${maxValueBytes} bytes.`] : []),
    ...(members > maxMembers
      ? [`Keys have ${maxMembers} elements instead of ${members}, the most that poolbench writes.`]
      : []),
    ...(commands.requests > 1 && pipeline < number('pipeline', 1)
      ? ['The pipeline is that of the definition divided by the number of requests in a transaction.']
      : []),
    ...(commands.namedKeys.size > 0 && drawsKeys
      ? [`The keys ${[...commands.namedKeys].join(', ')} are chosen at random like the others.`]
      : []),
    ...(otherChoices.length > 0
      ? [
          `All commands have the keyChoice ${keyChoice.kind}; the definition has ${otherChoices.map(({ kind }) => kind).join(' and ')} for some of them.`,
        ]
      : []),
  ];
  return {
    ...{ client, flags, notes: all },
    name: commands.commands[0]?.command.split(' ')[0]?.toLowerCase().replace(/\W/g, '-') ?? 'load',
    hasKeys: drawsKeys || commands.namedKeys.size > 0,
    workload: {
      keys: keySpace.keys,
      ...(members === usualMembers ? {} : { members: Math.min(members, maxMembers) }),
      keyChoice,
      valueBytes,
      ...(isMix ? { commands: commands.commands } : { readShare: readShareOf(flags) }),
      ...(keySpace.hitShare < 1 ? { hitShare: keySpace.hitShare } : {}),
    },
    scenario: {
      client: 'wire',
      pools: threads,
      workers,
      // A client of memtier_benchmark is a connection, which is open from the start.
      connectionsPerWorker: 1,
      minIdleShare: 1,
      pipeline,
      ...(rate === undefined ? {} : { arrival: { kind: 'constant', rate: Number(rate) * workers } }),
    },
    seconds: Math.min(roundSeconds, number('test-time', roundSeconds)),
  };
}

const isMemtier = ({ tool = 'memtier_benchmark' }: Client) => tool === 'memtier_benchmark';

function readArguments(text: string, source: string): MemtierLoad {
  return cut(() => readMemtierArguments(text), source);
}

/** @throws PoolbenchError CONFIG_INVALID for a text that cannot be cut into words */
function cut<T>(read: () => T, source: string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw invalid(source, error.message);
    throw error;
  }
}

/** The number of keys, and the fraction of the reads that are of existing keys. */
function keySpaceOf(
  { dbconfig }: Definition,
  drawn: { readonly from: number; readonly to: number } | undefined,
  named: ReadonlySet<string>,
): { readonly keys: number; readonly hitShare: number; readonly notes: string[] } {
  const there = dbconfig?.check?.keyspacelen ?? 0;
  if (drawn === undefined) {
    const names = [...named];
    const note = `The ${names.length} keys of the definition (${names.join(', ')}) become ${names.length} keys of poolbench, chosen at random.`;
    // Commands without keys, such as INFO and SCAN, can depend on how many there are.
    const keys = Math.max(1, names.length === 0 ? there : names.length);
    return { keys: Math.min(keys, maxKeys), hitShare: 1, notes: names.length > 1 ? [note] : [] };
  }
  const range = Math.max(1, drawn.to - Math.max(1, drawn.from) + 1);
  const hasMisses = there > 1 && there < 0.99 * range;
  const keys = hasMisses ? there : range;
  const notes = [
    ...(hasMisses
      ? [
          `Of the ${range} keys that the definition reads, only ${there} exist. workload.hitShare is this fraction.`,
        ]
      : []),
    ...(keys > maxKeys ? [`There are ${maxKeys} keys instead of ${keys}.`] : []),
  ];
  return {
    keys: Math.min(keys, maxKeys),
    hitShare: hasMisses ? Number((there / range).toFixed(3)) : 1,
    notes,
  };
}

/** Elements of each key, from the name of the definition or of its data set: `1key-list-10K-elements`. */
function membersOf({ name, dbconfig }: Definition): number {
  const pattern = /(\d+)([KM]?)-(?:[a-z]+-)?(?:elements|fields|entries|members|features)/;
  const [, digits, unit = ''] = pattern.exec(name) ?? pattern.exec(dbconfig?.dataset_name ?? '') ?? [];
  if (digits === undefined) return usualMembers;
  return Number(digits) * (unit === 'M' ? 1_000_000 : unit === 'K' ? 1000 : 1);
}

function valueBytesOf({ flags }: MemtierLoad, { dbconfig }: Definition, source: string): unknown {
  const preload = dbconfig?.preload_tool;
  const before =
    preload === undefined || !isMemtier(preload) ? undefined : readArguments(preload.arguments, source).flags;
  for (const from of [flags, before]) {
    const [low, high] = from?.get('data-size-range')?.split('-').map(Number) ?? [];
    if (low !== undefined && high !== undefined) return { kind: 'range', from: low, to: high };
    const size = from?.get('data-size');
    if (size !== undefined) return Math.min(Number(size), maxValueBytes);
  }
  return usual.valueBytes;
}

function readShareOf(flags: MemtierLoad['flags']): number {
  const [sets = 0, gets = 0] = (flags.get('ratio') ?? usual.ratio).split(':').map(Number);
  return Number((gets / (sets + gets)).toFixed(3));
}

interface KeyChoice {
  readonly kind: string;
  readonly exponent?: number;
}

/** The patterns of GET and SET, without that of a command that is never sent. */
function patternsOfRatio(flags: MemtierLoad['flags']): string[] {
  const [ofSets = 'R', ofGets = ofSets] = (flags.get('key-pattern') ?? 'R').split(':');
  const readShare = readShareOf(flags);
  return [...(readShare > 0 ? [ofGets] : []), ...(readShare < 1 ? [ofSets] : [])];
}

/** The different ways in which keys are chosen by these patterns. A config has the first. */
function keyChoicesOf(patterns: readonly string[], flags: MemtierLoad['flags']): KeyChoice[] {
  const choices = patterns.map(pattern => keyChoiceOf(pattern, flags));
  return choices.filter(({ kind }, index) => choices.findIndex(other => other.kind === kind) === index);
}

function keyChoiceOf(pattern: string, flags: MemtierLoad['flags']): KeyChoice {
  switch (pattern.toUpperCase()) {
    case 'G':
      return { kind: 'gaussian' };
    case 'Z':
      return {
        kind: 'zipfian',
        ...(flags.has('key-zipf-exp') ? { exponent: Number(flags.get('key-zipf-exp')) } : {}),
      };
    case 'P':
    case 'S':
      return { kind: 'sequential' };
    default:
      return { kind: 'uniform' };
  }
}

/** The script of SCRIPT LOAD. */
function scriptLoadedBy(given: string | readonly string[], source: string): string[] {
  const words = typeof given === 'string' ? cut(() => commandWords(given), source) : given;
  const [command = '', subcommand = '', script] = words;
  return /^script$/i.test(command) && /^load$/i.test(subcommand) && script !== undefined ? [script] : [];
}

/** Notes about the settings and the topology of the server. */
function serverNotes({ dbconfig, 'redis-topologies': topologies = [] }: Definition): string[] {
  // poolbench warns of a server that saves.
  const { save, ...parameters } = dbconfig?.['configuration-parameters'] ?? {};
  const settings = Object.entries(parameters).map(([key, value]) => `${key} ${String(value)}`);
  return [
    ...(settings.length > 0 ? [`The definition's server has these settings: ${settings.join(', ')}.`] : []),
    ...(topologies.length > 0 && !topologies.some(name => name.startsWith('oss-standalone'))
      ? [`The definition's server is ${topologies.join(' or ')}, but the config is for a single server.`]
      : []),
  ];
}

function invalid(source: string, expected: string): PoolbenchError {
  return new PoolbenchError('CONFIG_INVALID', `${source}: expected ${expected}`);
}
