import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Result } from '../../aggregate/result.ts';
import { asError, PoolbenchError } from '../errors.ts';
import type { Experiment } from './experiment.ts';
import { checkModule } from './user-modules.ts';
import type { WorkloadConfig } from './workload.ts';

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
  for (const { key, workload } of workloadsOf(experiment)) {
    if (workload.script === null) continue;
    try {
      await checkModule({ kind: 'script', file: resolve(workload.script) });
    } catch (cause) {
      throw new PoolbenchError(
        'CONFIG_INVALID',
        `${key}.script: expected a module whose default export is a function, such as export default async ({ client, key }) => …, found ${workload.script}: ${asError(cause).message}`,
        { cause },
      );
    }
  }
}

/** What results store about these files, without the modules that a script imports. Undefined without files. */
export async function describeFiles(experiment: Workloads): Promise<Result['files']> {
  const files: NonNullable<Result['files']> = [];
  for (const { key, workload } of workloadsOf(experiment))
    for (const fileKey of fileKeys) {
      const path = valueAt(workload, fileKey);
      if (typeof path !== 'string') continue;
      const sha256 = createHash('sha256')
        .update(await readFile(resolve(path)))
        .digest('hex');
      files.push({ key: [key, ...fileKey].join('.'), file: basename(path), sha256 });
    }
  return files.length === 0 ? undefined : files;
}

type Workloads = Pick<Experiment, 'workload' | 'populations'>;

/** The workloads of an experiment, each with its key in the config. */
function workloadsOf({ workload, populations }: Workloads) {
  const ofPopulations = populations.flatMap(({ workload }, index) =>
    workload === null ? [] : [{ key: `populations[${index}].workload`, workload }],
  );
  return [{ key: 'workload', workload }, ...ofPopulations] satisfies { workload: WorkloadConfig }[];
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
