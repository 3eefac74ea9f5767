import { dirname, isAbsolute, join } from 'node:path';

/**
 * The input of a config with the path of its file of values as seen from here: a config names it relative to its own
 * folder. That is done before anything is validated, as the sizes of the values are a part of it.
 */
export function locateValueFile(input: unknown, configPath: string): unknown {
  const workload = keyOf(input, 'workload');
  const valueBytes = keyOf(workload, 'valueBytes');
  const path = keyOf(valueBytes, 'path');
  if (typeof path !== 'string' || path === '' || isAbsolute(path)) return input;
  const located = { ...(valueBytes as object), path: join(dirname(configPath), path) };
  return { ...(input as object), workload: { ...(workload as object), valueBytes: located } };
}

function keyOf(section: unknown, key: string): unknown {
  if (typeof section !== 'object' || section === null || Array.isArray(section)) return undefined;
  return (section as Record<string, unknown>)[key];
}
