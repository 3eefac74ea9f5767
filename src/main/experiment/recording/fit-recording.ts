import { isDeepStrictEqual } from 'node:util';
import { maxRate, minRate } from '../../../aggregate/scenario/arrival.ts';
import type { KeysOfType } from '../../../workers/contract.ts';
import { type Family, familiesInUse, typeName } from '../../../workers/workload/families.ts';
import type { ExperimentConfig } from '../experiment.ts';
import { maxBytes, maxListedBytes } from '../values.ts';
import { maxCommands, usualMembers } from '../workload.ts';
import { bytesInFlight, maxBytesInFlight } from '../workload-misfits.ts';
import { elementSlot, numberSlot } from './command-forms.ts';
import { fitPopularity, type Popularity } from './key-popularity.ts';
import { type OperationForm, type Recording, readRecording } from './recorded-operations.ts';

/** A config with a load similar to a recording. */
export interface FittedRecording {
  readonly config: ExperimentConfig & { readonly workload: NonNullable<ExperimentConfig['workload']> };
  readonly recording: Recording;
  /** The keys of each family; the one with most accesses is first. Empty if no command has keys. */
  readonly families: readonly FittedFamily[];
  /** Operations of forms that are too rare to be in the mix. */
  readonly tooRare: number;
  /** The commands of the config, in its order. */
  readonly commands: readonly CommandGroup[];
  /** Returns the index in the config of a size in the recording. */
  readonly placeOfSize: (bytes: number) => number;
}

interface FittedFamily extends Popularity {
  readonly family: Family;
  /** Different keys in the recording. */
  readonly seen: number;
  readonly accesses: number;
  /** Elements of each key; undefined if no command names any. */
  readonly members: number | undefined;
}

/** Operations of one form whose first keys are of one family. */
interface CommandGroup {
  readonly form: OperationForm;
  readonly family: Family;
  count: number;
}

/** More sizes are grouped. */
const maxSizes = 32;
/** Max elements of a key, which are written before the load. */
const maxMembers = 1000;
const maxWorkers = 1000;
/** Max rate for one worker, which keeps up if an operation takes at most 2 ms. */
const opsPerWorker = 500;
/** Min operations in a window, if they take no longer than `maxSeconds`. */
const minOperations = 1000;
const maxSeconds = 10;

/**
 * Makes a config from a recording, with the proportions of its commands, the popularity of its keys, the sizes of its values,
 * and its rate. The config has no key and no value of the recording, and not the address of its server.
 *
 * @param text as MONITOR shows it; each character is one byte
 * @param speed how many times as fast the load is
 * @returns undefined if no command of it can be replayed
 */
export function fitRecording(text: string, speed = 1): FittedRecording | undefined {
  const recording = readRecording(text);
  if (recording.operations.length === 0) return undefined;
  const families = fitFamilies(recording);
  const [main] = families;
  const { groups, tooRare } = limitGroups(groupsOf(recording));
  const sizes = fitSizes(recording.sizes);
  const commands = inOrder(
    groups,
    families.map(({ family }) => family),
  );
  const replayed = recording.operations.length - tooRare;
  const membersOf = (family: Family) =>
    families.find(one => one.family === family)?.members ?? main?.members ?? usualMembers;
  const mix = commands.map(({ form, family, count }) => ({
    command: templateOf(form, membersOf(family)),
    weight: percentOf(count, replayed),
  }));
  const types = typesOf(families, familiesInUse(mix));
  const config = {
    name: 'recording',
    target: { server: 'any', url: 'redis://localhost:6379' },
    workload: {
      ...(main === undefined ? {} : { keys: main.keys }),
      ...(main?.members === undefined ? {} : { members: main.members }),
      ...(main === undefined ? {} : { keyChoice: main.choice }),
      ...(Object.keys(types).length === 0 ? {} : { types }),
      ...(sizes.valueBytes === undefined ? {} : { valueBytes: sizes.valueBytes }),
      commands: mix,
    },
    ...fitRate(recording, replayed * speed),
  } satisfies ExperimentConfig;
  return { config, recording, families, tooRare, commands, placeOfSize: sizes.placeOf };
}

