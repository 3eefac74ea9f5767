import { PoolbenchError } from '../errors.ts';

/** Far more than a config needs, far less than the stack holds. */
const deepest = 100;

/**
 * JSON.parse that says where the fault is. V8 names a position for some faults only, so the text is walked first;
 * that also finds keys given twice, of which JSON.parse would silently take the last.
 *
 * @throws CONFIG_INVALID with line and column. Only one character of the text is quoted: it may hold a password.
 */
export function parseJson(text: string, source: string): unknown {
  let at = 0;

  const fail = (fault: string): never => {
    const before = text.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    throw new PoolbenchError('CONFIG_INVALID', `${source}:${line}:${column}: not valid JSON: ${fault}.`);
  };
  const found = (): string => {
    const character = text.codePointAt(at);
    if (character === undefined) return 'the end of the file';
    if (character < 0x20)
      return character === 10 || character === 13 ? 'a line break' : 'a control character';
    return `'${String.fromCodePoint(character)}'`;
  };
  const expected = (what: string): never => fail(`expected ${what}, found ${found()}`);
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0] ?? '';
    at += match.length;
    return match;
  };
  const space = (): void => {
    take(/[ \t\r\n]+/y);
    if (text.startsWith('//', at) || text.startsWith('/*', at)) fail('JSON has no comments; remove this one');
  };

  const string = (what: string): string => {
    const start = at;
    if (text[at] !== '"') expected(what);
    at++;
    // Any character but a quote, a backslash and those below the space; or an escape.
    take(/(?:[ !#-[\]-\uffff]|\\["\\/bfnrt]|\\u[\da-fA-F]{4})*/y);
    if (text[at] === '\\') fail('unknown escape in a string; write a backslash as \\\\');
    if (text[at] !== '"') expected('the closing quote of a string');
    at++;
    return text.slice(start, at);
  };

  const members = (close: string, what: string, member: () => void): void => {
    at++;
    space();
    while (text[at] !== close) {
      member();
      space();
      if (text[at] === close) break;
      if (text[at] !== ',') expected(`',' or '${close}'`);
      at++;
      space();
      if (text[at] === close) fail(`expected ${what} after the comma, found '${close}'; remove the comma`);
    }
    at++;
  };

  const value = (depth: number): void => {
    if (depth > deepest) fail(`expected at most ${deepest} levels of nesting`);
    space();
    if (text[at] === '{') {
      const keys = new Set<string>();
      members('}', 'a key', () => {
        const start = at;
        const key = string('a key in double quotes');
        const name: unknown = JSON.parse(key);
        if (keys.has(String(name))) {
          at = start;
          fail(`the key ${key} is given twice`);
        }
        keys.add(String(name));
        space();
        if (text[at] !== ':') expected("':' after the key");
        at++;
        value(depth + 1);
      });
    } else if (text[at] === '[') {
      members(']', 'a value', () => value(depth + 1));
    } else if (text[at] === '"') {
      string('a string');
    } else {
      const scalar = take(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
      if (scalar === '') expected('a value');
      if (/[\w.+-]/.test(text[at] ?? ''))
        fail(`expected a number, true, false or null, found ${found()} after '${scalar}'`);
    }
  };

  value(1);
  space();
  if (at < text.length) expected('the end of the file');
  return JSON.parse(text);
}
