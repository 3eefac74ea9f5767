import { ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { parseConfig } from '../../../src/main/config/read-config.ts';
import { PoolbenchError } from '../../../src/main/errors.ts';
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
    const bases = folders.flatMap(folder =>
      readdirSync(folder)
        .filter(file => file.endsWith('.json') && file !== 'schema.json')
        .map(file => parse(readFileSync(new URL(file, folder), 'utf8')) as unknown),
    );
    const property = fc.property(mutatedJson(bases), text => {
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
