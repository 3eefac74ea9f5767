import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { parseJsonText } from '../../../src/main/experiment/json-text.ts';
import { applyOverrides } from '../../../src/main/experiment/overrides.ts';
import { parseConfig, readConfig } from '../../../src/main/experiment/read-config.ts';
import { outlineOf } from '../../support/config-faults.ts';

describe('invalid JSON is refused with line and column', () => {
  function refusal(text: string): string {
    try {
      parseJsonText(text, 'a.json');
    } catch (error) {
      if (error instanceof PoolbenchError && error.code === 'CONFIG_INVALID') return error.message;
      throw error;
    }
    throw new Error('Expected a refusal');
  }

  test.each([
    ['an empty file', '', '1:1', 'found the end of the file'],
    ['an unexpected end', '{\n  "a": [1,\n  2', '3:4', "',' ']' found the end of the file"],
    ['a missing comma', '{\r\n  "a": 1\r\n  "b": 2\r\n}', '3:3', `',' '}' found '"'`],
    ['a missing colon', '{"a" 1}', '1:6', "':' found '1'"],
    ['a missing value', '{"a": }', '1:7', "found '}'"],
    ['a bare key', '{\n\n a: 1}', '3:2', "'}' found a word without quotes"],
    ['single quotes', "{'a': 1}", '1:2', "'}' found '''"],
    ['a word', '{"a": treu}', '1:7', 'found a word without quotes'],
    ['a word too long', '[nullx]', '1:2', "']' found a word without quotes"],
    ['a leading zero', '[01]', '1:3', "',' ']' found '1'"],
    ['a number that ends in a dot', '[1.]', '1:4', "found ']'"],
    ['a number that ends in its exponent', '[1e+]', '1:5', "found ']'"],
    ['a lonely minus', '[-]', '1:2', "']' found '-'"],
    ['a line break in a string', '["a\nb"]', '1:4', 'found a line break'],
    ['a tab in a string', '["a\tb"]', '1:4', 'found a control character'],
    ['an unknown escape', '["C:\\dir"]', '1:5', ''],
    ['an open string', '{"a": "b', '1:9', 'found the end of the file'],
    ['a comma without a value', '[,]', '1:2', "']' found ','"],
    ['two commas', '{"a": 1,\r\n,}', '2:1', "'}' found ','"],
    ['a key without a value', '{"a", "b": 1}', '1:5', "':' found ','"],
    ['a comment without end', '{\n  /* why\n}', '2:3', '"*/" found the end of the file'],
    ['a comment of another language', '{\n  # why\n}', '2:3', "'}' found '#'"],
    ['something after the end', '{}\n}', '2:1', "found '}'"],
    ['no end of lists', '['.repeat(200_000), '1:101', '100'],
    ['no end of objects', '{"a":'.repeat(100_000), '1:501', '100'],
  ])('%s', (_, text, position, fault) => {
    const [, place, found = ''] = /^a\.json:(\S+): not valid JSON: (.*)\.$/s.exec(refusal(text)) ?? [];
    expect([place, outlineOf(found)]).toEqual([position, fault]);
  });

  test('valid JSON of any kind is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 1, 2), (text, indent) => {
        const value: unknown = JSON.parse(text);
        const spaced = JSON.stringify(value, null, indent);
        expect(parseJsonText(spaced, 'a.json').value).toEqual(JSON.parse(spaced));
      }),
      { seed: 1 },
    );
  });

  test('comments and trailing commas are allowed', () => {
    const text = `// what for
{
  /* of
     two lines */ "a": [1, 2,], // "not": "this"
  "b": "// no comment", "c": {/**/},
}
// the end`;
    expect(parseJsonText(text, 'a.json').value).toEqual({ a: [1, 2], b: '// no comment', c: {} });
  });

  test('a key given again is found where it is, and its last value counts', () => {
    const { value, repeatedKeys, offsetOf } = parseJsonText(
      '{"a": [{"b": 1,\n"\\u0062": 2, "b": 3}]}',
      'a.json',
    );
    expect(value).toEqual({ a: [{ b: 3 }] });
    expect(repeatedKeys).toEqual([
      { offset: 16, path: ['a', 0, 'b'] },
      { offset: 29, path: ['a', 0, 'b'] },
    ]);
    expect(offsetOf(['a', 0, 'b'])).toBe(34);
  });

  test('the syntax that JSON.parse refuses is refused with a position, whatever character is cut out or put in', () => {
    const damaged = fc.tuple(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.nat(3),
      fc.constantFrom('', '"', ',', '{', '}', '[', '0', '.', '-', '\\', '\n', 'e', ':', 'true'),
    );
    let refused = 0;
    fc.assert(
      fc.property(damaged, ([text, place, cut, put]) => {
        const at = place % (text.length + 1);
        const broken = text.slice(0, at) + put + text.slice(at + cut);
        let expected: unknown;
        try {
          expected = JSON.parse(withoutTrailingCommas(broken));
        } catch {
          refused++;
          expect(refusal(broken)).toMatch(/^a\.json:\d+:\d+: not valid JSON: /);
          return;
        }
        expect(parseJsonText(broken, 'a.json').value).toEqual(expected);
      }),
      { numRuns: 800, seed: 1 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  /** A comma in a string, or without a value before it, stays. */
  function withoutTrailingCommas(text: string): string {
    return text.replace(
      /("(?:[^"\\]|\\.)*")|(?<![[{,:]\s*),(?=\s*[\]}])/g,
      (_, string: string | undefined) => string ?? '',
    );
  }
});

describe('config messages hide passwords', () => {
  const secret = 's3cret';

  function messageOf(action: () => unknown): string {
    try {
      action();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('Expected a refusal');
  }

  const scenarios = [{}];
  const urls = [
    `redis://user:${secret}@host:0`,
    `redis://user:${secret}@host/db`,
    `redis://user:${secret}`.concat('@x@host:port'),
    `redis:/user:${secret}@host`,
    `http://:${secret}@host`,
    `user:${secret}@host`,
    `unix://user:${secret}@relative.sock`,
    `redis://host?password=${secret}`,
  ];

  test.each(urls)('%s', url => {
    const config = { name: 'a', target: { server: 'redis', url }, scenarios };
    expect(messageOf(() => parseConfig(JSON.stringify(config), 'a.json'))).not.toContain(secret);

    const misplaced = {
      name: url,
      target: url,
      scenarios: [{ workers: [url], pool: { url } }],
      workload: [url],
    };
    expect(messageOf(() => parseConfig(JSON.stringify(misplaced), 'a.json'))).not.toContain(secret);

    const key = JSON.stringify(url);
    const repeated = `{ ${key}: 1, ${key}: 2, // ${url}\n }`;
    expect(messageOf(() => parseConfig(repeated, 'a.json'))).toContain('given twice');
    expect(messageOf(() => parseConfig(repeated, 'a.json'))).not.toContain(secret);

    const broken = JSON.stringify(config).replace('"scenarios"', 'scenarios');
    expect(messageOf(() => parseConfig(broken, 'a.json'))).not.toContain(secret);

    const good = parseConfig(
      '{"name":"a","target":{"server":"redis","url":"redis://h"},"scenarios":[{}]}',
      'a.json',
    );
    expect(messageOf(() => applyOverrides(good, { url }))).not.toContain(secret);
  });
});

describe('a missing config', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poolbench-configs-'));
    await writeFile(join(folder, 'valkey.json'), '{}');
    await writeFile(join(folder, 'night.json'), '{}');
    await writeFile(join(folder, 'schema.json'), '{}');
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('a misspelt config gets a suggestion and the list of its neighbours', async () => {
    const path = join(folder, 'valky.json');
    await expect(readConfig(path)).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      exitCode: 2,
      message: expect.stringContaining(
        `${join(folder, 'valkey.json')}?). In ${folder} there are: night.json, valkey.json.`,
      ),
    });
  });
  test.each(['utf16le', 'latin1'] as const)(
    'UTF-16 is named as such, in either order of bytes (%s)',
    async encoding => {
      const path = join(folder, 'utf16.txt');
      const text = encoding === 'utf16le' ? '\uFEFF{}' : '\xFE\xFF\0{\0}';
      await writeFile(path, Buffer.from(text, encoding));
      await expect(readConfig(path)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/UTF-16; save it as UTF-8/),
      });
    },
  );

  test('if there is no such folder, the configs of ./configs are listed', async () => {
    await expect(readConfig('nowhere/redis.json')).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      message: expect.stringMatching(
        /nowhere\/redis\.json \(.* configs\/redis\.json\?\)\. In configs .*smoke\.json/,
      ),
    });
  });

  test('a folder is not a config, but may hold some', async () => {
    await expect(readConfig(folder)).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      message: expect.stringMatching(/folder: .*: night\.json, valkey\.json\.$/),
    });
  });

  test('a folder above configs is not a config, but names those', async () => {
    await mkdir(join(folder, 'above', 'configs'), { recursive: true });
    await writeFile(join(folder, 'above', 'configs', 'day.json'), '{}');
    await expect(readConfig(join(folder, 'above'))).rejects.toThrow(/In .*configs there are: day\.json\.$/);
  });

  test.each([
    ['its result.json', 'result.json', 'CONFIG_INVALID'],
    ['its folder', '', 'CONFIG_MISSING'],
  ])('the result of a run is no config, which one line says: %s', async (_, file, code) => {
    const run = await mkdtemp(join(folder, 'run-'));
    const result = { schemaVersion: 1, target: {}, scenarios: [{ id: 'x' }], claims: [] };
    await writeFile(join(run, 'result.json'), JSON.stringify(result));
    await expect(readConfig(join(run, file))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`^.*results.*: ${join(run, file)}\\. .* report RESULT\\.$`)),
    });
  });

  test('links that lead in a circle are no config', async () => {
    const path = join(folder, 'circle');
    await symlink('circle', path);
    await expect(readConfig(path)).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      message: expect.stringMatching(new RegExp(`links.*: ${path}\\.$`)),
    });
  });

  test('a folder without configs is named, with the command that writes one', async () => {
    const empty = await mkdtemp(join(folder, 'empty-'));
    await expect(readConfig(empty)).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      message: expect.stringMatching(new RegExp(`${empty}\\. .* init\\.$`)),
    });
  });

  test('files of TLS that are missing are listed with the other faults', async () => {
    const path = join(folder, 'night.json');
    const target = { server: 'any', url: 'rediss://h', tls: { ca: 'none.crt' }, cluster: 7 };
    await writeFile(path, JSON.stringify({ name: 'a b', target, scenarios: [{}] }));
    const message = await readConfig(path).then(String, String);
    await writeFile(path, '{}');
    expect(message).toMatch(/ 3 faults:\n.* name: .*\n.* target\.tls\.ca: .*none\.crt\n.* target\.cluster: /);
  });

  test('the faults of a file have its path', async () => {
    const path = join(folder, 'night.json');
    await expect(readConfig(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`3 faults:\n  ${path}:1:1: name: missing;`),
    });
  });
});
