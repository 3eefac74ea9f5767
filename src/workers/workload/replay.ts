import type { KeyRange, WorkloadTask } from '../contract.ts';
import { familiesOfKeys } from './command-mix.ts';
import { keysOfFamily } from './keys.ts';
import { readNamedFile } from './named-file.ts';
import { lineOfOperation, parseReplay, type Replay } from './replay-file.ts';

/**
 * How long a replay lasts until it is repeated, in microseconds. The gap after the last operation is the mean of all gaps,
 * each weighted by its length: in a recording of bursts, this is their distance. Undefined if all operations were recorded at
 * one instant, or if there are no instants.
 */
export function lengthOf({ instants }: Replay): number | undefined {
  if (instants === undefined) return undefined;
  const [first = 0] = instants;
  let [last, squares] = [first, 0];
  for (const instant of instants) {
    squares += (instant - last) ** 2;
    last = instant;
  }
  return last === first ? undefined : last + squares / (last - first);
}

/** The files read in this thread: every round has the same ones, even if they change. */
const kept = new Map<string, Replay>();

/** @throws RangeError whose message says what is expected */
export function readReplay(path: string): Replay {
  const replay = kept.get(path) ?? parseReplay(readNamedFile(path));
  kept.set(path, replay);
  return replay;
}

/** A config that is read from now on has its replays as they are now. */
export function forgetReplays(): void {
  kept.clear();
}

/**
 * Checks whether a replay fits its workload.
 *
 * @throws RangeError whose message says what is expected
 */
export function expectReplayOf(
  replay: Replay,
  workload: Pick<WorkloadTask, 'keys' | 'types' | 'commands'>,
): void {
  const { numbers, starts } = replay;
  const limitsOfEach = familiesOfKeys(workload.commands).map(families =>
    families.map(family => keysOfFamily(workload, family)),
  );
  for (let operation = 0; operation + 1 < starts.length; operation++) {
    const start = starts[operation] ?? 0;
    const end = starts[operation + 1] ?? 0;
    const line = `line ${lineOfOperation(replay, operation)} of the file`;
    const limits = limitsOfEach[numbers[start] ?? -1];
    if (limits === undefined) throw misfit(`the index of a command in ${line}`);
    if (end - start - 2 !== limits.length) throw misfit(`${limits.length} keys in ${line}`);
    for (let place = 0; place < limits.length; place++) {
      const limit = limits[place] ?? 0;
      if ((numbers[start + 2 + place] ?? 0) < limit) continue;
      throw misfit(`numbers of keys below ${limit} in ${line}`);
    }
  }
}

/** How often a replay has each command of its workload. */
export function countCommands({ numbers, starts }: Replay, commands: number): Uint32Array {
  const counts = new Uint32Array(commands);
  for (const start of starts.subarray(0, -1)) {
    const command = numbers[start] ?? 0;
    counts[command] = (counts[command] ?? 0) + 1;
  }
  return counts;
}

function misfit(expected: string): RangeError {
  return new RangeError(`${expected} (a replay belongs to the commands and keys with which it was recorded)`);
}

/**
 * Indices of the operations on the keys of a pool. Each operation belongs to exactly one pool.
 *
 * @param all keys of all pools together; a type that has more spreads the others over the pools
 */
export function operationsOn(
  { numbers, starts }: Replay,
  { firstKey, keys }: KeyRange,
  all: number,
): Uint32Array {
  const own = new Uint32Array(starts.length - 1);
  let count = 0;
  for (let operation = 0; operation < own.length; operation++) {
    const start = starts[operation] ?? 0;
    const hasKey = (starts[operation + 1] ?? 0) > start + 2;
    // An operation without a key belongs to the pool with the first keys.
    const key = hasKey ? (numbers[start + 2] ?? 0) % all : 0;
    if (key >= firstKey && key < firstKey + keys) own[count++] = operation;
  }
  return own.slice(0, count);
}

/** When the operations of a pool were recorded. */
export interface RecordedInstants {
  /** Of all operations, in microseconds, ascending. */
  readonly instants: Float64Array;
  /** Indices of the operations of the pool. */
  readonly own: Uint32Array;
  /** In microseconds; infinite if the recording is not repeated. */
  readonly length: number;
}

/** Undefined if the replay has no instants. @param all keys of all pools together */
export function recordedInstants(replay: Replay, range: KeyRange, all: number): RecordedInstants | undefined {
  const { instants } = replay;
  if (instants === undefined) return undefined;
  const own = operationsOn(replay, range, all);
  return { instants, own, length: lengthOf(replay) ?? Number.POSITIVE_INFINITY };
}
