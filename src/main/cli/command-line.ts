import { isAbsolute } from 'node:path';
import { parseArgs } from 'node:util';
import { asTypedHere, quote, shippedFile, urlOfEnvironment } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { asIs, didYouMean, isGuessed, suggest } from '../experiment/nearest.ts';
import type { Asked } from '../experiment/question.ts';
import { questionFlags, valueName } from '../experiment/question-flags.ts';
import {
  fixedByResume,
  type Option,
  type OptionName,
  type Options,
  optionNames,
  options,
} from '../options.ts';
import { urlMeant, withoutPassword } from '../server/url.ts';
import { type CommandName, commandNames, commands } from './commands.ts';
import { refuseFlagsOfOthers } from './flags-of-others.ts';
import { refuseTakenByNpm } from './taken-by-npm.ts';

/** What was typed: a command with its operands and options, or a request for information. */
type CommandLine =
  | { readonly command: 'help' }
  | {
      readonly command: CommandName;
      readonly operands: readonly string[];
      readonly options: Options<OptionName>;
      /** Resolves to the exit code. */
      run(): Promise<number>;
    };

/**
 * Reads the command line; a path without a command is an experiment to run.
 *
 * @throws PoolbenchError USAGE
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  refuseTakenByNpm(args, takeableByNpm());
  const own = commandNames.filter(name => args.includes(name)).flatMap(name => commands[name].takes);
  refuseFlagsOfOthers(args, commandNames, own);
  const { values, asked, positionals } = parse(args);
  if (values.help) return { command: 'help' };
  const [first, ...rest] = positionals;
  if (first === undefined) {
    const { resume } = values;
    const hint =
      resume === undefined ? '' : `; to resume a run: ${asTypedHere('run', '--resume', quote(resume))}`;
    throw lacksConfig(`expected a config or a URL, found none${hint}`);
  }
  const named = commandNames.find(name => name === first);
  const command = named ?? 'run';
  const operands = named === undefined ? positionals : rest;
  expectScheme(command, operands);
  if (named === undefined && !/[./]/.test(first))
    throw wrong(
      `expected ${commandNames.join(', ')}, or the path of a config or a URL, found ${first}${suggest(first, commandNames, asIs)}`,
    );
  const { takes, run, asks = false } = commands[command];
  const unused = optionNames(values).find(option => !takes.includes(option));
  if (unused === 'fail-if')
    throw wrong(
      `--fail-if belongs to versus and compare; for a single run, write thresholds in a config (${shippedFile('configs/examples/thresholds.json')})`,
    );
  if (unused === 'speed')
    throw wrong(
      '--speed belongs to record; to run a config faster, raise "speed" if its arrival is "recorded", otherwise "rate"',
    );
  if (unused !== undefined)
    throw wrong(
      `${command} does not take --${unused}; it takes ${takes.length === 0 ? 'no options' : `--${takes.join(', --')}`}`,
    );
  expectOperands(command, operands, values);
  const [operand = ''] = operands;
  expectQuestion(command, operand, { values, asked });
  if (asks && isUrl(operand)) {
    const options = { ...values, url: operand, asked };
    return { command, operands, options, run: () => run(operands, options) };
  }
  const url = urlOfEnvironment();
  // A resumed run knows its target: it takes only the password from here.
  const isNamed = values.target !== undefined || values.resume !== undefined;
  const options = url !== undefined && takes.includes('url') && !isNamed ? { url, ...values } : values;
  return { command, operands, options, run: () => run(operands, options) };
}

const isUrl = (operand: string) => operand.includes('://');

/** Suggests the URL to users who type only the address of a server. */
function expectScheme(command: CommandName, operands: readonly string[]): void {
  const { operand, takesUrl = false } = commands[command];
  if (operand !== 'CONFIG' && !takesUrl) return;
  const place = operands.find(operand => urlMeant(operand) !== undefined || hasLogin(operand));
  if (place !== undefined)
    throw wrong(
      `expected a config or a redis:// URL, found ${withoutPassword(place)}${didYouMean(urlMeant(place))}`,
    );
}

/** Whether it has a password, as in "redis//user:password@host": a message about a missing file would show it. */
const hasLogin = (operand: string) =>
  !isUrl(operand) && !operand.endsWith('.json') && /:[^@]*@/.test(operand);

/** The command that makes a config from a URL. */
const toConfig = (url: string) => asTypedHere('check', quote(withoutPassword(url)), '--save', 'FILE');

/** Flags of a question need a URL: a config already defines what it asks. */
function expectQuestion(
  command: CommandName,
  operand: string,
  { values, asked }: { readonly values: Options<OptionName>; readonly asked: Asked },
): void {
  const flags = [...Object.keys(asked), ...(values.save === undefined ? [] : ['save'])].map(
    name => `--${name}`,
  );
  const { asks = false } = commands[command];
  if (!asks && flags.length > 0)
    throw wrong(`${command} does not take ${flags.join(', ')}; only run and check with a URL do`);
  if (!isUrl(operand) && flags.length > 0)
    throw wrong(
      `expected a URL with ${flags.join(', ')}, found ${operand || 'no operand'}; in a config, the keys scenarios and workload set what is measured`,
    );
  if (!asks || !isUrl(operand)) return;
  const others = (['target', 'url'] as const).filter(name => values[name] !== undefined);
  if (others.length > 0)
    throw wrong(`expected no --${others.join(', --')} with a URL, which already names the server`);
}