function fitFamilies(recording: Recording): FittedFamily[] {
  return [...accessesByFamily(recording)].map(([family, keys]) => {
    const elements = recording.elements.get(family);
    return {
      family,
      seen: new Set(keys).size,
      accesses: keys.length,
      members: elements === undefined ? undefined : Math.min(maxMembers, Math.max(1, Math.round(elements))),
      ...fitPopularity(Uint32Array.from(keys)),
    };
  });
}

/** What differs for the families after the first one, by the names of their types. */
function typesOf(
  [main, ...others]: readonly FittedFamily[],
  used: readonly Family[],
): Record<string, KeysOfType> {
  const types: Record<string, KeysOfType> = {};
  for (const { family, keys, members, choice } of others) {
    const type: KeysOfType = {
      ...(keys === main?.keys ? {} : { keys }),
      ...(members === undefined || members === (main?.members ?? usualMembers) ? {} : { members }),
      ...(isDeepStrictEqual(choice, main?.choice) ? {} : { keyChoice: choice }),
    };
    if (used.includes(family) && Object.keys(type).length > 0) types[typeName(family)] = type;
  }
  return types;
}

/** For each family the keys in the order of the accesses; the family with most accesses is first. */
function accessesByFamily({ operations }: Recording): Map<Family, number[]> {
  const accesses = new Map<Family, number[]>();
  for (const { families, keys } of operations)
    for (const [index, key] of keys.entries()) {
      const family = families[index] ?? 'strings';
      const ofFamily = accesses.get(family);
      if (ofFamily === undefined) accesses.set(family, [key]);
      else ofFamily.push(key);
    }
  return new Map([...accesses].sort(([, a], [, b]) => b.length - a.length));
}

function groupsOf({ operations }: Recording): CommandGroup[] {
  const groups = new Map<OperationForm, Map<Family, CommandGroup>>();
  for (const { form, families } of operations) {
    const [family = 'strings'] = families;
    const ofForm = groups.get(form) ?? new Map<Family, CommandGroup>();
    const group = ofForm.get(family) ?? { form, family, count: 0 };
    group.count++;
    ofForm.set(family, group);
    groups.set(form, ofForm);
  }
  return [...groups.values()].flatMap(ofForm => [...ofForm.values()]);
}

/**
 * Reduces the forms to the number that a mix can have: the most frequent one of each name, then the most frequent of the
 * rest. Another form counts as the form of the same name with the nearest number of words: an MGET of 20 keys as one of 19.
 */
function limitGroups(groups: readonly CommandGroup[]): { groups: CommandGroup[]; tooRare: number } {
  const byCount = groups.toSorted((a, b) => b.count - a.count);
  const kindOf = ({ form, family }: CommandGroup) => `${form.name} ${family}`;
  const firsts = new Map(byCount.toReversed().map(group => [kindOf(group), group]));
  const isFirst = (group: CommandGroup) => firsts.get(kindOf(group)) === group;
  const sorted = [...byCount.filter(isFirst), ...byCount.filter(group => !isFirst(group))];
  const kept = sorted.slice(0, maxCommands).map(group => ({ ...group }));
  const wordsOf = ({ form }: CommandGroup) => form.text.split(' ').length;
  let tooRare = 0;
  for (const group of sorted.slice(maxCommands)) {
    const distance = (other: CommandGroup) => Math.abs(wordsOf(other) - wordsOf(group));
    const [nearest] = kept
      .filter(other => kindOf(other) === kindOf(group))
      .sort((a, b) => distance(a) - distance(b));
    if (nearest === undefined) tooRare += group.count;
    else nearest.count += group.count;
  }
  return { groups: kept, tooRare };
}

