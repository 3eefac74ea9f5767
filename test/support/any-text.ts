import fc from 'fast-check';

const anyCharacter = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map(codePoint => String.fromCodePoint(codePoint));

/** Text of any characters, as of the units `binary` and `grapheme` of fast-check, each of which takes a second of CPU to be made. */
export const anyText = (lengths: Pick<fc.StringConstraints, 'minLength' | 'maxLength'> = {}) =>
  fc.string({ unit: anyCharacter, ...lengths });
