import { isAbsolute } from 'node:path';
import { parseArgs } from 'node:util';
import { wrapText } from '../../aggregate/text/text-layout.ts';
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
  options,
  sessionOptions,
  targetOptions,
} from '../options.ts';
import { urlMeant, withoutPassword } from '../server/url.ts';
import { type Completions, renderCompletion, shells } from './completion.ts';
import { refuseFlagsOfOthers } from './flags-of-others.ts';
import { refuseTakenByNpm } from './taken-by-npm.ts';

/** A command of the command line. */
interface Command<Name extends OptionName = OptionName> {
  /** Its forms, without "poolbench", each with a description. */
  readonly help: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly operand: 'CONFIG' | 'TARGET' | 'SOURCE' | 'RESULT' | 'FOLDER' | 'FILE' | 'SHELL' | null;
  /** Whether the operand can be left out. */
  readonly optional?: boolean;
  /** Whether the operand can be the URL of a server. */
  readonly takesUrl?: boolean;
  /** Whether it also takes a URL instead of a config, with flags for the question. */
  readonly asks?: boolean;
  /** What the operand can be, if it is one of a few names. */
  readonly names?: readonly string[];
  /** Whether a name may follow the operand. */
  readonly takesName?: boolean;
  /** Whether it takes two or more operands instead of one. */
  readonly several?: boolean;
  /** The command to suggest if several operands are given. */
  readonly forSeveral?: string;
  readonly takes: readonly Name[];
  /** Resolves to the exit code. It loads only this command's file, because loading all of them takes half a second. */
  readonly run: (
    operands: readonly string[],
    options: Options<Name> & { readonly asked?: Asked },
  ) => Promise<number>;
}

/** A row of the table, with the options that its function receives. */
const row = <Name extends OptionName>(command: Command<Name>): Command => command;

/** Every command, in the order of the help. */
const commands = {
  run: row({
    help: {
      CONFIG: 'run an experiment: the same as run CONFIG',
      'URL [flags]':
        'without a config: ask a question about the server at a URL, such as redis://my-host:6379 --pools 1,2,4 --workers 50,100',
      'run CONFIG [options]': 'find or start the target, measure, judge, write results/<time>-<name>/',
      'run --resume DIR': 'resume a run of one target that was stopped or killed',
    },
    operand: 'CONFIG',
    forSeveral: 'versus',
    asks: true,
    takes: [...sessionOptions, 'rounds', 'budget', 'quick', 'target', 'url', 'start', 'save', 'resume'],
    run: async ([path = ''], options) => {
      const { resume, run } = await import('./run.ts');
      return options.resume === undefined ? run(path, options) : resume(options.resume, options);
    },
  }),
  check: row({
    help: {
      'check CONFIG|URL [options]':
        'validate the config, identify the target and print the plan, without load',
    },
    operand: 'CONFIG',
    asks: true,
    takes: [...targetOptions, 'rounds', 'budget', 'quick', 'target', 'url', 'start', 'save'],
    run: async ([path = ''], options) => (await import('./check.ts')).check(path, options),
  }),
  versus: row({
    help: {
      'versus CONFIG CONFIG…':
        'run several configs with one target each, in turn within every round, and compare each with the first; takes the options of run except --target and --url',
    },
    operand: 'CONFIG',
    several: true,
    takes: [...sessionOptions, 'rounds', 'budget', 'quick', 'fail-if'],
    run: async (paths, options) => (await import('./run.ts')).versus(paths, options),
  }),
  claims: row({
    help: {
      'claims TARGET [options]':
        'test every claim on redis, valkey, dragonfly, the target of a config, or a URL, and keep a ledger of the verdicts',
    },
    operand: 'TARGET',
    takesUrl: true,
    // Verdicts need more rounds than --quick leaves.
    takes: [...sessionOptions, 'rounds', 'start', 'resume'],
    run: async ([target = ''], options) => (await import('./claims.ts')).claims(target, options),
  }),
  search: row({
    help: { 'search CONFIG [options]': "find the highest rate that meets the config's conditions" },
    operand: 'CONFIG',
    // A step is repeated until it is decided, so there are no rounds to set.
    takes: [...sessionOptions, 'target', 'url', 'start'],
    run: async ([path = ''], options) => (await import('./search.ts')).search(path, options),
  }),
  compare: row({
    help: { 'compare RESULT RESULT…': 'compare finished runs, each with the first' },
    operand: 'RESULT',
    several: true,
    takes: ['force', 'out', 'json', 'fail-if'],
    run: async (paths, options) => (await import('./compare.ts')).compare(paths, options),
  }),
  report: row({
    help: {
      'report RESULT': 'write the reports and other files of a result.json (or its folder) again',
    },
    operand: 'RESULT',
    forSeveral: 'compare',
    takes: ['as', 'scenario'],
    run: async ([path = ''], options) => (await import('./report.ts')).report(path, options),
  }),
  trend: row({
    help: {
      'trend FOLDER [NAME]':
        'show throughput and p99 over time for the config NAME, by default the one with the most results in FOLDER, and write trend.html there',
    },
    operand: 'FOLDER',
    takesName: true,
    takes: ['out'],
    run: async ([path = '', name], options) => (await import('./trend.ts')).trend(path, options, name),
  }),
  agent: row({
    help: {
      'agent --control URL --allow-target HOST:PORT': 'offer this machine to runs with --agents',
    },
    operand: null,
    takes: ['control', 'allow-target', 'name', 'group', 'threads', 'runs'],
    run: async (_, options) => (await import('./agent.ts')).agent(options),
  }),
  agents: row({
    help: { 'agents --control URL': 'list the agents and the runs they are busy with' },
    operand: null,
    takes: ['control', 'json'],
    run: async (_, options) => (await import('./agents.ts')).agents(options),
  }),
  record: row({
    help: {
      'record URL|FILE [options]':
        "record a server's commands with MONITOR, or read the output of redis-cli MONITOR from a file, and write a config with a similar load, recording.json by default",
    },
    operand: 'SOURCE',
    takesUrl: true,
    takes: ['seconds', 'out', 'force', 'literal', 'speed'],
    run: async ([source = ''], options) => (await import('./record.ts')).record(source, options),
  }),
  init: row({
    help: { 'init [FILE]': 'ask four questions and write a commented config, poolbench.json by default' },
    operand: 'FILE',
    optional: true,
    takes: [],
    run: async ([path = 'poolbench.json']) => (await import('./init.ts')).init(path, process.stdin),
  }),
  import: row({
    help: {
      'import SPEC.yml':
        'write a config from a test definition of redis-benchmarks-specification, and list what could not be converted',
    },
    operand: 'FILE',
    takes: ['out'],
    run: async ([path = ''], options) => (await import('./import.ts')).importSpec(path, options.out),
  }),
  completion: row({
    help: { 'completion SHELL': `print the completion script for a shell: ${shells.join(', ')}` },
    operand: 'SHELL',
    names: shells,
    takes: [],
    run: async ([shell = '']) => {
      process.stdout.write(renderCompletion(shell, completions()));
      return 0;
    },
  }),
};

