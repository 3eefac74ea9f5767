/** A command of memtier_benchmark's `--command`, with its ratio and key pattern. */
export interface MemtierCommand {
  /** Each character is one byte. */
  readonly words: readonly string[];
  readonly ratio: number;
  /** `--command-key-pattern`: R, S, P, G or Z. */
  readonly keyPattern: string;
}

/** The contents of a command line of memtier_benchmark. */
export interface MemtierLoad {
  readonly commands: readonly MemtierCommand[];
  /** The values of all other flags, by their long names without dashes. */
  readonly flags: ReadonlyMap<string, string>;
}

const longNames: Readonly<Record<string, string>> = {
  c: 'clients',
  t: 'threads',
  n: 'requests',
  d: 'data-size',
  R: 'random-data',
};

/** Flags without a value. */
const switches = new Set(
  'random-data randomize distinct-client-seed hide-histogram scan-incremental-iteration cluster-mode tls'.split(
    ' ',
  ),
);

/**
 * Reads the arguments of memtier_benchmark, as a shell would cut them.
 *
 * @throws RangeError whose message says what is expected
 */
export function readMemtierArguments(text: string): MemtierLoad {
  const commands: { words: string[]; ratio: number; keyPattern: string }[] = [];
  const flags = new Map<string, string>();
  const rest = shellWords(text);
  for (let index = 0; index < rest.length; index++) {
    const [, found, attached] = /^--?([\w-]+)(?:=([\s\S]*))?$/.exec(rest[index] ?? '') ?? [];
    // An argument without a flag is a mistake in the definition, which memtier_benchmark ignores.
    if (found === undefined) continue;
    const name = longNames[found] ?? found;
    const next = rest[index + 1];
    const hasValue =
      attached === undefined && !switches.has(name) && next !== undefined && !/^--?[a-z]/i.test(next);
    if (hasValue) index++;
    const value = attached ?? (hasValue ? (next ?? '') : '');
    const last = commands.at(-1);
    if (name === 'command') commands.push({ words: commandWords(value), ratio: 1, keyPattern: 'R' });
    else if (name === 'command-ratio' && last !== undefined) last.ratio = Number(value);
    else if (name === 'command-key-pattern' && last !== undefined) last.keyPattern = value;
    else flags.set(name, value);
  }
  return { commands, flags };
}

/** How words are quoted: what the quoted text of each kind stands for. */
interface Quoting {
  readonly double: (quoted: string) => string;
  readonly single: (quoted: string) => string;
  readonly bare: (text: string) => string;
}

/** Splits a line into words like a POSIX shell. */
function shellWords(text: string): string[] {
  return cutWords(text, {
    double: quoted => quoted.replace(/\\(["\\$`])/g, '$1'),
    single: quoted => quoted,
    bare: plain => plain.replace(/\\([\s\S])/g, '$1'),
  });
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** Splits a command into words like redis-cli and memtier_benchmark; each character is one byte. */
export function commandWords(text: string): string[] {
  return cutWords(Buffer.from(text).toString('latin1'), {
    double: quoted =>
      quoted.replace(/\\x([\da-f]{2})|\\([\s\S])/gi, (_, hex: string | undefined, escaped: string) =>
        hex === undefined ? (escapes[escaped] ?? escaped) : String.fromCharCode(Number.parseInt(hex, 16)),
      ),
    single: quoted => quoted.replaceAll("\\'", "'"),
    bare: plain => plain,
  });
}

function cutWords(text: string, { double, single, bare }: Quoting): string[] {
  const token = /(\s+)|"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)'|((?:[^\s"'\\]|\\[\s\S])+)/y;
  const words: string[] = [];
  let word: string | undefined;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (found === null)
      throw new RangeError(`a closing quote, after ${JSON.stringify(text.slice(at, at + 20))}`);
    const [, blank, inDouble, inSingle, plain] = found;
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (inDouble !== undefined) word = (word ?? '') + double(inDouble);
    else if (inSingle !== undefined) word = (word ?? '') + single(inSingle);
    else word = (word ?? '') + bare(plain ?? '');
  }
  return word === undefined ? words : [...words, word];
}
