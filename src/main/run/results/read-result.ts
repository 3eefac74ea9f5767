import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { resultName } from '../../../aggregate/report/files/result-files.ts';
import {
  type MeasuredResult,
  type Result,
  type RoundResult,
  resultSchema,
} from '../../../aggregate/result.ts';
import { maxConfigCharacters } from '../../../aggregate/scenario/schema-parts.ts';
import { digitsOf, whyNoHistogram } from '../../../aggregate/stats/histogram-decoder.ts';
import { withPooledTails } from '../../../aggregate/stats/summary.ts';
import { foundInstead } from '../../../workers/found-instead.ts';
import { asTypedHere, quote } from '../../command-words.ts';
import { asError, PoolbenchError } from '../../errors.ts';
import { parseJsonText } from '../../experiment/json-text.ts';

const what = 'the result.json of a run, or its folder';

/** How many results below a folder a message lists. */
const maxListed = 10;

/** What a user can type for folders with results, as lines. */
type LinesFor = (folders: readonly string[]) => readonly string[] | Promise<readonly string[]>;

/** The result.json for a path: the file itself, or the one in that folder. @throws PoolbenchError as `resultIn` */
export async function findResult(path: string, linesFor: LinesFor): Promise<string> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory();
  return isFolder ? await resultIn(path, linesFor) : path;
}

/**
 * The path of the result.json of a folder, whether or not it exists.
 *
 * @param linesFor makes the lines for the folders below this one, if only they have results, as after a versus or a search
 * @throws PoolbenchError RESULT_INVALID in this case
 */
export async function resultIn(folder: string, linesFor: LinesFor): Promise<string> {
  const file = join(folder, resultName);
  if (existsSync(file)) return file;
  const folders = (await readdir(folder).catch(() => []))
    .map(name => join(folder, name))
    .filter(below => existsSync(join(below, resultName)))
    .toSorted();
  if (folders.length === 0) return file;
  // The names of runs begin with their times.
  const listed = folders.slice(-maxListed);
  const others = folders.length > listed.length ? ` (the last ${listed.length} of ${folders.length})` : '';
  const lines = (await linesFor(listed)).map(line => `\n  ${line}`);
  const use = lines.length === 0 ? '; nothing is left to do in them' : `. Use:${lines.join('')}`;
  throw invalid(folder, `${what}, found results only in folders below it${others}${use}`);
}

/**
 * Every result.json below a folder. Links to folders are not followed, because they can form a cycle.
 *
 * @throws PoolbenchError RESULT_INVALID
 */
export async function findResults(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(error => {
    throw invalid(folder, `a folder with results below it, found ${foundInstead(error, 'folder')}`);
  });
  return entries
    .filter(entry => entry.isFile() && entry.name === resultName)
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}

/**
 * Reads a result.json from any source, and checks it against its schema and its histograms for decodability.
 *
 * @throws PoolbenchError RESULT_INVALID
 */
export async function readResult(file: string): Promise<Result> {
  const result = await readChecked(file, resultSchema, what);
  for (const scenario of result.scenarios) {
    const wrong = findNoHistogram(scenario);
    if (wrong !== undefined) throw invalid(file, `${what}, found at ${wrong}`);
  }
  return { ...result, scenarios: result.scenarios.map(withTails) };
}

/** How far a run came, and what it left; undefined if the file is no result. */
export async function readRunState(
  file: string,
): Promise<Pick<Result, 'complete' | 'session' | 'target' | 'keyClaims'> | undefined> {
  if (!existsSync(file)) return undefined;
  const keys = resultSchema.pick({ complete: true, session: true, target: true, keyClaims: true });
  return await readChecked(file, keys, what).catch(() => undefined);
}

/** Results before 0.6, and of a run that was killed, have the histograms of their pooled tails, but not the figures. */
function withTails(scenario: MeasuredResult): MeasuredResult {
  const { summary, rounds } = scenario;
  const isKnown = summary === null || summary.pooledResponseP99 !== undefined;
  return isKnown ? scenario : { ...scenario, summary: withPooledTails(summary, rounds) };
}

/** All outputs need histograms that can be decoded and, within a scenario, added. */
function findNoHistogram({ id, rounds }: MeasuredResult): string | undefined {
  const digits = new Map<string, number>();
  for (const round of rounds) {
    for (const [name, text] of histogramsOf(round)) {
      const where = `histogram ${name} of ${id}, round ${round.round}`;
      const found = whyNoHistogram(text);
      if (found !== null) return `${where}: ${found}`;
      const own = digitsOf(text);
      const before = digits.get(name) ?? own;
      if (own !== before) return `${where}: ${own} digits, in rounds before it ${before}`;
      digits.set(name, own);
    }
  }
  return undefined;
}

function histogramsOf({ histograms, openLoop }: RoundResult): [name: string, text: string][] {
  return Object.entries({ ...histograms, ...(openLoop === null ? {} : { lag: openLoop.lagHistogram }) });
}

/** A parsed file takes several times as much memory. */
const maxBytes = 256 * 2 ** 20;

