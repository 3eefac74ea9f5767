import { parseArgs } from 'node:util';
import { nearest } from './config/nearest.ts';
import type { Overrides } from './config/overrides.ts';
import { PoolbenchError } from './errors.ts';

/** What `run` and `check` take beyond the config. */
export interface RunFlags extends Overrides {
  readonly out?: string | undefined;
  readonly 'no-stand-in'?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

export type CommandLine =
  | { readonly command: 'run' | 'check'; readonly path: string; readonly options: RunFlags }
  | { readonly command: 'report'; readonly path: string }
  | { readonly command: 'help' | 'version' };

const flags = {
  url: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  warmup: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
  quick: { type: 'boolean' },
  'no-stand-in': { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

/** Options that a command would have to ignore; help and version are commands of their own. */
const withoutMeaning: Record<'run' | 'check' | 'report', readonly (keyof typeof flags)[]> = {
  run: [],
  check: ['out', 'json', 'quiet'],
  report: ['url', 'rounds', 'seconds', 'warmup', 'seed', 'out', 'quick', 'no-stand-in', 'json', 'quiet'],
};

/**
 * Reads the command line; a path without a command is an experiment to run.
 *
 * @throws PoolbenchError USAGE
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args);
  if (values.help) return { command: 'help' };
  if (values.version) return { command: 'version' };
  const [first, ...rest] = positionals;
  if (first === undefined) throw wrong('expected a config, found none');
  const isCommand = first === 'run' || first === 'check' || first === 'report';
  if (!isCommand && !/[./]/.test(first)) {
    throw wrong(`expected run, check, report, or the path of a config, found ${first}`);
  }
  const command = isCommand ? first : 'run';
  for (const flag of withoutMeaning[command]) {
    if (values[flag] !== undefined)
      throw wrong(`expected no --${flag} with ${command}, which has no use for it`);
  }
  const path = onePath(command, command === 'report' ? 'RESULT' : 'CONFIG', isCommand ? rest : positionals);
  return command === 'report' ? { command, path } : { command, path, options: values };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: true });
  } catch (error) {
    // Node's message names the option; its second half explains how to pass odd file names.
    const message = (error as Error).message.replace(/\. To specify a positional.*$/s, '');
    const meant = nearest(/--([\w-]+)/.exec(message)?.[1] ?? '', Object.keys(flags));
    throw wrong(
      message.startsWith('Unknown option') && meant ? `${message}; did you mean --${meant}?` : message,
    );
  }
}

function onePath(command: string, what: string, paths: readonly string[]): string {
  const [path] = paths;
  if (path === undefined) throw wrong(`expected ${command} ${what}, found no ${what}`);
  if (paths.length > 1) throw wrong(`expected one ${what}, found ${paths.join(' ')}`);
  return path;
}

function wrong(message: string): PoolbenchError {
  return new PoolbenchError('USAGE', `${message}\nTry: poolbench configs/smoke.json, or poolbench --help`);
}
