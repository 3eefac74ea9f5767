import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { root } from '../../bench/findings-docs.ts';
import { resultSchema } from '../../src/aggregate/result.ts';

/** What this test knows of JSON Schema. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Stands where keys of an object are left out. */
const omission = '…';

/** Where a value has a key that the schema does not have, or lacks one without saying so. */
function faultsOf(value: unknown, schema: Schema, path: string): string[] {
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    const each = branches.map(branch => faultsOf(value, branch, path));
    return each.toSorted((a, b) => a.length - b.length)[0] ?? [];
  }
  if (Array.isArray(value)) return value.flatMap(item => faultsOf(item, schema.items ?? {}, `${path}[]`));
  const { properties, required = [] } = schema;
  if (properties === undefined) return [];
  if (typeof value !== 'object' || value === null) return [`${path} is no object`];
  const found = Object.entries(value).filter(([key]) => key !== omission);
  const isWhole = !Object.hasOwn(value, omission);
  return [
    ...found.flatMap(([key, member]) => {
      const own = properties[key];
      const at = `${path}.${key}`;
      return own === undefined ? [`${at} is unknown`] : faultsOf(member, own, at);
    }),
    ...required.filter(key => isWhole && !Object.hasOwn(value, key)).map(key => `${path}.${key} is missing`),
  ];
}

test('the example in results/README.md has the keys of a result.json of today, except those that it marks as left out', async () => {
  const text = await readFile(join(root, 'results', 'README.md'), 'utf8');
  const [, example = ''] = /```jsonc\n(.*?)```/s.exec(text) ?? [];
  const json = example
    .replace(/ +\/\/ .*/g, '')
    .replace(/,\s*…(?=\s*\])/g, '')
    .replace(/(?<=[{,]\s*)…(?=\s*[,}])/g, `"${omission}": 0`);
  const schema = z.toJSONSchema(resultSchema, {
    unrepresentable: 'any',
    io: 'input',
    reused: 'inline',
  }) as Schema;
  expect(faultsOf(JSON.parse(json), schema, 'result')).toEqual([]);
});
