import { PoolError } from '../errors.ts';

/** A reply as plain values; a map is the list of its keys and values. */
export type Reply = string | number | null | readonly Reply[];

/** Far more levels than any answer has, far fewer than the stack holds. */
const deepest = 32;

/**
 * Reads one whole RESP2 or RESP3 reply. It builds values, and so is for what is asked beside the load.
 * @throws PoolError PROTOCOL for a type that no such answer has, or for lists in lists without end
 */
export function readReply(bytes: Buffer): Reply {
  return readAt(bytes, 0, 1).value;
}

function readAt(bytes: Buffer, start: number, depth: number): { value: Reply; next: number } {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd < 0 || depth > deepest) throw notReadable();
  const line = bytes.toString('latin1', start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case ':':
      return { value: Number(line), next };
    case '_':
      return { value: null, next };
    case '+':
    case '#':
    case ',':
      return { value: line, next };
    case '$': {
      const length = Number(line);
      if (length < 0) return { value: null, next };
      return { value: bytes.toString('utf8', next, next + length), next: next + length + 2 };
    }
    case '*':
    case '~':
      return readElements(bytes, next, { count: Number(line), depth });
    case '%':
      return readElements(bytes, next, { count: 2 * Number(line), depth });
    default:
      throw notReadable();
  }
}

function readElements(
  bytes: Buffer,
  start: number,
  { count, depth }: { count: number; depth: number },
): { value: Reply; next: number } {
  const elements: Reply[] = [];
  let next = start;
  for (let i = 0; i < count; i++) {
    const element = readAt(bytes, next, depth + 1);
    elements.push(element.value);
    next = element.next;
  }
  return { value: elements, next };
}

function notReadable(): PoolError {
  return new PoolError('PROTOCOL', 'Expected a reply of strings, numbers and lists, found another');
}
