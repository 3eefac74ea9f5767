import { ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mutatedJson } from './mutated-json.ts';

const folders = ['', 'claims/', 'examples/'].map(
  name => new URL(`../../../configs/${name}`, import.meta.url),
);
const longestMessage = 100_000;

/** Takes a config or says CONFIG_INVALID, in a message of some length. */
export const configTarget: FuzzTarget = {
  name: 'the parser of configs',
  async open() {
    const texts = folders.flatMap(folder =>
      readdirSync(folder)
        .filter(file => file.endsWith('.json') && file !== 'schema.json')
        .map(file => readFileSync(new URL(file, folder), 'utf8')),
    );
    const configs = fc.oneof(mutatedJson(texts.map(text => parse(text) as unknown)), damagedText(texts));
    const property = fc.property(configs, text => {
      try {
        parseConfig(text, 'a.json');
      } catch (error) {
        ok(error instanceof PoolbenchError && error.code === 'CONFIG_INVALID', error as Error);
        ok(error.message.length < longestMessage);
      }
    });
    return { property, close: async () => {} };
  },
};

/** One of these texts, comments and all, with something cut out and put in at several places. */
function damagedText(texts: readonly string[]): fc.Arbitrary<string> {
  const put = fc.constantFrom(
    '',
    '//',
    '/*',
    '*/',
    '"',
    ',',
    ':',
    '{',
    ']',
    '\\',
    '\n',
    '\u0000',
    '#',
    '0',
    'x',
  );
  const damages = fc.array(fc.tuple(fc.nat(), fc.nat(8), put), { minLength: 1, maxLength: 4 });
  return fc.tuple(fc.constantFrom(...texts), damages).map(([text, places]) =>
    places.reduce((damaged, [place, cut, added]) => {
      const at = place % (damaged.length + 1);
      return damaged.slice(0, at) + added + damaged.slice(at + cut);
    }, text),
  );
}