type CommandName = keyof typeof commands;
const commandNames = Object.keys(commands) as CommandName[];

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
    throw wrong(`expected a config or a URL, found none${hint}`);
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
  const place = operands.find(operand => urlMeant(operand) !== undefined);
  if (place !== undefined)
    throw wrong(`expected a config or a redis:// URL, found ${place}${didYouMean(urlMeant(place))}`);
}

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

const optionNames = (given: object) => Object.keys(given) as OptionName[];

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
    throw wrong(`expected ${command} ${operand}${urlToo}, found no ${operand}`);
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
function wrong(message: string): PoolbenchError {
  const example = shippedFile('configs/smoke.json');
  // Far from its package, a user has no config yet.
  const first = isAbsolute(example) ? asTypedHere('init') : asTypedHere(quote(example));
  const hint = `\nTry: ${first}, or ${asTypedHere('--help')}`;
  return new PoolbenchError('USAGE', isGuessed(message) ? message : message + hint);
}

const helpColumns = 104;
/** The commands that take an option are listed after it if there are no more than this. */
const maxListedCommands = 4;

/** What `--help` prints. */
export function renderHelp(): string {
  const ways = Object.values(commands).flatMap(({ help }) => Object.entries(help));
  const described = optionNames(options).flatMap(name => {
    const row: Option = options[name];
    if (row.help === undefined) return [];
    const takers = commandNames.filter(command => commands[command].takes.includes(name));
    const listed = takers.length > maxListedCommands ? '' : ` (${takers.join(', ')})`;
    const words = `--${name}${row.value === undefined ? '' : ` ${row.value}`}`;
    return [
      ...(row.heading === undefined ? [] : ['', row.heading]),
      ...describe(words, `${row.help}${listed}`, 19),
    ];
  });
  const asking = Object.entries(questionFlags).flatMap(([name, flag]) =>
    describe(`--${name} ${valueName(flag)}`, `${flag.help} (${flag.usual})`, 30),
  );
  return `poolbench: would another pool, connection, thread or server help, and what limits you now?

Usage
${ways.flatMap(([words, help]) => describe(`poolbench ${words}`, help, 36)).join('\n')}

Questions about a URL (run, check): the values of a list such as 1,2,4 are compared; defaults are in
brackets
${asking.join('\n')}
${described.join('\n')}
  --help, --version

If target.threads in the config has several numbers, run starts a server for each and compares them.

Exit codes
  0    done; for search, whether or not it found a rate
  1    the run failed: it lost the target, an agent or the control server, measured nothing, or had too
       many failed operations
  2    the config, a result or the command line is wrong, or results cannot be written
  3    the target cannot be reached or started, is too small for the plan, or is in use; or agents are
       missing
  98   a condition of --fail-if was met
  99   a threshold in the config was crossed
  130  interrupted: partial results were written
`;
}

/** What a shell can complete, from the tables of the help. */
export function completions(): Completions {
  const ofOptions = (names: readonly OptionName[]) =>
    names.map(name => {
      const row: Option = options[name];
      return {
        name,
        help: row.help ?? name,
        takesValue: row.value !== undefined,
        takesFile: row.value === 'FILE' || row.value === 'DIR',
        values: row.values ?? [],
      };
    });
  const ofQuestion = Object.entries(questionFlags).map(([name, { help, values }]) => ({
    name,
    help,
    takesValue: true,
    takesFile: false,
    values,
  }));
  return {
    commands: commandNames.map(name => {
      const { help, takes, names = [], asks = false } = commands[name];
      return {
        name,
        help: Object.values(help)[0] ?? '',
        operands: names,
        options: [...ofOptions(takes), ...(asks ? ofQuestion : [])],
      };
    }),
    /** The command that a config or a URL without a command stands for. */
    usual: 'run',
  };
}

/** Words followed by a text indented to a column, on the same line if there is room. */
function describe(words: string, text: string, column: number): string[] {
  const [first = '', ...rest] = wrapText(text, helpColumns, ' '.repeat(column));
  const start = `  ${words}`;
  return start.length < column
    ? [start.padEnd(column) + first.slice(column), ...rest]
    : [start, first, ...rest];
}
