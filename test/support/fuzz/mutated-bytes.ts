import fc from 'fast-check';
import { stream } from '../resp-values.ts';

/** What a parser of lengths and types may stumble over. */
const snags = [
  '$-1\r\n',
  '$-2\r\n',
  '$\r\n',
  '$0\r\n\r\n',
  '$4294967295\r\n',
  '$99999999999999999999\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*4294967296\r\n',
  '*1\r\n*1\r\n*1\r\n',
  '|-1\r\n',
  '|1\r\n+a\r\n+b\r\n',
  '>0\r\n',
  '>-1\r\n',
  '>1\r\n_\r\n',
  '>1\r\n>1\r\n+a\r\n',
  '%1\r\n+a\r\n+b\r\n',
  '%-1\r\n',
  '~2\r\n',
  '!5\r\n-ERR ',
  '=7\r\ntxt:abc\r\n',
  '(9999999999999999999999\r\n',
  ',nan\r\n',
  '#t\r\n',
  '_\r\n',
  '-\r\n',
  '+\n',
  '\r\n',
  'HTTP/1.1 400 Bad Request\r\n',
  '\0\0\0\0',
].map(text => Buffer.from(text, 'latin1'));

const edit = fc.record({
  at: fc.nat(),
  removed: fc.nat({ max: 8 }),
  added: fc.oneof(fc.constantFrom(...snags), fc.uint8Array({ maxLength: 8 })),
});

const garbage = fc
  .array(fc.constantFrom(...'+-:$*_#,(!=%~>|0129?a\r\n'), { maxLength: 60 })
  .map(characters => Buffer.from(characters.join('')));

/** Streams of replies, streams with something cut out or put in, and rubbish. */
export const mutatedBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 1, arbitrary: garbage },
  {
    weight: 4,
    arbitrary: fc.tuple(stream, fc.array(edit, { maxLength: 4 })).map(([items, edits]) =>
      edits.reduce(
        (bytes, { at, removed, added }) => {
          const start = at % (bytes.length + 1);
          return Buffer.concat([bytes.subarray(0, start), added, bytes.subarray(start + removed)]);
        },
        Buffer.concat(items.map(item => item.value.bytes)),
      ),
    ),
  },
);
