import { access, constants, open, rm } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wrapText } from '../../aggregate/text/text-layout.ts';
import { foundInstead } from '../../workers/found-instead.ts';
import { PoolbenchError } from '../errors.ts';
import { configSchema } from './json-schema.ts';

const schemaFile = fileURLToPath(new URL('../../../configs/schema.json', import.meta.url));
const columns = 100;

/** The part of a JSON Schema that comments are made of. */
interface Described {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly anyOf?: readonly Described[];
}

/**
 * Writes a config with a comment on every key, as its schema describes it. Only its owner can read it: its URL may hold
 * a password.
 *
 * @param heading lines of a comment above all keys
 * @throws PoolbenchError USAGE if the file exists, RESULTS_NOT_WRITABLE if it cannot be written
 */
export async function writeConfig(
  path: string,
  config: object,
  heading: readonly string[] = [],
): Promise<void> {
  const $schema = relative(dirname(resolve(path)), schemaFile).replaceAll('\\', '/');
  await writeNewFile(path, renderConfig({ $schema, ...config }, heading));
}

/**
 * Writes a file that only its owner can read. Nothing is left of one that cannot be written whole.
 *
 * @throws PoolbenchError USAGE if it exists, RESULTS_NOT_WRITABLE if it cannot be written
 */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(text);
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    } finally {
      await file.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyExists(path);
    throw notWritable(path, cause);
  }
}

/**
 * Checks early, for work that takes long before it writes.
 *
 * @throws PoolbenchError USAGE if the file exists, RESULTS_NOT_WRITABLE if nothing can be written to its folder
 */
export async function expectNoFile(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) throw alreadyExists(path);
  try {
    await access(dirname(resolve(path)), constants.W_OK);
  } catch (cause) {
    throw notWritable(path, cause);
  }
}

function notWritable(path: string, cause: unknown): PoolbenchError {
  return new PoolbenchError(
    'RESULTS_NOT_WRITABLE',
    `${path}: expected a folder in which it can be written, found ${foundInstead(cause, 'folder')}; create the folder, or name another file`,
    { cause },
  );
}

function alreadyExists(path: string): PoolbenchError {
  return new PoolbenchError('USAGE', `${path} already exists and is not overwritten; name another file`);
}

/** A config as text, with a comment on every key. */
export function renderConfig(config: object, heading: readonly string[]): string {
  const comment = heading.flatMap(line => wrapText(line, columns, '// '));
  return [...comment, renderObject(config, configSchema() as Described, ''), ''].join('\n');
}

function renderObject(value: object, schema: Described | undefined, indent: string): string {
  const inner = `${indent}  `;
  const entries = Object.entries(value).map(([key, item]) => {
    const described = schema?.properties?.[key];
    const comment =
      described?.description === undefined ? [] : wrapText(described.description, columns, `${inner}// `);
    return [...comment, `${inner}${JSON.stringify(key)}: ${renderValue(item, described, inner)}`].join('\n');
  });
  return `{\n${entries.join(',\n')}\n${indent}}`;
}

function renderValue(value: unknown, schema: Described | undefined, indent: string): string {
  if (Array.isArray(value) && value.length === 1 && schema?.items?.properties !== undefined)
    return `[${renderObject(value[0], schema.items, indent)}]`;
  if (typeof value === 'object' && value !== null && schema?.properties !== undefined)
    return renderObject(value, schema, indent);
  if (typeof value === 'string') return JSON.stringify(value);
  const takesOne = schema?.anyOf?.some(({ type }) => type !== 'array' && type !== 'null') === true;
  const [only] = takesOne && Array.isArray(value) && value.length === 1 ? value : [value];
  return JSON.stringify(only, null, 1)
    .replace(/\s*\n\s*/g, ' ')
    .replace(/^\[ | \]$/g, end => end.trim());
}
