import { rmdirSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ResultComparison } from '../../../aggregate/comparison/schema.ts';
import { comparisonDocument } from '../../../aggregate/report/documents/comparison.ts';
import { renderGatesJunit } from '../../../aggregate/report/files/junit.ts';
import type { ResultFile } from '../../../aggregate/report/files/result-files.ts';
import { renderComparisonPage } from '../../../aggregate/report/html/comparison-page.ts';
import { renderMarkdown } from '../../../aggregate/report/markdown.ts';
import { foundInstead } from '../../../workers/found-instead.ts';
import { asShortage, PoolbenchError } from '../../errors.ts';

/**
 * Creates the folder of a run, `<UTC time>-<name>` in `parent`, before any load, so that results can be written.
 * @throws PoolbenchError RESULTS_NOT_WRITABLE
 */
export async function createResultsFolder(parent: string, name: string, startedAt: Date): Promise<string> {
  const stamp = startedAt
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
  try {
    await makeFolder(resolve(parent));
    for (let attempt = 1; ; attempt++) {
      const folder = join(parent, `${stamp}-${name}${attempt === 1 ? '' : `-${attempt}`}`);
      try {
        await mkdir(folder);
        return folder;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST' || attempt === 100) throw error;
      }
    }
  } catch (error) {
    throw notWritable(parent, error);
  }
}

/**
 * Creates folders in that of a run, such as one for each side.
 * @throws PoolbenchError RESULTS_NOT_WRITABLE
 */
export async function createPartFolders(folder: string, names: readonly string[]): Promise<string[]> {
  // A config may also be named "." or "..".
  const folders = names.map(name => join(folder, /^\.+$/.test(name) ? `side${name}` : name));
  try {
    for (const part of folders) await mkdir(part);
    return folders;
  } catch (error) {
    throw notWritable(folder, error);
  }
}

/** Which files were written, and the error that prevented the others. */
export interface Written {
  /** Names of files in the folder. */
  readonly paths: readonly string[];
  /** RESULTS_NOT_WRITABLE. */
  readonly error: PoolbenchError | undefined;
}

/**
 * Writes files one after another, up to the first that cannot be written. An error while rendering is a defect and is
 * thrown as it is.
 */
export async function writeAsFarAsPossible(folder: string, files: readonly ResultFile[]): Promise<Written> {
  const paths: string[] = [];
  for (const { path, render } of files) {
    const text = render();
    try {
      const file = join(folder, path);
      if (path.includes('/')) await makeFolder(dirname(file));
      await replaceFile(file, text);
    } catch (error) {
      return { paths, error: notWritable(folder, error) };
    }
    paths.push(path);
  }
  return { paths, error: undefined };
}

/** Writes files one after another. @throws PoolbenchError RESULTS_NOT_WRITABLE */
export async function writeFiles(folder: string, files: readonly ResultFile[]): Promise<void> {
  const { error } = await writeAsFarAsPossible(folder, files);
  if (error !== undefined) throw error;
}

/** A file of plain data. */
export function jsonFile(path: string, data: unknown): ResultFile {
  return { path, render: () => `${JSON.stringify(data, null, 1)}\n` };
}

/** The name of the file of a comparison. */
export const comparisonName = 'comparison.json';

/** The folder with the figures of a search, in that of the search. */
export const stepsName = 'steps';

/**
 * Writes `comparison.json`, `comparison.md` and `comparison.html`, and `junit.xml` if there are gates.
 *
 * @returns the names of the files for a message
 * @throws PoolbenchError RESULTS_NOT_WRITABLE
 */
export async function writeComparison(folder: string, comparison: ResultComparison): Promise<string> {
  const junit = renderGatesJunit(comparison);
  await writeFiles(folder, [
    jsonFile(comparisonName, comparison),
    { path: 'comparison.md', render: () => renderMarkdown(comparisonDocument(comparison)) },
    { path: 'comparison.html', render: () => renderComparisonPage(comparison) },
    ...(junit === null ? [] : [{ path: 'junit.xml', render: () => junit }]),
  ]);
  return `comparison.json, .md and .html${junit === null ? '' : ', junit.xml'}`;
}

/** As `mkdir` with `recursive`, which in Node 20 never returns for a folder in /proc. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || (await stat(parent).catch(() => undefined)) !== undefined) throw error;
    await makeFolder(parent);
    await mkdir(path);
  }
}

/**
 * Writes a file atomically: readers never see half of it, and a full disk or a crash leaves the earlier file intact,
 * because the new file is on the disk before it gets the name.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  try {
    // Remains of a killed run are removed; a link from someone else's results is not followed.
    await rm(part, { force: true });
    await writeFile(part, text, { flag: 'wx', flush: true });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
}

/** RESULTS_NOT_WRITABLE, with the reason and what to do. */
export function notWritable(folder: string, error: unknown): PoolbenchError {
  const shortage = asShortage(error);
  // Exit code and advice depend on the shortage; a full disk is that of this folder.
  if (shortage?.code === 'TARGET_TOO_SMALL') return shortage;
  return new PoolbenchError(
    'RESULTS_NOT_WRITABLE',
    `expected a folder for results that can be written at ${folder}, found ${foundInstead(error, 'folder')}; give another with --out DIR`,
  );
}

/** Such as ENOENT. */
function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Removes empty folders, the last one first, so that a run that measured nothing leaves no folder behind.
 *
 * @returns whether any of them remains
 */
export function removeEmptyFolders(folders: readonly string[]): boolean {
  let anyLeft = false;
  for (const folder of folders.toReversed()) {
    try {
      // A folder named "." is never removed.
      rmdirSync(resolve(folder));
    } catch (error) {
      // It contains results, is a mount point, or is on a read-only disk: none of these may replace the error that
      // ended the run.
      if (codeOf(error) !== 'ENOENT') anyLeft = true;
    }
  }
  return anyLeft;
}
