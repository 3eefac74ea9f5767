import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { renderJsonSchema } from '../src/main/experiment/json-schema.ts';

interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Key {
  readonly path: string;
  readonly required: boolean;
  readonly schema: Schema;
}

function keysOf(schema: Schema, at = ''): Key[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = at + name;
    const list = property.items?.properties ? '[]' : '';
    return [
      { path, required: schema.required?.includes(name) ?? false, schema: property },
      ...keysOf(property, `${path}${list}.`),
    ];
  });
  const alternatives = [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [...own, ...alternatives.flatMap(part => (part ? keysOf(part, at) : []))];
}

const schema: Schema = JSON.parse(renderJsonSchema());
const keys = keysOf(schema);
const readme = await readFile(new URL('../configs/README.md', import.meta.url), 'utf8');
const rows = readme.split('\n').map(line => line.split('|').map(cell => cell.trim()));

test('the walk finds keys at every level', () => {
  expect(keys.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['name', 'workload.keys', 'scenarios[].workers', 'scenarios[].arrival.kind']),
  );
});

test.each(keys)(
  '$path has a description, a default unless it is required, and its row in the README',
  key => {
    expect(key.schema.description).toMatch(/\w/);
    const [, , explanation, , preset, example] = rows.find(([, name]) => name === `\`${key.path}\``) ?? [];
    expect(explanation).toMatch(/\w/);
    expect(example).toMatch(/\w/);
    if (key.path === '$schema') return;
    expect(key.required || key.schema.default !== undefined).toBe(true);
    expect(preset).toBe(key.required ? 'required' : `\`${JSON.stringify(key.schema.default)}\``);
  },
);
