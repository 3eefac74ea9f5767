import { expect, test } from 'vitest';
import { canRedraw, takesColour } from '../src/main/live/terminal.ts';

const terminal = { isTTY: true, hasColors: () => true };
const pale = { isTTY: true, hasColors: () => false };
const pipe = { isTTY: false, hasColors: () => true };

test.each([
  ['a terminal', terminal, {}, true],
  ['a pipe', pipe, {}, false],
  ['a pipe with FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, false],
  ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
  ['a terminal in CI', terminal, { CI: 'true' }, false],
  ['a terminal with CI=false', terminal, { CI: 'false' }, true],
])('%s: lines are written over: %o', (_, stream, env, expected) => {
  expect(canRedraw(stream as NodeJS.WriteStream, env)).toBe(expected);
});

test.each([
  ['a terminal', terminal, {}, true],
  ['a terminal without colours', pale, {}, false],
  ['a pipe', pipe, {}, false],
  ['NO_COLOR on a terminal', terminal, { NO_COLOR: '1' }, false],
  ['an empty NO_COLOR, which counts as none', terminal, { NO_COLOR: '' }, true],
  ['FORCE_COLOR on a pipe', pipe, { FORCE_COLOR: '1' }, true],
  ['FORCE_COLOR=0 on a terminal', terminal, { FORCE_COLOR: '0' }, false],
  ['both', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, true],
])('%s: coloured: %o', (_, stream, env, expected) => {
  expect(takesColour(stream as NodeJS.WriteStream, env)).toBe(expected);
});
