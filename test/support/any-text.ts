import fc from 'fast-check';

const anyCharacter = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map(codePoint => String.fromCodePoint(codePoint));

/** Text of any characters, as of the unit `binary` of fast-check, which takes a second of CPU to be made. */
export const anyText = (maxLength?: number) =>
  fc.string({ unit: anyCharacter, ...(maxLength === undefined ? {} : { maxLength }) });
