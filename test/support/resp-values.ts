import fc from 'fast-check';

/** A value as it travels, and what a client must make of it when it is a reply of its own. */
interface Value {
  readonly bytes: Buffer;
  readonly nil?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

/** One line of a RESP stream. */
export const line = (mark: string, text: string): Buffer => Buffer.from(`${mark}${text}\r\n`, 'latin1');
const blob = (mark: string, payload: Uint8Array): Buffer =>
  Buffer.concat([line(mark, String(payload.length)), payload, Buffer.from('\r\n')]);
const aggregate = (mark: string, count: number, parts: readonly Value[]): Value => ({
  bytes: Buffer.concat([line(mark, String(count)), ...parts.map(part => part.bytes)]),
});

const text = fc.string({ unit: fc.constantFrom(...'aZ09 $*-+:_#,(!=%~>|"'), maxLength: 20 });
// Payloads are full of what means something elsewhere.
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc
    .array(fc.constantFrom(0x0d, 0x0a, 0x24, 0x2a, 0x2d, 0x2b, 0x31), { maxLength: 30 })
    .map(bytes => Uint8Array.from(bytes)),
);
const error = fc
  .tuple(
    fc.stringMatching(/^([A-Z][A-Z0-9_]{0,12}|[a-z][A-Z_]{0,12})$/),
    text.map(words => words.trimEnd()),
  )
  .map(([code, words]) => ({ code, message: words === '' ? code : `${code} ${words}` }));

const leaf: fc.Arbitrary<Value> = fc.oneof(
  text.map(words => ({ bytes: line('+', words) })),
  error.map(error => ({ bytes: line('-', error.message), error })),
  error.map(error => ({ bytes: blob('!', Buffer.from(error.message)), error })),
  fc.bigInt().map(number => ({ bytes: line(':', String(number)) })),
  fc.bigInt().map(number => ({ bytes: line('(', String(number)) })),
  fc
    .oneof(fc.double().map(String), fc.constantFrom('inf', '-inf', 'nan'))
    .map(number => ({ bytes: line(',', number) })),
  fc.constantFrom('t', 'f').map(bool => ({ bytes: line('#', bool) })),
  payload.map(bytes => ({ bytes: blob('$', bytes) })),
  payload.map(bytes => ({ bytes: blob('=', Buffer.concat([Buffer.from('txt:'), bytes])) })),
  fc.constantFrom('_\r\n', '$-1\r\n', '*-1\r\n').map(bytes => ({ bytes: Buffer.from(bytes), nil: true })),
);

/** A value of any type that RESP2 and RESP3 have, nested. */
export const { value } = fc.letrec<{ value: Value; parts: Value[]; pairs: Value[] }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: tie('parts').map(parts => aggregate('*', parts.length, parts)) },
    { weight: 1, arbitrary: tie('parts').map(parts => aggregate('~', parts.length, parts)) },
    { weight: 1, arbitrary: tie('pairs').map(pairs => aggregate('%', pairs.length / 2, pairs)) },
    {
      weight: 1,
      // An attribute says something of the value that follows it, and changes nothing about it.
      arbitrary: fc.tuple(tie('pairs'), tie('value')).map(([pairs, described]) => ({
        ...described,
        bytes: Buffer.concat([aggregate('|', pairs.length / 2, pairs).bytes, described.bytes]),
      })),
    },
  ),
  parts: fc.array(tie('value'), { maxLength: 4 }),
  pairs: fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map(pairs => pairs.flat()),
}));

/** Replies as a server sends them. Pushes come between them and are none. */
export const stream = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: value.map(value => ({ value, push: false })) },
    {
      weight: 1,
      arbitrary: fc
        .array(value, { maxLength: 3 })
        .map(parts => ({ value: aggregate('>', parts.length, parts), push: true })),
    },
  ),
  { maxLength: 12 },
);

/** The bytes in chunks of these sizes, over and over. */
export function cutBy(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

export const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });
