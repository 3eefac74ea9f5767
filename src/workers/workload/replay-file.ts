/** The file of a replay: its formats, and how it is written and read. */

/** Recorded operations, in the order of the recording. */
export interface Replay {
  /** Of each operation: its command's index in the workload, the index of its value's size, and the numbers of its keys. */
  readonly numbers: Uint32Array;
  /** Where each operation begins among the numbers, and the end of the last one. */
  readonly starts: Uint32Array;
  /** When each operation was recorded, in microseconds, ascending; undefined in files of versions before 0.12. */
  readonly instants: Float64Array | undefined;
  /** The commands that the workload must have, in this order; undefined in files of versions before 0.13. */
  readonly commands: readonly string[] | undefined;
}

/** An operation as it is written. */
export interface ReplayedOperation {
  /** In microseconds from the first operation. */
  readonly instant: number;
  /** Index of its command. */
  readonly command: number;
  /** Index of the size of its value. */
  readonly size: number;
  /** The numbers of its keys. */
  readonly keys: readonly number[];
}

/**
 * The first line of a file. After it come the commands, one per line, an empty line, and the operations, one per line: the
 * instant, the indices of the command and of the size, and the keys.
 */
export const replayHead = 'poolbench replay 3';
/** The first line of a file without commands, as 0.12 wrote it. */
export const unnamedHead = 'poolbench replay 2';
/** The first line of a file without commands and instants, as versions before 0.12 wrote it. */
export const untimedHead = 'poolbench replay 1';

const heads: readonly string[] = [replayHead, unnamedHead, untimedHead];

const maxNumber = 99_999_999;
/** In microseconds: 11 days. */
const maxInstant = 999_999_999_999;
const [LF, space, zero, nine] = [0x0a, 0x20, 0x30, 0x39];

/** The text of a file. */
export function formatReplay(commands: readonly string[], operations: readonly ReplayedOperation[]): string {
  const lines = operations.map(({ instant, command, size, keys }) =>
    [instant, command, size, ...keys].join(' '),
  );
  return `${[replayHead, ...commands, '', ...lines].join('\n')}\n`;
}

/** The number in its file of the line that has a command. */
export function lineOfCommand(index: number): number {
  return index + 2;
}

/** The number in its file of the line that has an operation. */
export function lineOfOperation({ commands }: Pick<Replay, 'commands'>, operation: number): number {
  return operation + 2 + (commands === undefined ? 0 : commands.length + 1);
}

/** @throws RangeError whose message says what is expected */
export function parseReplay(bytes: Buffer): Replay {
  const head = heads.find(one => bytes.toString('latin1', 0, one.length + 1) === `${one}\n`);
  if (head === undefined)
    throw new RangeError('a file written by poolbench record --literal, of this version or an earlier one');
  const isTimed = head !== untimedHead;
  const { commands, end } =
    head === replayHead ? parseCommands(bytes) : { commands: undefined, end: head.length };
  const minPlaces = isTimed ? 3 : 2;
  const numbers = new Uint32Array(bytes.length);
  const starts = [0];
  const instants: number[] = [];
  let count = 0;
  let number = -1;
  /** Numbers of this line so far. */
  let places = 0;
  const refuse = (expected: string) => {
    throw new RangeError(
      `${expected} in line ${lineOfOperation({ commands }, starts.length - 1)} of the file`,
    );
  };
  for (let at = end; at <= bytes.length; at++) {
    const byte = bytes[at] ?? LF;
    const isInstant = isTimed && places === 0;
    if (byte >= zero && byte <= nine) {
      number = Math.max(number, 0) * 10 + byte - zero;
      const max = isInstant ? maxInstant : maxNumber;
      if (number > max) refuse(`numbers of at most ${max}`);
      continue;
    }
    if (byte !== space && byte !== LF) refuse('only numbers');
    if (number >= 0) {
      if (isInstant && number < (instants.at(-1) ?? 0))
        refuse('an instant that is not before the previous one');
      if (isInstant) instants.push(number);
      else numbers[count++] = number;
      places++;
      number = -1;
    }
    if (byte !== LF || places === 0) continue;
    if (places < minPlaces) refuse(`${minPlaces} numbers or more`);
    starts.push(count);
    places = 0;
  }
  if (starts.length === 1) throw new RangeError('a file with operations');
  return {
    numbers: numbers.slice(0, count),
    starts: Uint32Array.from(starts),
    instants: isTimed ? Float64Array.from(instants) : undefined,
    commands,
  };
}

/** The commands after the first line, and where the empty line after them ends. */
function parseCommands(bytes: Buffer): { readonly commands: readonly string[]; readonly end: number } {
  const start = replayHead.length + 1;
  const end = bytes.indexOf('\n\n', start - 1);
  if (end < start)
    throw new RangeError(
      'the commands after the first line of the file, one per line, and then an empty line',
    );
  return { commands: bytes.toString('utf8', start, end).split('\n'), end: end + 1 };
}
