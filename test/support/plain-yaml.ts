/** A value of YAML without types: every scalar is its text. */
export type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/**
 * Reads a plain part of YAML: maps of one `key: value` a line, lists of one `- item` a line or `[a, b]`, scalars that are
 * plain or in quotation marks.
 *
 * @throws Error for everything else, with the number of the line
 */
export function readPlainYaml(text: string): Yaml {
  const lines = text
    .split('\n')
    .map((line, index) => ({
      number: index + 1,
      indent: line.search(/\S|$/),
      text: line.trim(),
    }))
    .filter(line => line.text !== '' && !line.text.startsWith('#'));
  const { value, rest } = readBlock(lines, 0);
  const [left] = rest;
  if (left !== undefined) throw fault(left, 'an indent that fits');
  return value;
}

/** Reads what stands at the indent of the first line. @returns it, and the lines behind it */
function readBlock(lines: readonly Line[], minIndent: number): { value: Yaml; rest: readonly Line[] } {
  const [first] = lines;
  if (first === undefined || first.indent < minIndent) return { value: '', rest: lines };
  const list: Yaml[] = [];
  const map: Record<string, Yaml> = {};
  const isList = first.text.startsWith('- ');
  let rest = lines;
  for (let line = rest[0]; line?.indent === first.indent; line = rest[0]) {
    if (line.text.startsWith('- ') !== isList) throw fault(line, 'a list or a map, not both');
    if (isList) {
      // What stands behind the dash is the first line of the item.
      const inner = { ...line, indent: line.indent + 2, text: line.text.slice(2) };
      const isMap = entryOf(inner.text) !== null;
      const item = isMap ? readBlock([inner, ...rest.slice(1)], inner.indent) : undefined;
      list.push(item?.value ?? readScalar(inner));
      rest = item?.rest ?? rest.slice(1);
    } else {
      const [key, value] = entryOf(line.text) ?? [];
      if (key === undefined || value === undefined || key in map) throw fault(line, 'a new "key: value"');
      if (value !== '') {
        map[key] = readScalar({ ...line, text: value });
        rest = rest.slice(1);
      } else {
        const inner = readBlock(rest.slice(1), line.indent + 1);
        map[key] = inner.value;
        rest = inner.rest;
      }
    }
  }
  return { value: isList ? list : map, rest };
}

function entryOf(text: string): [key: string, value: string] | null {
  const match = /^([\w.-]+):(?: +(.*))?$/.exec(text);
  return match === null ? null : [match[1] ?? '', match[2] ?? ''];
}

function readScalar(line: Line): Yaml {
  const { text } = line;
  const quoted = /^'([^']*)'$/.exec(text) ?? /^"([^"\\]*)"$/.exec(text);
  if (quoted !== null) return quoted[1] ?? '';
  const flow = /^\[([\w., -]*)\]$/.exec(text);
  if (flow !== null) return (flow[1] ?? '').split(',').map(item => item.trim());
  // What YAML reads otherwise: other kinds of values, a comment, a map within the line.
  if (/^[[\]{}>|*&!%@`'",?#-]|: | #|:$/.test(text))
    throw fault(line, 'a plain text, or one in quotation marks');
  return text;
}

function fault({ number, text }: Line, expected: string): Error {
  return new Error(`line ${number}: expected ${expected}, found ${text}`);
}
