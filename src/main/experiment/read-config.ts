import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { resultName } from '../../aggregate/report/files/result-files.ts';
import { maxConfigCharacters } from '../../aggregate/scenario/schema-parts.ts';
import { foundInstead } from '../../workers/found-instead.ts';
import { asTypedHere, shippedFile } from '../command-words.ts';
import { allOf, PoolbenchError } from '../errors.ts';
import { readTrust } from '../server/tls.ts';
import { locateClients } from './clients.ts';
import { type Experiment, experimentSchema } from './experiment.ts';
import { faultsOf, nameOf } from './faults.ts';
import { type Path, parseJsonText, placeOf } from './json-text.ts';
import { suggest } from './nearest.ts';
import { applyOverrides, type ConfigOverrides } from './overrides.ts';
import { withBeside } from './populations.ts';
import { askedExperiment } from './question.ts';
import { withRecordedRates } from './recorded-arrivals.ts';
import { withStageSeconds } from './stage-seconds.ts';
import { locateTlsFiles, tls } from './target.ts';
import { locateWorkloadFiles } from './workload-files.ts';

/** More would not be read. */
const maxFaults = 50;

const tlsInput = z.object({ target: z.object({ tls }) });

/** A fault of a config's text. */
interface PlacedFault {
  readonly offset: number;
  readonly text: string;
}

/**
 * The experiment of a config, or of a URL and flags, with the changes of the command line: `--target` replaces the
 * target by that of another config, and other flags override the result.
 *
 * @throws PoolbenchError CONFIG_MISSING, CONFIG_INVALID, USAGE
 */
export async function readExperiment(path: string, flags: ConfigOverrides): Promise<Experiment> {
  const { asked } = flags;
  if (asked !== undefined) return applyOverrides(askedExperiment(path, asked), flags);
  if (flags.target === undefined) return applyOverrides(await readConfig(path), flags);
  const [experiment, { target }] = await allOf([readConfig(path), readConfig(flags.target)] as const);
  return applyOverrides({ ...experiment, target }, flags);
}

/**
 * Reads and validates a config file, and checks that the files it names can be used.
 *
 * @throws CONFIG_MISSING if it cannot be read, CONFIG_INVALID with every fault that it has
 */
export async function readConfig(path: string): Promise<Experiment> {
  let text: string;
  try {
    text = textOf(await readFile(path), path);
  } catch (cause) {
    if (cause instanceof PoolbenchError) throw cause;
    const message = await describeUnreadable(path, cause as NodeJS.ErrnoException);
    throw new PoolbenchError('CONFIG_MISSING', message, { cause });
  }
  const read = parse(text, path);
  // The files are judged even if other keys are at fault.
  const named = tlsInput.safeParse(read.input).data?.target.tls;
  const files = named === undefined ? undefined : locateTlsFiles(named, path);
  const { faults } = files === undefined ? { faults: [] } : await readTrust(files);
  const placed = faults.map(({ key, text }) => ({ offset: read.offsetOf(['target', 'tls', key]), text }));
  const experiment = expectSound(read, placed);
  const target = { ...experiment.target, tls: files ?? experiment.target.tls };
  return { ...experiment, target, clientsFrom: locateClients(experiment, path) };
}

/** @throws CONFIG_INVALID for UTF-16, which editors and shells on Windows write */
function textOf(bytes: Buffer, path: string): string {
  const mark = bytes.toString('hex', 0, 2);
  if (mark === 'fffe' || mark === 'feff' || bytes.subarray(0, 64).includes(0))
    throw invalid(path, ['expected text in UTF-8, found UTF-16; save it as UTF-8'], 1);
  return bytes.toString('utf8');
}

/**
 * Validates the text of a config, which may have comments and trailing commas. `source` is its path: its name in
 * messages, and relative to its folder are files of values.
 *
 * @throws CONFIG_INVALID with line and column of the first syntax error, or of every key that is given twice and every
 * fault against the schema
 */
export function parseConfig(text: string, source: string): Experiment {
  return expectSound(parse(text, source));
}

/**
 * Validates a config that is not text, such as that in a result. Paths in it are relative to the working directory.
 *
 * @throws CONFIG_INVALID with every fault against the schema
 */
export function checkConfig(config: unknown, source: string): Experiment {
  const input = withRecordedRates(config);
  const checked = experimentSchema.safeParse(input);
  if (checked.success) return checked.data;
  const faults = faultsOf(checked.error.issues, input).map(({ text }) => text);
  throw invalid(source, faults.slice(0, maxFaults), faults.length);
}

