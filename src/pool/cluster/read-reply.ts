import { PoolError } from '../errors.ts';

/** A reply as plain values; a map is the list of its keys and values. */
export type Reply = string | number | null | readonly Reply[];

/**
 * Reads one whole RESP2 or RESP3 reply. It builds values, and so is for what is asked beside the load.
 * @throws PoolError PROTOCOL for a type that no such answer has
 */
export function readReply(bytes: Buffer): Reply {
  return readAt(bytes, 0).value;
}

function readAt(bytes: Buffer, start: number): { value: Reply; next: number } {
  const lineEnd = bytes.indexOf('\r\n', start);
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
      return readElements(bytes, next, Number(line));
    case '%':
      return readElements(bytes, next, 2 * Number(line));
    default:
      throw new PoolError('PROTOCOL', 'Expected a reply of strings, numbers and lists, found another');
  }
}

function readElements(bytes: Buffer, start: number, count: number): { value: Reply; next: number } {
  const elements: Reply[] = [];
  let next = start;
  for (let i = 0; i < count; i++) {
    const element = readAt(bytes, next);
    elements.push(element.value);
    next = element.next;
  }
  return { value: elements, next };
}