/** No file from poolbench comes near these limits; one that exceeds them would exhaust memory or time. */
const maxLevels = 32;
const maxListLength = 100_000;
const maxKeys = 1000;
/** A result has the texts of its config. */
const maxTextLength = maxConfigCharacters;
const maxHistogramLength = 512 * 1024;

/** Keys whose values are encoded histograms. */
const histogramKeys: ReadonlySet<string> = new Set(['service', 'response', 'lagHistogram']);
/** Properties that every object inherits: a key with such a name would be mistaken for the property, or change it. */
const isInherited = (key: string) => Object.hasOwn(Object.prototype, key);

/**
 * Reads a JSON file of poolbench that may come from any source: it is checked against its schema, and against limits
 * that poolbench's own files never approach.
 *
 * @param what completes "expected …" in the message
 * @throws PoolbenchError RESULT_INVALID
 */
export async function readChecked<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  what: string,
): Promise<z.output<Schema>> {
  const parsed = await parse(file, what);
  const excess = findExcess(parsed);
  if (excess !== null) throw invalid(file, `${what}, found at ${excess}`);
  const checked = schema.safeParse(parsed);
  if (checked.success) return checked.data;
  if (isConfig(parsed)) throw invalid(file, `${what}, found ${aConfig(file)}`);
  const [first] = checked.error.issues;
  throw invalid(file, `${what}, of schemaVersion 1, found ${describeIssue(first, parsed)}`);
}

/** The first fault of a file: a key that is missing, as in a file of another kind, or a wrong value. */
function describeIssue(issue: z.core.$ZodIssue | undefined, parsed: unknown): string {
  const path = issue?.path ?? [];
  const where = path.join('.');
  const value = path.reduce<unknown>(
    (inside, key) => (inside as Record<PropertyKey, unknown> | null | undefined)?.[key],
    parsed,
  );
  return value === undefined ? `no ${where}` : `at ${where || 'its top'}: ${issue?.message}`;
}

async function parse(file: string, what: string): Promise<unknown> {
  let text: string;
  try {
    const stats = await stat(file);
    // A device may never end.
    if (!stats.isFile()) throw invalid(file, `${what}, found no regular file`);
    if (stats.size > maxBytes) {
      throw invalid(
        file,
        `${what}, of at most ${maxBytes / 2 ** 20} MiB, found ${Math.ceil(stats.size / 2 ** 20)} MiB`,
      );
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof PoolbenchError) throw error;
    throw invalid(file, `${what}, found ${foundInstead(error)}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(file, `${what}, found ${describeNoResult(text, file)}`);
  }
}

/** What a text that is no JSON is: its first fault, or a config, which may have comments. */
function describeNoResult(text: string, file: string): string {
  // Half of a large result would exceed the limits of a config.
  if (text.length > maxConfigCharacters) return 'text that is not valid JSON';
  try {
    const { value } = parseJsonText(text, file);
    return isConfig(value) ? aConfig(file) : 'JSON with comments or trailing commas';
  } catch (error) {
    return asError(error).message.replace(`${file}:`, 'at ').replace(/\.$/, '');
  }
}

const isConfig = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'scenarios' in value && !('schemaVersion' in value);

const aConfig = (file: string) => `a config; to run it: ${asTypedHere(quote(file))}`;

/** RESULT_INVALID, with what was expected and what was found. */
function invalid(file: string, expectedAndFound: string): PoolbenchError {
  return new PoolbenchError('RESULT_INVALID', `${file}: expected ${expectedAndFound}`);
}

/**
 * The first part of parsed JSON that is deeper, longer or larger than anything poolbench writes; null if there is none.
 */
function findExcess(parsed: unknown): string | null {
  const open: { readonly value: unknown; readonly path: readonly string[] }[] = [{ value: parsed, path: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    const found = whyTooMuch(value, path);
    if (found !== null) return `${path.join('.').slice(0, 200) || 'its top'}: ${found}`;
    if (typeof value !== 'object') continue;
    for (const [key, member] of Object.entries(value ?? {})) {
      // Nearly all members are such numbers: skipping them saves time.
      if (typeof member === 'number' && Number.isFinite(member) && !isInherited(key)) continue;
      open.push({ value: member, path: [...path, key] });
    }
  }
  return null;
}

function whyTooMuch(value: unknown, path: readonly string[]): string | null {
  const key = path.at(-1) ?? '';
  if (isInherited(key)) return `the key "${key}"`;
  if (key.length > maxTextLength) return `a key of more than ${maxTextLength} characters`;
  if (typeof value === 'string') {
    const maxLength = histogramKeys.has(key) ? maxHistogramLength : maxTextLength;
    return value.length > maxLength ? `a text of ${value.length} characters, of at most ${maxLength}` : null;
  }
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'a number that is not finite';
  if (typeof value !== 'object' || value === null) return null;
  if (path.length >= maxLevels) return `more than ${maxLevels} levels`;
  if (Array.isArray(value)) {
    return value.length > maxListLength ? `a list of ${value.length}, of at most ${maxListLength}` : null;
  }
  const keys = Object.keys(value).length;
  return keys > maxKeys ? `an object of ${keys} keys, of at most ${maxKeys}` : null;
}
