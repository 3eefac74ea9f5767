import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Result } from '../../aggregate/result.ts';
import { type Workloads, workloadsOf } from '../../aggregate/scenario/beside.ts';
import { foundInstead } from '../../workers/found-instead.ts';
import { lengthOf, readReplay } from '../../workers/workload/replay.ts';
import { asError, PoolbenchError } from '../errors.ts';
import { checkModule } from './user-modules.ts';

/** Files that workloads name: scripts, the order of recordings, values. */

/** The keys of a workload that name one. */
const fileKeys = [['script'], ['replay'], ['valueBytes', 'path']] as const;

/**
 * The input of a config with the paths of its workload files relative to here instead of the config's folder. This
 * happens before validation, which includes the sizes of the values.
 */
export function locateWorkloadFiles(input: unknown, configPath: string): unknown {
  const locate = (path: string) => (path === '' || isAbsolute(path) ? path : join(dirname(configPath), path));
  const locateIn = (whole: unknown) =>
    fileKeys.reduce((located, key) => changeText(located, ['workload', ...key], locate), whole);
  const populations = valueAt(input, ['populations']);
  const located = locateIn(input);
  return Array.isArray(populations)
    ? { ...(located as object), populations: populations.map(locateIn) }
    : located;
}

/**
 * Loads the scripts of an experiment, so that errors in them show before the load.
 *
 * @throws PoolbenchError CONFIG_INVALID
 */
export async function expectScripts(experiment: Workloads): Promise<void> {
  for (const { key, kind, path } of filesOf(experiment)) {
    if (kind !== 'script') continue;
    try {
      await checkModule({ kind: 'script', file: resolve(path) });
    } catch (cause) {
      throw new PoolbenchError(
        'CONFIG_INVALID',
        `${key}: expected a module whose default export is a function, such as export default async ({ client, key }) => …, found ${path}: ${asError(cause).message}`,
        { cause },
      );
    }
  }
}

/**
 * The hashes of these files, without the modules that a script imports.
 *
 * @throws PoolbenchError CONFIG_INVALID for a file that cannot be read
 */
export async function hashFiles(config: Workloads) {
  return await Promise.all(
    filesOf(config).map(async file => {
      const bytes = await readFile(resolve(file.path)).catch((cause: unknown) => {
        throw new PoolbenchError(
          'CONFIG_INVALID',
          `${file.key}: expected the file ${resolve(file.path)}, found ${foundInstead(cause)}; restore it, or resume the run from the folder in which it was started`,
          { cause },
        );
      });
      return { ...file, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

/** What results store about these files. Undefined without files. @throws as `hashFiles` */
export async function describeFiles(experiment: Workloads): Promise<Result['files']> {
  const files = (await hashFiles(experiment)).map(({ key, kind, path, sha256 }) => {
    const length = kind === 'replay' ? lengthOf(readReplay(resolve(path))) : undefined;
    const recorded = length === undefined ? {} : { recordedSeconds: length / 1e6 };
    return { key, file: basename(path), sha256, ...recorded };
  });
  return files.length === 0 ? undefined : files;
}

/** The files that the workloads of a config name, each with its key in the config. */
function filesOf(config: Workloads) {
  return workloadsOf(config).flatMap(({ key, workload }) =>
    fileKeys.flatMap(fileKey => {
      const path = valueAt(workload, fileKey);
      return typeof path === 'string' ? [{ key: [key, ...fileKey].join('.'), kind: fileKey[0], path }] : [];
    }),
  );
}

/** Undefined if there is none. */
function valueAt(section: unknown, path: readonly string[]): unknown {
  return path.reduce((found, key) => (isSection(found) ? found[key] : undefined), section);
}

/** The section with the text at a path changed; as it is if there is no text. */
function changeText(
  section: unknown,
  [key = '', ...further]: readonly string[],
  change: (text: string) => string,
): unknown {
  if (!isSection(section)) return section;
  const found = section[key];
  if (further.length === 0) return typeof found === 'string' ? { ...section, [key]: change(found) } : section;
  return isSection(found) ? { ...section, [key]: changeText(found, further, change) } : section;
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
