/** A command as MONITOR shows it. */
export interface RecordedCommand {
  /** When the server ran it, in seconds since 1970. */
  readonly at: number;
  readonly database: number;
  /** Address of the client. */
  readonly source: string;
  /** The name and the arguments. Each character is one byte. */
  readonly words: readonly string[];
}

/** What the server writes instead of an address if a script ran the command. */
export const scriptSource = 'lua';

/** Time, database and address. An IPv6 address has brackets of its own, and a unix socket any path. */
const head = /^\+?(\d{1,12}\.\d{1,9}) \[(\d{1,9}) (.{0,255}?)\] (?=")/;

/**
 * Reads one line of MONITOR, as `redis-cli MONITOR` prints it or as the server sends it:
 * `1700000000.123456 [0 127.0.0.1:50000] "SET" "key" "value"`.
 *
 * @returns undefined for other text, and for a line that is cut
 */
export function parseMonitorLine(line: string): RecordedCommand | undefined {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  const [start = '', at, database, source = ''] = head.exec(text) ?? [];
  const words = start === '' ? undefined : parseWords(text, start.length);
  return words === undefined ? undefined : { at: Number(at), database: Number(database), source, words };
}

/** The lines of a text, without a copy of all of them. */
export function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    yield text.slice(from, end < 0 ? text.length : end);
    from = end < 0 ? text.length : end + 1;
  }
}

/** Words in double quotes, separated by one space, up to the end. */
function parseWords(text: string, from: number): string[] | undefined {
  const words: string[] = [];
  for (let at = from; text[at] === '"'; ) {
    const end = closingQuote(text, at + 1);
    if (end < 0) return undefined;
    words.push(bytesOf(text.slice(at + 1, end)));
    if (end + 1 === text.length) return words;
    if (text[end + 1] !== ' ') return undefined;
    at = end + 2;
  }
  return undefined;
}

const backslash = 0x5c;
const quote = 0x22;

function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) return at;
    if (character === backslash) at++;
  }
  return -1;
}

const escaped: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

/** Reverses sdscatrepr of Redis, which writes unprintable bytes as \xNN. */
function bytesOf(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:x([\da-fA-F]{2})|([\s\S]))/g, (_, hex: string | undefined, one: string) =>
    hex === undefined ? (escaped[one] ?? one) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
