import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** What each folder may import besides itself; `types` for what it may know but not call. */
const allowed: Record<string, { code: readonly string[]; types: readonly string[] }> = {
  main: { code: ['workers', 'pool', 'aggregate'], types: [] },
  workers: { code: ['pool'], types: [] },
  pool: { code: [], types: [] },
  // The samples that threads hand back are aggregate's input.
  aggregate: { code: [], types: ['workers', 'pool'] },
};

/** The same for the folders of main. Files of main itself are for all of them. */
const allowedInMain: typeof allowed = {
  cli: { code: ['agents', 'run', 'live', 'server', 'experiment', 'import'], types: [] },
  import: { code: ['experiment'], types: [] },
  // Loaded only when it is asked for: it brings BullMQ.
  agents: { code: ['run', 'server', 'experiment'], types: [] },
  run: { code: ['live', 'server', 'experiment', 'machine'], types: [] },
  machine: { code: [], types: [] },
  live: { code: [], types: [] },
  experiment: { code: ['server'], types: [] },
  // It is handed a part of an experiment.
  server: { code: [], types: ['experiment'] },
};

interface Import {
  readonly file: string;
  /** The file that is imported. */
  readonly path: string;
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function imports(): Import[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(file =>
    file.endsWith('.ts'),
  );
  return files.flatMap(file => {
    const text = readFileSync(join(source, file), 'utf8');
    const found = text.matchAll(/^(?:import|export)( type)?[^;]*?from '(\.[^']+)'|import\('(\.[^']+)'\)/gm);
    return [...found].map(([, type, named, dynamic]) => {
      const path = relative(source, join(source, dirname(file), named ?? dynamic ?? ''));
      return { file, path, from: folder(file), to: folder(path), typeOnly: type !== undefined };
    });
  });
}

const folder = (path: string) => path.split('/')[0] ?? '';

type Way = Pick<Import, 'from' | 'to' | 'typeOnly'>;

function isAgainst(rules: typeof allowed, { from, to, typeOnly }: Way): boolean {
  const rule = rules[from];
  return from !== to && !rule?.code.includes(to) && !(typeOnly && rule?.types.includes(to));
}

test('imports run one way: main to workers to pool, and main to aggregate', () => {
  const found = imports();
  expect(found.length).toBeGreaterThan(100);
  expect(found.filter(one => isAgainst(allowed, one))).toEqual([]);
});

test('inside main they run from the command line to the run, and from there to what it is made of', () => {
  const subfolder = (path: string) => /^main\/(\w+)\//.exec(path)?.[1];
  const found = imports().flatMap(({ file, path, typeOnly }) => {
    const [from, to] = [subfolder(file), subfolder(path)];
    return from === undefined || to === undefined ? [] : [{ file, path, from, to, typeOnly }];
  });
  expect(found.length).toBeGreaterThan(100);
  expect(found.filter(one => isAgainst(allowedInMain, one))).toEqual([]);
});

test('no file imports itself by way of others, not even for a type', () => {
  const imported = new Map<string, string[]>();
  for (const { file, path } of imports()) imported.set(file, [...(imported.get(file) ?? []), path]);
  const finished = new Set<string>();
  const visit = (file: string, way: readonly string[]): string[][] => {
    if (way.includes(file)) return [[...way.slice(way.indexOf(file)), file]];
    if (finished.has(file)) return [];
    const circles = (imported.get(file) ?? []).flatMap(path => visit(path, [...way, file]));
    finished.add(file);
    return circles;
  };
  expect([...imported.keys()].flatMap(file => visit(file, []))).toEqual([]);
});
