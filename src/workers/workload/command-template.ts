import { containers, keyPlaces, whyRefused } from './command-rules.ts';

/** A part of an argument: text, or what is put there for each operation. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'key' }
  | { readonly kind: 'value' }
  | { readonly kind: 'counter' }
  /** The number of the record that the command is for: of presets alone. */
  | { readonly kind: 'record' }
  | { readonly kind: 'number'; readonly from: number; readonly to: number };

/** A command as a config has it, taken apart. */
export interface ParsedCommand {
  readonly name: string;
  /** As the server's commandstats name it: `get`, `object|encoding`. */
  readonly statName: string;
  readonly args: readonly (readonly TemplatePart[])[];
}

const largestNumber = 2 ** 32 - 1;
const placeholder = /\{([^{}]*)\}/g;
const placeholders = '{key}, {value}, {counter} and {number:from-to}';

/**
 * Reads a command such as `SET {key} {value} EX {number:10-60}`: words between blanks, with placeholders in them.
 *
 * @throws RangeError whose message says what is expected
 */
export function parseCommand(text: string): ParsedCommand {
  const [word = '', ...rest] = text.trim().split(/\s+/);
  const name = word.toUpperCase();
  if (!/^[A-Z][A-Z0-9_.-]*$/.test(name))
    throw new RangeError('a command such as "SET {key} {value} EX {number:10-60}"');
  const refused = whyRefused(name);
  if (refused !== undefined) throw new RangeError(`no ${name} (${refused})`);
  const args = rest.map(parseArgument);
  checkKeys(name, args);
  if (name === 'COPY' && rest.some(word => /^db$/i.test(word)))
    throw new RangeError('a COPY within its database (no DB)');
  const subcommand = containers.has(name) ? `|${rest[0]?.toLowerCase()}` : '';
  return { name, statName: name.toLowerCase() + subcommand, args };
}

/** As {@link parseCommand}, for a command that somebody has written: without what only presets know. */
export function parseGivenCommand(text: string): ParsedCommand {
  const parsed = parseCommand(text);
  if (parsed.args.flat().some(({ kind }) => kind === 'record'))
    throw new RangeError(`placeholders ${placeholders}, no {record}`);
  return parsed;
}

/** How many keys it has. */
export function keysOf({ args }: ParsedCommand): number {
  return args.flat().filter(part => part.kind === 'key').length;
}

function parseArgument(word: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of word.matchAll(placeholder)) {
    if (match.index > end) parts.push(textPart(word.slice(end, match.index)));
    parts.push(parsePlaceholder(match[1] ?? ''));
    end = match.index + match[0].length;
  }
  if (end < word.length) parts.push(textPart(word.slice(end)));
  return parts;
}

function textPart(text: string): TemplatePart {
  if (/[{}]/.test(text)) throw new RangeError(`placeholders ${placeholders}`);
  return { kind: 'text', text };
}

function parsePlaceholder(inside: string): TemplatePart {
  if (inside === 'key' || inside === 'value' || inside === 'counter' || inside === 'record')
    return { kind: inside };
  const range = /^number:(\d+)-(\d+)$/.exec(inside);
  if (range === null) throw new RangeError(`placeholders ${placeholders}, no {${inside}}`);
  const [from, to] = [Number(range[1]), Number(range[2])];
  if (from > to || to > largestNumber)
    throw new RangeError(
      `a range of numbers from 0 to ${largestNumber}, the smaller one first, no {${inside}}`,
    );
  return { kind: 'number', from, to };
}

/** Every key must be one of ours: whatever else stood there would be a key of somebody else. */
function checkKeys(name: string, args: readonly (readonly TemplatePart[])[]): void {
  const { first, last, step } = keyPlaces(name);
  const isKey = (parts: readonly TemplatePart[]) => parts.length === 1 && parts[0]?.kind === 'key';
  const end = last === -1 ? args.length : last;
  const expected = new Set<number>();
  if (first > 0) for (let place = first; place <= Math.max(end, first); place += step) expected.add(place);
  for (const place of expected) {
    const parts = args[place - 1];
    if (parts !== undefined && isKey(parts)) continue;
    throw new RangeError(`{key} as argument ${place} of ${name} (poolbench touches no keys but its own)`);
  }
  for (const [index, parts] of args.entries()) {
    if (expected.has(index + 1) || !parts.some(part => part.kind === 'key')) continue;
    const where = expected.size === 0 ? 'no {key}' : `{key} only where ${name} takes a key, alone`;
    throw new RangeError(`${where}, but argument ${index + 1} has one`);
  }
}
