import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { toPlainLines } from '../../aggregate/text/format.ts';
import { foundInstead } from '../../workers/found-instead.ts';
import { asTypedHere, quote } from '../command-words.ts';
import { firstLine, PoolbenchError } from '../errors.ts';
import { checkConfig } from '../experiment/read-config.ts';
import { renderConfig, writeConfig } from '../experiment/write-config.ts';
import { importDefinition } from '../import/import-definition.ts';

/**
 * `poolbench import SPEC.yml`: writes a config from a test definition of redis-benchmarks-specification. Its heading
 * lists what could not be converted. Without a file, the config goes to standard output.
 *
 * @returns the exit code
 * @throws PoolbenchError CONFIG_MISSING, CONFIG_INVALID, USAGE if the file exists, RESULTS_NOT_WRITABLE
 */
export async function importSpec(path: string, file: string | undefined): Promise<number> {
  const { config, notes } = importDefinition(await readYaml(path), path);
  checkConfig(config, path);
  const heading = [
    `Imported from ${basename(path)}. poolbench chooses the names and contents of the keys.`,
    ...notes.map(note => `- ${note}`),
  ];
  if (file === undefined) {
    process.stdout.write(renderConfig(config, heading));
    return 0;
  }
  await writeConfig(file, config, heading);
  const lines = [`Written: ${file}`, ...heading.slice(1), `To run it: ${asTypedHere(quote(file))}`];
  process.stderr.write(`${toPlainLines(lines.join('\n'))}\n`);
  return 0;
}

/** @throws PoolbenchError CONFIG_MISSING, CONFIG_INVALID */
async function readYaml(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new PoolbenchError(
      'CONFIG_MISSING',
      `${path}: expected a test definition in YAML, found ${foundInstead(cause)}`,
      { cause },
    );
  }
  try {
    return parse(text);
  } catch (cause) {
    // Its other lines quote the file.
    const fault = firstLine(cause).replace(/:$/, '');
    throw new PoolbenchError('CONFIG_INVALID', `${path}: expected YAML, found a fault in it: ${fault}`, {
      cause,
    });
  }
}
