import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Repainted } from '../src/main/live/repainted.ts';
import { FakeScreen } from './support/screen.ts';

const line = fc
  .string({ unit: fc.constantFrom('a', 'b', ' ', '━'), maxLength: 59, size: 'max' })
  .map(text => `${text}.`);
const action = fc.oneof(
  fc.record({ paint: fc.array(line, { minLength: 1, maxLength: 8 }) }),
  fc.record({ above: line }),
  fc.record({ resize: fc.integer({ min: 20, max: 120 }) }),
  fc.constant({ clear: true }),
);

test('whatever is said, painted and resized: what was said stays, and the painted lines stand below it once', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 30 }), actions => {
      const screen = new FakeScreen(80, 24);
      const painted = new Repainted(screen as unknown as NodeJS.WriteStream);
      const said: string[] = [];
      let shown: readonly string[] = [];
      for (const step of actions) {
        if ('paint' in step) {
          // Each is shorter than the terminal is wide.
          shown = step.paint.map(text => text.slice(0, screen.columns - 1).trimEnd());
          painted.paint(shown);
        } else if ('above' in step) {
          painted.above(`${step.above}\n`);
          said.push(step.above);
        } else if ('resize' in step) screen.resize(step.resize);
        else {
          painted.clear();
          shown = [];
        }
        const expected = [...said, ...shown];
        while (expected.at(-1) === '') expected.pop();
        expect(screen.lines).toEqual(expected);
        expect(screen.cursorShown).toBe(shown.length === 0);
      }
      painted.clear();
      expect(screen.cursorShown).toBe(true);
    }),
  );
});
