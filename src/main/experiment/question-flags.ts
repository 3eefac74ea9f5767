import { z } from 'zod';
import { rows } from '../../aggregate/scenario/scenario.ts';
import type { Path } from './json-text.ts';
import { workload } from './workload.ts';

/** A flag that sets a key of the config built from a URL and flags. */
interface QuestionFlag {
  /** Of the key in the config. */
  readonly path: Path;
  /** Whether it takes a list, 1,2,4: each value is compared. */
  readonly several: boolean;
  /** Its possible values; empty: any number in its range. */
  readonly values: readonly string[];
  readonly help: string;
  /** The default, as text. */
  readonly usual: string;
  /** The config's value for the typed text. Invalid text stays text, which the schema then refuses. */
  read(text: string): unknown;
}

/**
 * What is compared if the flags compare nothing else: the main question, at one load that a pool supposedly carries and
 * one beyond it.
 */
export const usualLists = { pools: [1, 2], workers: [50, 100] } as const;

function usualListOf(name: string): readonly number[] | undefined {
  return name === 'pools' || name === 'workers' ? usualLists[name] : undefined;
}

/** Keys of a workload that are a plain number. */
const workloadKeys = ['keys', 'valueBytes', 'readShare'] as const;
const usualWorkload = workload.parse({});

/** The rates of an open loop, which stand within `arrival`. */
const rate: QuestionFlag = {
  path: ['scenarios', 0, 'arrival'],
  several: true,
  values: [],
  help: 'operations due per second, at random times (Poisson), whether or not earlier ones were answered: an open loop',
  usual: 'a closed loop',
  read: text => ({ kind: 'poisson', rate: listed(text).map(numberOf) }),
};

/** Every flag of a question by its name, in the order of the tables that they are made from. */
export const questionFlags: Readonly<Record<string, QuestionFlag>> = Object.fromEntries([
  ...rows.flatMap(([key, { config }]): [string, QuestionFlag][] => {
    if (key === 'arrival') return [['rate', rate]];
    // The server at a URL is a single one, which has no replicas to read from.
    if (key === 'readFrom') return [];
    const values = config === null ? undefined : valuesOf(config.item);
    if (config === null || values === undefined) return [];
    const name = config.name ?? key;
    const read = readerOf(config.item);
    return [
      [
        flagOf(name),
        {
          path: ['scenarios', 0, name],
          several: true,
          values,
          help: shortened(config.description),
          usual: String(usualListOf(name) ?? config.usual),
          read: text => listed(text).map(read),
        },
      ],
    ];
  }),
  ...workloadKeys.map((key): [string, QuestionFlag] => [
    flagOf(key),
    {
      path: ['workload', key],
      several: false,
      values: [],
      help: shortened(workload.in.shape[key].description ?? ''),
      usual: String(usualWorkload[key]),
      read: numberOf,
    },
  ]),
]);

/** The value's name in the help: `ioredis|wire`, `N,…`, `N`. */
export function valueName({ values, several }: QuestionFlag): string {
  if (values.length > 3) return 'NAME,…';
  return values.length > 0 ? values.join('|') : several ? 'N,…' : 'N';
}

/** `connectionsPerWorker` as a flag is `connections-per-worker`. */
function flagOf(key: string): string {
  return key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

/** The names that such a value can have; empty for a number; undefined for an object, which needs a config. */
function valuesOf(item: z.ZodType): readonly string[] | undefined {
  // In addition to its names, it can be other text, such as a path.
  if (item instanceof z.ZodUnion) return valuesOf(item.options[0] as z.ZodType);
  if (item instanceof z.ZodEnum) return item.options.map(String);
  if (item instanceof z.ZodBoolean) return ['true', 'false'];
  return item instanceof z.ZodNumber ? [] : undefined;
}

function readerOf(item: z.ZodType): (text: string) => unknown {
  if (item instanceof z.ZodEnum || item instanceof z.ZodUnion) return text => text;
  if (item instanceof z.ZodNumber) return numberOf;
  return text => (text === 'true' ? true : text === 'false' ? false : text);
}

function listed(text: string): string[] {
  return text.split(',').map(part => part.trim());
}

function numberOf(text: string): unknown {
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

/** The first part of a description, for use within a sentence. */
function shortened(description: string): string {
  const [first = ''] = description.split(/[:;]|, or /);
  return first.charAt(0).toLowerCase() + first.slice(1);
}
