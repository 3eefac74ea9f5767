/** What MONITOR shows of a command. */
interface Shown {
  readonly at?: number;
  readonly database?: number;
  readonly source?: string;
}

const named: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
  '\\': '\\\\',
  '"': '\\"',
};

/**
 * A line of MONITOR, as sdscatrepr of Redis writes it.
 *
 * @param words each character is one byte
 */
export function monitorLine(
  words: readonly string[],
  { at = 1_700_000_000, database = 0, source = '127.0.0.1:50000' }: Shown = {},
): string {
  const quoted = words.map(word => `"${[...word].map(shown).join('')}"`);
  return `${at.toFixed(6)} [${database} ${source}] ${quoted.join(' ')}`;
}

function shown(character: string): string {
  const known = named[character];
  if (known !== undefined) return known;
  if (/[ -~]/.test(character)) return character;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
