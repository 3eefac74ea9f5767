import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { renderJsonSchema } from '../../../src/main/experiment/json-schema.ts';
import { armsOf, planRun, secondsAtMost } from '../../../src/main/experiment/plan.ts';
import { parseConfig, readConfig } from '../../../src/main/experiment/read-config.ts';
import { quick } from '../../../src/main/experiment/read-plan.ts';

describe('shipped configs are valid and short', async () => {
  const names = readdirSync('configs').filter(name => name.endsWith('.json') && name !== 'schema.json');

  test.each(names)(
    '%s is valid, points to the schema, takes at most 6 minutes, and 30 s when quick',
    async name => {
      const path = `configs/${name}`;
      const experiment = await readConfig(path);
      expect(experiment.$schema).toBe('./schema.json');
      expect(`${experiment.name}.json`).toBe(name);
      const plan = planRun([experiment]);
      expect(secondsAtMost(plan)).toBeLessThanOrEqual(360);
      const short = quick(plan);
      expect(secondsAtMost(short)).toBeLessThanOrEqual(30);
      expect(short.sides.map(armsOf)).toEqual(plan.sides.map(armsOf));
      expect(short.sides[0]?.scenarios.some(({ control }) => control)).toBe(false);
    },
  );

  test.each([
    ['redis', 6379],
    ['valkey', 6381],
    ['dragonfly', 6382],
  ])('%s.json asks the multi-pool question on port %i', async (server, port) => {
    const experiment = await readConfig(`configs/${server}.json`);
    expect(experiment.target).toMatchObject({ server, url: `redis://localhost:${port}/0` });
    expect(experiment.rounds.atLeast).toBeGreaterThanOrEqual(10);
    const plan = planRun([experiment]);
    const asked = plan.sides.flatMap(armsOf);
    const deciding = asked.filter(
      ({ client, preset, pools, threads }) =>
        client === 'ioredis' && preset === 'optimized' && pools === threads,
    );
    expect(deciding.map(({ pools, workers }) => `${pools} ${workers}`).sort()).toEqual(
      [1, 2, 4].flatMap(pools => [10, 50, 100, 200].map(workers => `${pools} ${workers}`)).sort(),
    );
    // Beside them: pools that share a thread, pools with a lock, and the bound.
    const rest = asked.filter(arm => !deciding.includes(arm));
    expect(rest.map(({ workers }) => workers)).toEqual(rest.map(() => 100));
    expect(new Set(rest.map(({ client, preset }) => `${client} ${preset}`))).toEqual(
      new Set(['ioredis optimized', 'ioredis baseline', 'wire optimized']),
    );
    // An arm takes some 0.65 s a round, and the first look is to come within two and a half minutes.
    expect(plan.sides.flatMap(({ scenarios }) => scenarios).length).toBeLessThanOrEqual(24);
  });

  test('smoke.json takes less than 15 s, and is plain JSON for scripts', async () => {
    expect(JSON.parse(await readFile('configs/smoke.json', 'utf8'))).toMatchObject({ name: 'smoke' });
    expect(secondsAtMost(planRun([await readConfig('configs/smoke.json')]))).toBeLessThan(15);
  });
});

describe('examples are valid and short', async () => {
  const names = readdirSync('configs/examples').filter(name => name.endsWith('.json'));

  test.each(names)('examples/%s is valid, points to the schema, and takes at most 30 s', async name => {
    const path = `configs/examples/${name}`;
    const text = await readFile(path, 'utf8');
    // Not read as a file: the certificates that tls.json names are made by its reader.
    const experiment = parseConfig(text, path);
    expect(experiment.$schema).toBe('../schema.json');
    expect(`${experiment.name}.json`).toBe(name);
    expect(secondsAtMost(planRun([experiment]))).toBeLessThanOrEqual(30);
  });
});

describe('connection examples are valid', async () => {
  const readme = await readFile('configs/README.md', 'utf8');

  /** Their certificates are made by their reader, so only what is in the configs can be looked at. */
  test.each(['tls', 'unix-socket', 'sentinel'])('%s.json is valid, short, and explained', async name => {
    const path = `configs/examples/${name}.json`;
    const text = await readFile(path, 'utf8');
    const experiment = parseConfig(text, path);
    expect(experiment.name).toBe(name);
    expect(experiment.$schema).toBe('../schema.json');
    expect(secondsAtMost(planRun([experiment]))).toBeLessThanOrEqual(30);
    expect(readme).toContain(`\`examples/${name}.json\``);
    // The commands that start its server are of the place that it names.
    const place = /:(\d+)\/|:\/\/(\/[^"?]+)/.exec(experiment.target.url);
    expect(readme).toMatch(new RegExp(`(--tls-port|--unixsocket|port) ${place?.[1] ?? place?.[2]}\\b`));
  });
});

describe('config schema file is fresh', async () => {
  test('configs/schema.json is what the code would write (npm run schema)', async () => {
    const written = await readFile(new URL('../../../configs/schema.json', import.meta.url), 'utf8');
    expect(written).toBe(renderJsonSchema());
  });
});

test('the first example of configs/README.md is a config', async () => {
  const readme = await readFile('configs/README.md', 'utf8');
  const [, example = ''] = /```jsonc\n(.*?)```/s.exec(readme) ?? [];
  expect(planRun([parseConfig(example, 'README.md')]).sides.map(armsOf)).toMatchObject([{ length: 6 }]);
});

describe('configs readme explains every key', async () => {
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
  // Those of a population are explained as those of a scenario and of the workload, from whose schemas they are made.
  const keys = keysOf(schema).filter(
    ({ path }) => !/^populations\[\]\.(?!(name|workload|sharesThreads)$)/.test(path),
  );
  const readme = await readFile(new URL('../../../configs/README.md', import.meta.url), 'utf8');
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
});
