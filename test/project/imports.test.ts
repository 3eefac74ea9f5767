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

test('imports run one way: main to workers to pool, and main to aggregate', () => {
  const found = imports();
  const wrong = found.filter(({ from, to, typeOnly }) => {
    if (from === to) return false;
    const rule = allowed[from];
    return !rule?.code.includes(to) && !(typeOnly && rule?.types.includes(to));
  });
  expect(found.length).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
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
