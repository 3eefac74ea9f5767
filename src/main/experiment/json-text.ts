import { getNodeValue, type Node as JsonNode, parseTree, printParseErrorCode, visit } from 'jsonc-parser';
import { PoolbenchError } from '../errors.ts';

/** Far more than a config needs, far less than the stack holds. */
const maxDepth = 100;
/** Also far more than a config needs; zod fails with several times as many faults. */
const maxValues = 100_000;
/** A config may have comments and trailing commas. */
const options = { allowTrailingComma: true };

/** The path of a value in a config: keys and indexes. */
export type Path = readonly (string | number)[];

/** The parsed text of a config. */
interface JsonText {
  readonly value: unknown;
  /** Every duplicate key in its object. */
  readonly repeatedKeys: readonly { readonly offset: number; readonly path: Path }[];
  /** Offset of the value at the path, or of the innermost one around it. With `key`, that of this key in it. */
  offsetOf(path: Path, key?: string): number;
}

/** An object or a list that is still open. */
interface Open {
  readonly close: '}' | ']';
  readonly keys: Set<string>;
}

/**
 * Reads JSON that may have comments and trailing commas.
 *
 * @param source its name in messages
 * @throws CONFIG_INVALID with line and column of the first syntax error: later ones may only be its consequences. The
 * message quotes at most one character of the text, which may contain a password.
 */
export function parseJsonText(text: string, source: string): JsonText {
  const repeatedKeys = checkSyntax(text, (offset, fault) => {
    throw new PoolbenchError(
      'CONFIG_INVALID',
      `${source}:${placeOf(text, offset)}: not valid JSON: ${fault}.`,
    );
  });
  const root = parseTree(text, [], options);
  if (root === undefined) throw new Error('expected a value in a text without syntax errors');
  return { value: getNodeValue(root), repeatedKeys, offsetOf: (path, key) => offsetOf(root, path, key) };
}

/** `line:column` of an offset, both from 1. */
export function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}

/**
 * Stops at the first error, and if the text is too deep or too long: jsonc-parser recurses, and recovers from errors.
 *
 * @returns the keys that are given again
 */
function checkSyntax(text: string, fail: (offset: number, fault: string) => never): JsonText['repeatedKeys'] {
  const open: Open[] = [];
  const repeated: { offset: number; path: Path }[] = [];
  let expected = 'a value';
  let values = 0;

  const count = (offset: number) => {
    if (++values > maxValues) fail(offset, `expected at most ${maxValues} values`);
  };
  const begin = (close: Open['close'], first: string) => (offset: number) => {
    count(offset);
    open.push({ close, keys: new Set() });
    if (open.length > maxDepth) fail(offset, `expected at most ${maxDepth} levels of nesting`);
    expected = `${first} or '${close}'`;
  };
  const afterValue = () => {
    const inside = open.at(-1);
    expected = inside === undefined ? 'the end of the file' : `',' or '${inside.close}'`;
  };
  // Also called if the text ends too early; then the expectation is kept.
  const end = (offset: number) => {
    if (text[offset] !== open.at(-1)?.close) return;
    open.pop();
    afterValue();
  };

  visit(
    text,
    {
      onObjectBegin: begin('}', 'a key in double quotes'),
      onArrayBegin: begin(']', 'a value'),
      onObjectEnd: end,
      onArrayEnd: end,
      onLiteralValue: (_value, offset) => {
        count(offset);
        afterValue();
      },
      onObjectProperty: (key, offset, _length, _line, _column, pathOfObject) => {
        const keys = open.at(-1)?.keys;
        if (keys?.has(key)) repeated.push({ offset, path: [...pathOfObject(), key] });
        keys?.add(key);
        expected = "':' after the key";
      },
      onSeparator: character => {
        const isInList = open.at(-1)?.close === ']';
        if (character === ':') expected = 'a value';
        else expected = isInList ? "a value or ']'" : "a key in double quotes or '}'";
      },
      onError: (code, offset, length) => {
        switch (printParseErrorCode(code)) {
          case 'UnexpectedEndOfString':
          case 'InvalidEscapeCharacter':
          case 'InvalidUnicode':
          case 'InvalidCharacter': {
            const at = endOfValidString(text, offset);
            if (text[at] === '\\') fail(at, 'unknown escape in a string; write a backslash as \\\\');
            return fail(at, `expected the closing quote of a string, found ${found(text, at)}`);
          }
          case 'UnexpectedEndOfNumber':
            return fail(offset + length, `expected a digit, found ${found(text, offset + length)}`);
          case 'UnexpectedEndOfComment':
            return fail(offset, 'expected "*/" at the end of this comment, found the end of the file');
          default:
            return fail(offset, `expected ${expected}, found ${found(text, offset)}`);
        }
      },
    },
    options,
  );
  return repeated;
}

/** Offset of the first character that is not allowed in the string that begins at `offset`. */
function endOfValidString(text: string, offset: number): number {
  // Any character but a quote, a backslash and those below the space; or an escape.
  const valid = /"(?:[ !#-[\]-\uffff]|\\["\\/bfnrt]|\\u[\da-fA-F]{4})*/y;
  valid.lastIndex = offset;
  return offset + (valid.exec(text)?.[0].length ?? 0);
}

function found(text: string, offset: number): string {
  const code = text.codePointAt(offset);
  if (code === undefined) return 'the end of the file';
  const character = String.fromCodePoint(code);
  if (character === '\n' || character === '\r') return 'a line break';
  if (code < 0x20) return 'a control character';
  if (/\p{L}/u.test(character)) return 'a word without quotes';
  return `'${character}'`;
}

function offsetOf(root: JsonNode, path: Path, key?: string): number {
  let node = root;
  for (const step of path) {
    const next = typeof step === 'string' ? lastProperty(node, step)?.children?.[1] : itemOf(node, step);
    if (next === undefined) break;
    node = next;
  }
  return (key === undefined ? undefined : lastProperty(node, key)?.offset) ?? node.offset;
}

/** If a key is given twice, the last one counts, as in JSON.parse. */
function lastProperty(node: JsonNode, key: string): JsonNode | undefined {
  if (node.type !== 'object') return undefined;
  return node.children?.findLast(property => property.children?.[0]?.value === key);
}

/** A single value stands for a list of one. */
function itemOf(node: JsonNode, index: number): JsonNode | undefined {
  return node.type === 'array' ? node.children?.[index] : node;
}