function takeableByNpm() {
  const ofOptions = optionNames(options).flatMap(name => {
    const { value, npm }: Option = options[name];
    return npm === true ? [] : [{ name, value }];
  });
  const ofQuestion = Object.entries(questionFlags).map(([name, flag]) => ({ name, value: valueName(flag) }));
  return [...ofOptions, ...ofQuestion];
}

function parse(args: readonly string[]): {
  readonly values: Options<OptionName>;
  readonly asked: Asked;
  readonly positionals: readonly string[];
} {
  const flagNames = Object.keys(questionFlags);
  const parsed = Object.fromEntries([
    ...Object.entries(options).map(([name, row]) => [
      name,
      {
        type: 'value' in row ? ('string' as const) : ('boolean' as const),
        ...('short' in row ? { short: row.short } : {}),
        ...('list' in row ? { multiple: true } : {}),
      },
    ]),
    ...flagNames.map(name => [name, { type: 'string' as const }]),
  ]) as Record<string, { readonly type: 'string' | 'boolean'; readonly multiple?: boolean }>;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: parsed, allowPositionals: true });
    const given = Object.entries(values).map(
      ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value] as const,
    );
    return {
      values: Object.fromEntries(given.filter(([name]) => !flagNames.includes(name))),
      asked: Object.fromEntries(
        given.filter(([name]) => flagNames.includes(name)).map(([name, text]) => [name, String(text)]),
      ),
      positionals,
    };
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const unknown = /'(--?[^']+)'/.exec(message)?.[1] ?? '';
      const guess = suggest(unknown.replace(/^-+/, ''), Object.keys(parsed), name => `--${name}`);
      throw wrong(`there is no option ${unknown}${guess}`);
    }
    const name = /--([\w-]+)/.exec(message)?.[1] ?? '';
    throw wrong(
      parsed[name]?.type === 'string'
        ? `expected a value after --${name}; one that starts with - is written --${name}=-1`
        : `expected --${name} without a value`,
    );
  }
}

/** A resumed run already has its config, and its remaining rounds are measured like the finished ones. */
function expectOperands(command: CommandName, found: readonly string[], given: Options<OptionName>): void {
  const {
    operand,
    several = false,
    forSeveral,
    optional = false,
    names,
    takesUrl = false,
    asks = false,
    takesName = false,
  } = commands[command];
  if (given.resume !== undefined) {
    if (operand === 'CONFIG' && found.length > 0)
      throw wrong(`expected no ${operand} with ${command} --resume, found ${found.join(' ')}`);
    const fixed = fixedByResume.filter(option => given[option] !== undefined);
    if (fixed.length > 0) {
      throw wrong(
        `expected no --${fixed.join(', --')} with --resume: the remaining rounds are measured like the finished ones, into the same folder`,
      );
    }
    if (operand === 'CONFIG') return;
  }
  const [first] = found;
  if (operand === null) {
    if (first === undefined) return;
    throw wrong(`expected no operand after ${command}, found ${found.join(' ')}`);
  }
  const url = found.find(isUrl);
  if (url !== undefined && !asks && !takesUrl) {
    const meant = commands[command].takes.includes('url')
      ? asTypedHere(
          command,
          command === 'search' ? quote(shippedFile('configs/examples/search.json')) : operand,
          '--url',
          quote(withoutPassword(url)),
        )
      : operand === 'CONFIG'
        ? `${toConfig(url)}, which writes a config for it`
        : undefined;
    throw wrong(`expected ${command} ${operand}, found a URL${didYouMean(meant)}`);
  }
  if (several) {
    if (found.length >= 2) return;
    throw wrong(
      `expected ${command} ${operand} ${operand}…, two or more, found ${first === undefined ? `no ${operand}` : `one: ${first}`}`,
    );
  }
  if (first === undefined) {
    if (optional) return;
    const urlToo = asks ? ', or a URL' : '';
    const message = `expected ${command} ${operand}${urlToo}, found no ${operand}`;
    throw operand === 'CONFIG' ? lacksConfig(message) : wrong(message);
  }
  if (names !== undefined && !names.includes(first))
    throw wrong(`expected ${names.join(', ')}, found ${first}${suggest(first, names, asIs)}`);
  if (found.length === 1 || (found.length === 2 && takesName)) return;
  const hint =
    forSeveral === undefined
      ? ''
      : url === undefined
        ? `; to compare them: ${asTypedHere(forSeveral, ...found.map(quote))}`
        : `; to compare servers: ${asTypedHere(forSeveral)} with configs, which ${toConfig(url)} writes`;
  const shown = found.map(one => (isUrl(one) ? withoutPassword(one) : one));
  throw wrong(`expected one ${operand}, found ${shown.join(' ')}${hint}`);
}

/** A message that already has a guess needs no other hint. */
function wrong(message: string, first?: string): PoolbenchError {
  const hints = [...(first === undefined ? [] : [first]), asTypedHere('--help')];
  return new PoolbenchError(
    'USAGE',
    isGuessed(message) ? message : `${message}\nTry: ${hints.join(', or ')}`,
  );
}

/** Outside poolbench's folder, a user may not have a config yet. */
function lacksConfig(message: string): PoolbenchError {
  const example = shippedFile('configs/smoke.json');
  return wrong(message, isAbsolute(example) ? asTypedHere('init') : asTypedHere(quote(example)));
}