/** What the text of a config says, and what is wrong with it. */
interface ParsedConfig {
  readonly source: string;
  readonly body: string;
  /** Its value, with the paths of files as seen from here. */
  readonly input: unknown;
  /** Undefined if a fault was found. */
  readonly experiment: Experiment | undefined;
  /** The first of them; locating thousands would take long. */
  readonly faults: readonly PlacedFault[];
  /** How many there are. */
  readonly count: number;
  offsetOf(path: Path): number;
}

/** @throws CONFIG_INVALID if there are faults */
function expectSound(
  { source, body, experiment, faults, count }: ParsedConfig,
  more: readonly PlacedFault[] = [],
): Experiment {
  const all = [...faults, ...more];
  if (experiment !== undefined && all.length === 0) return experiment;
  const inOrder = all.slice(0, maxFaults).sort((a, b) => a.offset - b.offset);
  const lines = inOrder.map(({ offset, text }) => `${source}:${placeOf(body, offset)}: ${text}`);
  throw invalid(source, lines, count + more.length);
}

function parse(text: string, source: string): ParsedConfig {
  if (text.length > maxConfigCharacters)
    throw invalid(source, [`expected at most ${maxConfigCharacters} characters, found ${text.length}`], 1);
  // Some editors begin a file with a byte order mark, which is not JSON.
  const body = text.replace(/^\uFEFF/, '');
  const { value, repeatedKeys, offsetOf } = parseJsonText(body, source);
  if (isMeasured(value)) throw new PoolbenchError('CONFIG_INVALID', describeMeasured(source));
  const input = withBeside(withRecordedRates(withStageSeconds(locateWorkloadFiles(value, source))));
  const checked = experimentSchema.safeParse(input);
  const repeated = repeatedKeys.map(({ offset, path }) => ({
    offset,
    text: `${nameOf(path, input)}: this key is given twice`,
  }));
  const faults = checked.success ? [] : faultsOf(checked.error.issues, input);
  const placed = faults
    .slice(0, maxFaults)
    .map(({ path, key, text }) => ({ offset: offsetOf(path, key), text }));
  return {
    source,
    body,
    input,
    experiment: checked.data,
    faults: [...repeated, ...placed],
    count: repeated.length + faults.length,
    offsetOf,
  };
}

/** Whether a value comes from a result.json, or another file that a command wrote: every key of it would be a fault. */
const isMeasured = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'schemaVersion' in value;

const describeMeasured = (path: string): string =>
  `Expected a config file, found results of poolbench: ${path}. To see those of a run: ${asTypedHere('report RESULT')}.`;

function invalid(source: string, lines: readonly string[], count: number): PoolbenchError {
  const shown = count > lines.length ? [...lines, `and ${count - lines.length} more`] : lines;
  return new PoolbenchError(
    'CONFIG_INVALID',
    `${source} is not a valid config, ${count === 1 ? '1 fault' : `${count} faults`}:\n${shown.map(line => `  ${line}`).join('\n')}\n${shippedFile('configs/README.md')} explains every key.`,
  );
}

async function describeUnreadable(path: string, error: NodeJS.ErrnoException): Promise<string> {
  const isFolder = error.code === 'EISDIR';
  if (!isFolder && error.code !== 'ENOENT' && error.code !== 'ENOTDIR')
    return `Expected a config file, found ${foundInstead(error)}: ${path}.`;
  if (isFolder && existsSync(join(path, resultName))) return describeMeasured(path);
  const wrong = isFolder ? `Expected a config file, found a folder: ${path}` : `There is no config ${path}`;
  for (const folder of isFolder ? [path, join(path, 'configs')] : [dirname(path), 'configs']) {
    const configs = await configsIn(folder);
    if (configs.length === 0) continue;
    const guess = isFolder
      ? ''
      : suggest(
          basename(path, '.json'),
          configs.map(name => basename(name, '.json')),
          name => join(folder, `${name}.json`),
        );
    return `${wrong}${guess}. In ${folder} there are: ${configs.join(', ')}.`;
  }
  return `${wrong}. To write one: ${asTypedHere('init')}.`;
}

async function configsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch(() => []);
  return entries
    .filter(name => name.endsWith('.json') && !/^(schema|package.*|tsconfig.*|biome)\.json$/.test(name))
    .sort();
}
