import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FailureNotes, noteBytes } from '../src/workers/shared-state.ts';

const two = () => {
  const buffer = new SharedArrayBuffer(64 + 2 * noteBytes);
  return { here: new FailureNotes(buffer, 64), there: new FailureNotes(buffer, 64), buffer };
};

test('a note is read as it was written, whatever the codes are', () => {
  const codes = fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.nat(), { maxKeys: 6 });
  fc.assert(
    fc.property(codes, codes, (first, second) => {
      const { here, there } = two();
      expect(there.read(0)).toEqual({});
      here.write(0, first);
      expect(there.read(0)).toEqual({ ...first });
      here.write(1, second);
      here.write(0, second);
      expect([there.read(0), there.read(1)]).toEqual([{ ...second }, { ...second }]);
    }),
  );
});

test('codes that have no room are left out, the latest first', () => {
  const { here, there } = two();
  const long = (letter: string) => letter.repeat(200);
  here.write(0, { OOM: 1, [long('a')]: 2, [long('b')]: 3, [long('c')]: 4 });
  here.write(1, { OOM: 5 });
  expect(there.read(0)).toEqual({ OOM: 1, [long('a')]: 2, [long('b')]: 3 });
  expect(there.read(1)).toEqual({ OOM: 5 });
});

test('while a thread writes, its last note stands', () => {
  const { here, there, buffer } = two();
  here.write(0, { OOM: 1 });
  expect(there.read(0)).toEqual({ OOM: 1 });
  const version = new Int32Array(buffer, 64, 1);
  here.write(0, { OOM: 2 });
  Atomics.sub(version, 0, 1);
  expect(there.read(0)).toEqual({ OOM: 1 });
  Atomics.add(version, 0, 1);
  expect(there.read(0)).toEqual({ OOM: 2 });
});
