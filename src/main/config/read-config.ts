import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PoolbenchError } from '../errors.ts';
import { readTrust } from '../target/tls.ts';
import { type Experiment, experimentSchema } from './experiment.ts';
import { explainIssues } from './explain-issues.ts';
import { nearest } from './nearest.ts';
import { parseJson } from './parse-json.ts';
import { locateTlsFiles } from './tls-paths.ts';
import { locateValueFile } from './value-path.ts';

/** Far more than a config needs: what is longer was not written as one. */
const mostCharacters = 2 ** 20;
/** Nobody reads more of them at once. */
const mostFaults = 50;

/**
 * Reads and validates a config file, and looks whether the files that it names can be used.
 *
 * @throws CONFIG_MISSING if it cannot be read, CONFIG_INVALID with every fault that it has
 */
export async function readConfig(path: string): Promise<Experiment> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new PoolbenchError(
      'CONFIG_MISSING',
      await explainUnreadable(path, error as NodeJS.ErrnoException),
      {
        cause: error,
      },
    );
  }
  const experiment = locateTlsFiles(parseConfig(text, path), path);
  const { faults } = await readTrust(experiment.target.tls);
  if (faults.length > 0) throw invalid(path, faults);
  return experiment;
}

/**
 * Validates the text of a config; `source` is its path: its name in messages, and where files of values are looked for.
 *
 * @throws CONFIG_INVALID with line and column of a syntax error, or with every fault against the schema
 */
export function parseConfig(text: string, source: string): Experiment {
  if (text.length > mostCharacters)
    throw invalid(source, [`expected at most ${mostCharacters} characters, found ${text.length}`]);
  // Some editors begin a file with a byte order mark, which is not JSON.
  const input = locateValueFile(parseJson(text.replace(/^\uFEFF/, ''), source), source);
  const parsed = experimentSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalid(source, explainIssues(parsed.error.issues, input));
}

function invalid(source: string, lines: readonly string[]): PoolbenchError {
  const count = lines.length === 1 ? '1 fault' : `${lines.length} faults`;
  const shown = lines.slice(0, mostFaults);
  if (lines.length > mostFaults) shown.push(`and ${lines.length - mostFaults} more`);
  return new PoolbenchError(
    'CONFIG_INVALID',
    `${source} is not a valid config, ${count}:\n${shown.map(line => `  ${line}`).join('\n')}\nconfigs/README.md explains every key.`,
  );
}

async function explainUnreadable(path: string, error: NodeJS.ErrnoException): Promise<string> {
  if (error.code === 'EISDIR')
    return `Expected a config file, found a folder: ${path}.${await explainOthers(path, path)}`;
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
    return `The config ${path} cannot be read (${error.code ?? error.message}).`;
  }
  const beside = await explainOthers(path, dirname(path));
  return `There is no config ${path}.${beside || (await explainOthers(path, 'configs'))}`;
}

async function explainOthers(path: string, folder: string): Promise<string> {
  const entries = await readdir(folder).catch(() => []);
  const configs = entries.filter(
    name => name.endsWith('.json') && !/^(schema|package.*|tsconfig.*|biome)\.json$/.test(name),
  );
  if (configs.length === 0) return '';
  const wanted = basename(path, '.json');
  const suggestion = nearest(
    wanted,
    configs.map(name => basename(name, '.json')),
  );
  const guess = suggestion ? ` Did you mean ${join(folder, `${suggestion}.json`)}?` : '';
  return `${guess} In ${folder} there are: ${configs.sort().join(', ')}.`;
}