/** The order decides which keys commands on any type use: those of the nearest command before them. */
function inOrder(groups: readonly CommandGroup[], families: readonly Family[]): CommandGroup[] {
  const place = ({ form, family }: CommandGroup) => [
    form.families.length === 0 ? families.length : families.indexOf(family),
    form.families[0] !== undefined ? 0 : 1,
  ];
  return groups.toSorted((a, b) => {
    const [familyA = 0, anyA = 0] = place(a);
    const [familyB = 0, anyB = 0] = place(b);
    return familyA - familyB || anyA - anyB || b.count - a.count;
  });
}

/** @param members number of elements of a key; they are numbered from 0 */
function templateOf({ text, ranges }: OperationForm, members: number): string {
  let next = 0;
  return text.replaceAll(elementSlot, `{number:0-${members - 1}}`).replaceAll(numberSlot, () => {
    const { from, to } = ranges[next++] ?? { from: 0, to: 0 };
    return from === to ? String(from) : `{number:${from}-${to}}`;
  });
}

/** As a weight, which must be above 0. */
function percentOf(count: number, all: number): number {
  return Math.max(0.001, Number(((100 * count) / all).toPrecision(5)));
}

/**
 * The sizes as they are if they are few; otherwise the means of parts that are equally frequent. The mean of all if these are
 * too large to be kept in memory.
 */
function fitSizes(sizes: ReadonlyMap<number, number>) {
  const sorted = [...sizes].sort(([a], [b]) => a - b);
  const all = sorted.reduce((sum, [, count]) => sum + count, 0);
  const parts = new Map<number, { bytes: number; count: number }>();
  const places = new Map<number, number>();
  let before = 0;
  for (const [bytes, count] of sorted) {
    // All values of one size belong to one part: the part of their middle.
    const part = sorted.length <= maxSizes ? bytes : Math.floor((maxSizes * (before + count / 2)) / all);
    const known = parts.get(part) ?? { bytes: 0, count: 0 };
    known.bytes += Math.min(bytes, maxBytes) * count;
    known.count += count;
    parts.set(part, known);
    places.set(bytes, parts.size - 1);
    before += count;
  }
  const fitted = [...parts.values()].map(({ bytes, count }) => ({
    bytes: Math.round(bytes / count),
    weight: percentOf(count, all),
  }));
  const together = fitted.reduce((sum, { bytes }) => sum + bytes, 0);
  if (fitted.length > 1 && together <= maxListedBytes)
    return {
      valueBytes: { kind: 'weighted' as const, sizes: fitted },
      placeOf: (bytes: number) => places.get(bytes) ?? 0,
    };
  const sum = [...parts.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  return { valueBytes: all === 0 ? undefined : Math.round(sum / all), placeOf: () => 0 };
}

/** An open loop at the recorded rate, with enough workers for it. A recording without a duration has no rate. */
function fitRate(
  { seconds, clients, sizes }: Recording,
  operations: number,
): Pick<ExperimentConfig, 'scenarios' | 'seconds'> {
  const rate = seconds > 0 ? Number((operations / seconds).toPrecision(4)) : 0;
  const largestBytes = Math.min(
    maxBytes,
    [...sizes.keys()].reduce((max, size) => Math.max(max, size), 0),
  );
  const bytes = bytesInFlight(1, [{ weight: 1, value: { bytes: largestBytes } }]);
  const most = Math.min(maxWorkers, Math.floor(maxBytesInFlight / bytes));
  const workers = Math.min(most, Math.max(1, clients, Math.ceil(rate / opsPerWorker)));
  if (rate < minRate) return { scenarios: [{ workers }] };
  return {
    scenarios: [{ workers, arrival: { kind: 'poisson', rate: Math.min(rate, maxRate) } }],
    seconds: Math.min(maxSeconds, Math.max(1, Math.ceil(minOperations / rate))),
  };
}
