import type { KeyRange, WorkloadTask } from '../contract.ts';
import { familiesOfKeys } from './command-mix.ts';
import { keysOfFamily } from './keys.ts';
import { readNamedFile } from './named-file.ts';

/** Recorded operations, in the order of the recording. */
export interface Replay {
  /** Of each operation: its command's index in the workload, the index of its value's size, and the numbers of its keys. */
  readonly numbers: Uint32Array;
  /** Where each operation begins among the numbers, and the end of the last one. */
  readonly starts: Uint32Array;
}

/** The first line of a file. Each line after it is one operation. */
export const replayHead = 'poolbench replay 1';

const maxNumber = 99_999_999;
const [LF, space, zero, nine] = [0x0a, 0x20, 0x30, 0x39];

/** @throws RangeError whose message says what is expected */
export function parseReplay(bytes: Buffer): Replay {
  const head = `${replayHead}\n`;
  if (bytes.toString('latin1', 0, head.length) !== head)
    throw new RangeError('a file that poolbench record --literal has written');
  const numbers = new Uint32Array(bytes.length);
  const starts = [0];
  let count = 0;
  let number = -1;
  for (let at = head.length; at <= bytes.length; at++) {
    const byte = bytes[at] ?? LF;
    if (byte >= zero && byte <= nine) {
      number = Math.max(number, 0) * 10 + byte - zero;
      if (number > maxNumber) throw new RangeError(`numbers of at most ${maxNumber} in the file`);
      continue;
    }
    if (byte !== space && byte !== LF) throw new RangeError(`only numbers in the file (byte ${at})`);
    if (number >= 0) numbers[count++] = number;
    number = -1;
    const first = starts.at(-1) ?? 0;
    if (byte !== LF || count === first) continue;
    if (count - first < 2)
      throw new RangeError(`two numbers or more in line ${starts.length + 1} of the file`);
    starts.push(count);
  }
  if (starts.length === 1) throw new RangeError('a file with operations');
  return { numbers: numbers.slice(0, count), starts: Uint32Array.from(starts) };
}

/** The last file read in this thread: every pool of every round has the same one. */
let kept: { readonly path: string; readonly replay: Replay } | undefined;

/** @throws RangeError whose message says what is expected */
export function readReplay(path: string): Replay {
  if (kept?.path !== path) kept = { path, replay: parseReplay(readNamedFile(path)) };
  return kept.replay;
}

/**
 * Checks whether a replay fits its workload.
 *
 * @throws RangeError whose message says what is expected
 */
export function expectReplayOf(
  { numbers, starts }: Replay,
  workload: Pick<WorkloadTask, 'keys' | 'types' | 'commands'>,
): void {
  const limitsOfEach = familiesOfKeys(workload.commands).map(families =>
    families.map(family => keysOfFamily(workload, family)),
  );
  for (let operation = 0; operation + 1 < starts.length; operation++) {
    const start = starts[operation] ?? 0;
    const end = starts[operation + 1] ?? 0;
    const line = `line ${operation + 2} of the file`;
    const limits = limitsOfEach[numbers[start] ?? -1];
    if (limits === undefined) throw new RangeError(`the index of a command in ${line}`);
    if (end - start - 2 !== limits.length) throw new RangeError(`${limits.length} keys in ${line}`);
    for (let place = 0; place < limits.length; place++) {
      const limit = limits[place] ?? 0;
      if ((numbers[start + 2 + place] ?? 0) < limit) continue;
      throw new RangeError(`numbers of keys below ${limit} in ${line}`);
    }
  }
}

/**
 * Indices of the operations on the keys of a pool; all operations if there are none on these keys.
 *
 * @param all keys of all pools together; a type that has more spreads the others over the pools
 */
export function operationsOf(
  { numbers, starts }: Replay,
  { firstKey, keys }: KeyRange,
  all: number,
): Uint32Array {
  const operations = Uint32Array.from({ length: starts.length - 1 }, (_, operation) => operation);
  const own = operations.filter(operation => {
    const start = starts[operation] ?? 0;
    const hasKey = (starts[operation + 1] ?? 0) > start + 2;
    // An operation without a key belongs to the pool with the first keys.
    const key = hasKey ? (numbers[start + 2] ?? 0) % all : 0;
    return key >= firstKey && key < firstKey + keys;
  });
  return own.length > 0 ? own : operations;
}
