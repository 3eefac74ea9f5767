import { type CommandSet, type CommandTemplate, KEY, keyDigits } from './batch.ts';

/** Requests that are copied together: a copy costs much the same for one as for four, while they are short. */
export const runLength = 4;
const longestInRun = 512;

/** Requests as bytes, and where in them the digits of each one's key stand. Never written to. */
export interface RequestTemplate {
  readonly bytes: Buffer;
  readonly digitsAt: Int32Array;
}

/** The requests of a CommandSet, encoded once for all connections of a pool. */
export class RequestTemplates {
  /** One for each command. */
  readonly singles: readonly RequestTemplate[];
  /** Length of the longest request in bytes. */
  readonly longest: number;
  /** Runs of four commands by their indices, as digits to the base of the number of commands; made when first used. */
  readonly #runs: (RequestTemplate | undefined)[] = [];

  constructor({ commands, keyPrefix }: CommandSet) {
    this.singles = commands.map(command => encodeTemplate(command, keyPrefix));
    this.longest = Math.max(...this.singles.map(template => template.bytes.length));
  }

  /** Whether requests are short enough to be worth keeping, and copying, in runs. */
  get haveRuns(): boolean {
    return this.longest <= longestInRun;
  }

  /** The four commands from `first` on as one template. */
  run(commands: Uint8Array, first: number): RequestTemplate {
    const base = this.singles.length;
    let index = 0;
    for (let i = first; i < first + runLength; i++) index = index * base + (commands[i] as number);
    return this.#runs[index] ?? this.#makeRun(index, commands.subarray(first, first + runLength));
  }

  #makeRun(index: number, commands: Uint8Array): RequestTemplate {
    const parts = Array.from(commands, command => this.singles[command] as RequestTemplate);
    let start = 0;
    const digitsAt = parts.map(part => {
      const at = start + (part.digitsAt[0] as number);
      start += part.bytes.length;
      return at;
    });
    const run = { bytes: Buffer.concat(parts.map(part => part.bytes)), digitsAt: Int32Array.from(digitsAt) };
    this.#runs[index] = run;
    return run;
  }
}

/** A request as RESP has it: an array of bulk strings. */
export function encodeRequest(args: readonly string[]): Buffer {
  const parts = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join('')}`);
}

function encodeTemplate(command: CommandTemplate, keyPrefix: string): RequestTemplate {
  if (command.args.filter(arg => arg === KEY).length !== 1) {
    throw new RangeError(`Expected one key among the arguments of ${command.name}`);
  }
  const key = `${keyPrefix}${'0'.repeat(keyDigits)}`;
  const bytes = encodeRequest([command.name, ...command.args.map(arg => (arg === KEY ? key : arg))]);
  return { bytes, digitsAt: Int32Array.of(bytes.indexOf(key) + keyPrefix.length) };
}
