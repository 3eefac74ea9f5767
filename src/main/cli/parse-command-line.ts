import { parseArgs } from 'node:util';
import { PoolbenchError } from '../errors.ts';
import { nearest } from '../experiment/nearest.ts';
import type { Overrides } from '../experiment/overrides.ts';
import { asTypedHere, quote } from './command-words.ts';

/** What `run`, `versus` and `search` take beyond their configs, and `run --resume` beyond its folder. */
export interface RunFlags extends Overrides {
  /** Another config, whose target takes the place of the config's own. */
  readonly target?: string | undefined;
  readonly out?: string | undefined;
  /** Where metrics are served while it lasts: a port, or a host and a port. */
  readonly prometheus?: string | undefined;
  readonly 'no-stand-in'?: boolean | undefined;
  /** Loads a database that holds keys of others, too. */
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** What `check` takes beyond its config: it measures nothing and leaves nothing. */
export type CheckFlags = Overrides & Pick<RunFlags, 'target' | 'no-stand-in' | 'force'>;

/** What `claims` takes beyond its target. */
export interface ClaimsFlags extends Omit<RunFlags, 'target' | 'url' | 'quick'> {
  /** The folder of a ledger to go on with, which brings its own rounds, times and seed. */
  readonly resume?: string | undefined;
}

export interface CompareFlags {
  /** Compares unequal workloads, too. */
  readonly force?: boolean | undefined;
  /** Where the comparison's own folder is made; it is written nowhere without. */
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface ReportFlags {
  /** Another format, printed in place of the report. */
  readonly as?: string | undefined;
  /** Id of the scenario, for a format that holds one. */
  readonly scenario?: string | undefined;
}

export type CommandLine =
  | { readonly command: 'run' | 'search'; readonly path: string; readonly options: RunFlags }
  | { readonly command: 'check'; readonly path: string; readonly options: CheckFlags }
  | { readonly command: 'resume'; readonly folder: string; readonly options: RunFlags }
  | { readonly command: 'versus'; readonly paths: readonly string[]; readonly options: RunFlags }
  | { readonly command: 'claims'; readonly target: string; readonly options: ClaimsFlags }
  | { readonly command: 'compare'; readonly paths: readonly string[]; readonly options: CompareFlags }
  | { readonly command: 'report'; readonly path: string; readonly options: ReportFlags }
  | { readonly command: 'help' | 'version' };

const flags = {
  target: { type: 'string' },
  url: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  warmup: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
  resume: { type: 'string' },
  prometheus: { type: 'string' },
  quick: { type: 'boolean' },
  'no-stand-in': { type: 'boolean' },
  as: { type: 'string' },
  scenario: { type: 'string' },
  force: { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;
type Flag = keyof typeof flags;

/** Options whose names npm has no meaning for. */
const notNpms = [
  'url',
  'rounds',
  'seconds',
  'warmup',
  'seed',
  'out',
  'resume',
  'quick',
] satisfies readonly Flag[];

const commands = ['run', 'check', 'versus', 'claims', 'search', 'compare', 'report'] as const;
type Command = (typeof commands)[number];

const ofLoad = ['seconds', 'warmup', 'seed', 'no-stand-in', 'force'] as const;
const ofSession = ['out', 'prometheus', 'json', 'quiet'] as const;

/** The options that a command has a use for; help and version are commands of their own. */
const meaningful: Record<Command, readonly Flag[]> = {
  run: [...ofLoad, ...ofSession, 'rounds', 'quick', 'target', 'url', 'resume'],
  check: [...ofLoad, 'rounds', 'quick', 'target', 'url'],
  // Every one of its configs has a target of its own.
  versus: [...ofLoad, ...ofSession, 'rounds', 'quick'],
  // Verdicts take more than --quick leaves.
  claims: [...ofLoad, ...ofSession, 'rounds', 'resume'],
  // It repeats a step as often as its verdict takes.
  search: [...ofLoad, ...ofSession, 'target', 'url'],
  compare: ['force', 'out', 'json'],
  report: ['as', 'scenario'],
};

/**
 * Reads the command line; a path without a command is an experiment to run.
 *
 * @throws PoolbenchError USAGE
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  expectSeparator(args);
  const { values, positionals } = parse(args);
  if (values.help) return { command: 'help' };
  if (values.version) return { command: 'version' };
  const [first, ...rest] = positionals;
  if (first === undefined) {
    const hint =
      values.resume === undefined
        ? ''
        : `; to go on with a run: ${asTypedHere('run', '--resume', quote(values.resume))}`;
    throw wrong(`expected a config, found none${hint}`);
  }
  const named = commands.find(command => command === first);
  if (named === undefined && !/[./]/.test(first)) {
    const meant = nearest(first, commands);
    throw wrong(
      `expected ${commands.join(', ')}, or the path of a config, found ${first}${meant ? `; did you mean ${meant}?` : ''}`,
    );
  }
  const command = named ?? 'run';
  for (const flag of Object.keys(values) as Flag[]) {
    if (!meaningful[command].includes(flag))
      throw wrong(`expected no --${flag} with ${command}, which has no use for it`);
  }
  const paths = named === undefined ? positionals : rest;
  if (command === 'run' && values.resume !== undefined) return resumed(values.resume, paths, values);
  switch (command) {
    case 'run':
    case 'check':
    case 'search':
      return { command, path: onePath(command, 'CONFIG', paths), options: values };
    case 'versus':
      return { command, paths: twoOrMore(command, 'CONFIG', paths), options: values };
    case 'claims':
      return { command, target: onePath(command, 'TARGET', paths), options: values };
    case 'compare':
      return { command, paths: twoOrMore(command, 'RESULT', paths), options: values };
    case 'report':
      return { command, path: onePath(command, 'RESULT', paths), options: values };
  }
}

/** Without `--` npm keeps options for itself, with a warning among others, and a run of half a minute takes three. */
function expectSeparator(args: readonly string[]): void {
  if (!['start', 'claims'].includes(process.env.npm_lifecycle_event ?? '')) return;
  const taken = notNpms.filter(flag => process.env[`npm_config_${flag}`] !== undefined);
  if (taken.length === 0 || args.some(arg => arg.startsWith('--'))) return;
  const named = taken.map(flag => `--${flag}`).join(' ');
  throw wrong(
    `npm took ${named} for an option of its own: write -- before what is poolbench's, as in npm start -- CONFIG ${named}`,
  );
}

/** A run that is resumed has its config already, and is measured to its end as it was begun. */
function resumed(
  folder: string,
  paths: readonly string[],
  values: RunFlags & { readonly resume?: string | undefined },
): CommandLine {
  const { resume: _, ...options } = values;
  if (paths.length > 0) throw wrong(`expected no CONFIG with run --resume, found ${paths.join(' ')}`);
  const fixed = (['rounds', 'seconds', 'warmup', 'seed', 'quick', 'out'] as const).filter(
    flag => options[flag] !== undefined,
  );
  if (fixed.length > 0) {
    throw wrong(
      `expected no --${fixed.join(', --')} with --resume: the rest of a run is measured like its beginning, into its folder`,
    );
  }
  return { command: 'resume', folder, options };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: true });
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const unknown = /'(--?[^']+)'/.exec(message)?.[1] ?? '';
      const meant = nearest(unknown.replace(/^-+/, ''), Object.keys(flags));
      throw wrong(`there is no option ${unknown}${meant ? `; did you mean --${meant}?` : ''}`);
    }
    const name = /--([\w-]+)/.exec(message)?.[1] ?? '';
    const takesValue = name in flags && flags[name as Flag].type === 'string';
    throw wrong(
      takesValue
        ? `expected a value behind --${name}; one that starts with - is written --${name}=-1`
        : `expected --${name} without a value`,
    );
  }
}

function onePath(command: Command, what: string, paths: readonly string[]): string {
  const [path] = paths;
  if (path === undefined) throw wrong(`expected ${command} ${what}, found no ${what}`);
  if (paths.length > 1) {
    const other = command === 'report' ? 'compare' : command === 'run' ? 'versus' : undefined;
    const hint =
      other === undefined ? '' : `; to set them side by side: ${asTypedHere(other, ...paths.map(quote))}`;
    throw wrong(`expected one ${what}, found ${paths.join(' ')}${hint}`);
  }
  return path;
}

function twoOrMore(command: Command, what: string, paths: readonly string[]): readonly string[] {
  if (paths.length >= 2) return paths;
  throw wrong(
    `expected ${command} ${what} ${what}…, two or more, found ${paths.length === 0 ? `no ${what}` : `one: ${paths[0]}`}`,
  );
}

function wrong(message: string): PoolbenchError {
  return new PoolbenchError(
    'USAGE',
    `${message}\nTry: ${asTypedHere('configs/smoke.json')}, or ${asTypedHere('--help')}`,
  );
}
